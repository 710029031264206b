import type { CompatServiceDefinition } from "nice-grpc";
import { didYouMean } from "../core/nearest.js";
import { checkText, fillOptions, seen } from "../core/options.js";
import { definedRpcs } from "../core/service-definition.js";
import { servingError } from "../core/serving-error.js";
import type { MethodGround, MethodOptions, ResolvedCallPolicy } from "./client-options.js";
import { resolveCallPolicy } from "./resolve-options.js";

/** What the channel knows of a method. */
export interface MethodPolicy extends ResolvedCallPolicy {
  /** As the client has it. */
  readonly name: string;
  /** `/package.Service/Method`. */
  readonly path: string;
  /** What its calls are counted under, one of few: `package.Service/Method`; `predict` for all calls over HTTP. */
  readonly series: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly idempotent: boolean;
  readonly metadata: readonly (readonly [key: string, value: string])[];
}

const methodDefaults: { readonly [K in keyof Required<MethodOptions>]: undefined } = {
  timeoutMs: undefined,
  streamIdleTimeoutMs: undefined,
  maxAttempts: undefined,
  hedgeDelayMs: undefined,
  idempotent: undefined,
  metadata: undefined,
};

/**
 * Reads a service definition (ts-proto's, nice-grpc's or grpc-js's) and the options of its methods.
 *
 * @throws ConfigError for a definition that is none, or an option of an unknown method or with a wrong value.
 */
export function methodTable(
  definition: CompatServiceDefinition,
  methods: Readonly<Record<string, MethodOptions>>,
  defaults: MethodGround,
): readonly MethodPolicy[] {
  const defined = definedRpcs(definition);
  for (const name of Object.keys(methods)) {
    if (name !== "*" && !defined.has(name)) {
      throw servingError(
        "UNKNOWN_OPTION",
        `methods has "${name}", which is no method of the service${didYouMean(name, defined.keys())}`,
      );
    }
  }
  const all = checkMethod(methods["*"], "methods.*");
  const { retryBudgetRatio } = defaults;
  checkHedgedForAll(all, methods);
  return [...defined].map(([name, method]) => {
    const own = checkMethod(methods[name], `methods.${name}`);
    const policy = resolveCallPolicy(all, defaults, "methods.*.");
    const { path, requestStream, responseStream, idempotencyLevel } = method;
    const idempotent = own.idempotent ?? all.idempotent ?? idempotencyLevel !== undefined;
    const resolved = resolveCallPolicy(own, { ...policy, retryBudgetRatio }, `methods.${name}.`);
    checkHedged(own, { name, idempotent, streams: requestStream || responseStream });
    return {
      ...resolved,
      name,
      path,
      series: path.replace(/^\//, ""),
      requestStream,
      responseStream,
      idempotent,
      metadata: Object.entries({ ...all.metadata, ...own.metadata }),
    };
  });
}

/** Who asks by name for a hedge that the method cannot have would wait for it in vain; under `"*"` it is for the others. */
function checkHedged(
  { hedgeDelayMs = Number.POSITIVE_INFINITY }: MethodOptions,
  method: { readonly name: string; readonly idempotent: boolean; readonly streams: boolean },
): void {
  if (hedgeDelayMs === Number.POSITIVE_INFINITY) return;
  const asked = `methods.${method.name}.hedgeDelayMs is ${seen(hedgeDelayMs)}`;
  if (method.streams) {
    throw servingError(
      "INVALID_OPTION",
      `${asked}, but the method streams; only single messages are hedged`,
    );
  }
  if (!method.idempotent) {
    throw servingError(
      "INVALID_OPTION",
      `${asked}, but the method is not idempotent; say methods.${method.name}.idempotent if it is`,
    );
  }
}

/** A hedge for all, of which none may be done twice: calls cannot have been meant, as they would say so themselves. */
function checkHedgedForAll(
  { hedgeDelayMs = Number.POSITIVE_INFINITY, idempotent }: MethodOptions,
  methods: Readonly<Record<string, MethodOptions>>,
): void {
  if (hedgeDelayMs === Number.POSITIVE_INFINITY || idempotent !== false) return;
  if (Object.values(methods).some((each) => each.idempotent === true)) return;
  throw servingError(
    "INVALID_OPTION",
    `methods.*.hedgeDelayMs is ${seen(hedgeDelayMs)}, but methods.*.idempotent is false, and no method says otherwise`,
  );
}

function checkMethod(options: MethodOptions | undefined, where: string): MethodOptions {
  const filled = fillOptions<{ [K in keyof Required<MethodOptions>]: MethodOptions[K] }>(
    options,
    methodDefaults,
    where,
  );
  const { idempotent, metadata } = filled;
  if (idempotent !== undefined && typeof idempotent !== "boolean") {
    throw servingError("INVALID_OPTION", `${where}.idempotent is ${seen(idempotent)}`);
  }
  for (const [key, value] of Object.entries(metadata ?? {})) {
    checkText(value, `${where}.metadata.${key}`);
    if (/^[a-z0-9_.-]+$/.test(key) && !key.endsWith("-bin") && /^[ -~]+$/.test(value)) continue;
    throw servingError(
      "INVALID_OPTION",
      `${where}.metadata "${key}" cannot be sent, expected a lower-case key and printable ASCII`,
    );
  }
  return filled;
}
