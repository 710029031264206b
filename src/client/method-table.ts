import type { CompatServiceDefinition } from "nice-grpc";
import { didYouMean } from "../core/nearest.js";
import { checkText, fillOptions, refuseLaterOptions, seen } from "../core/options.js";
import { definedRpcs } from "../core/service-definition.js";
import { servingError } from "../core/serving-error.js";
import type { MethodOptions, ResolvedCallPolicy } from "./client-options.js";
import { resolveCallPolicy } from "./resolve-options.js";

/** What the channel knows of a method. */
export interface MethodPolicy extends ResolvedCallPolicy {
  /** As the client has it. */
  readonly name: string;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly idempotent: boolean;
  readonly metadata: readonly (readonly [key: string, value: string])[];
}

const methodDefaults: { readonly [K in keyof Required<MethodOptions>]: undefined } = {
  timeoutMs: undefined,
  streamIdleTimeoutMs: undefined,
  maxAttempts: undefined,
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
  defaults: ResolvedCallPolicy,
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
  return [...defined].map(([name, method]) => {
    const own = checkMethod(methods[name], `methods.${name}`);
    const policy = resolveCallPolicy(all, defaults, "methods.*.");
    const { path, requestStream, responseStream, idempotencyLevel } = method;
    return {
      ...resolveCallPolicy(own, policy, `methods.${name}.`),
      name,
      path,
      requestStream,
      responseStream,
      idempotent: own.idempotent ?? all.idempotent ?? idempotencyLevel !== undefined,
      metadata: Object.entries({ ...all.metadata, ...own.metadata }),
    };
  });
}

function checkMethod(options: MethodOptions | undefined, where: string): MethodOptions {
  refuseLaterOptions(options, ["hedgeDelayMs"], where);
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
