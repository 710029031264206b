import type { CompatServiceDefinition } from "nice-grpc";
import { didYouMean } from "../core/nearest.js";
import { checkText, fillOptions, refuseLaterOptions, seen } from "../core/options.js";
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

interface DefinedMethod {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly idempotencyLevel: string | undefined;
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
  const defined = definedMethods(definition);
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
      idempotent: own.idempotent ?? all.idempotent ?? isIdempotent(idempotencyLevel),
      metadata: Object.entries({ ...all.metadata, ...own.metadata }),
    };
  });
}

function isIdempotent(level: string | undefined): boolean {
  return level === "IDEMPOTENT" || level === "NO_SIDE_EFFECTS";
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

function definedMethods(definition: CompatServiceDefinition): Map<string, DefinedMethod> {
  const table = new Map<string, DefinedMethod>();
  if (typeof definition !== "object" || definition === null) throw noDefinition(definition);
  const { fullName, methods } = definition;
  const isTsProto = typeof fullName === "string" && typeof methods === "object";
  for (const [name, method] of Object.entries(isTsProto ? methods : definition)) {
    const known = definedMethod(method, isTsProto ? fullName : undefined);
    if (known === undefined) throw noDefinition(definition);
    table.set(name, known);
  }
  return table;
}

function definedMethod(method: unknown, service: string | undefined): DefinedMethod | undefined {
  if (typeof method !== "object" || method === null) return undefined;
  const { path, name, requestStream, responseStream, options } = method as Record<string, unknown>;
  const fullPath = service === undefined ? path : `/${service}/${String(name)}`;
  if (typeof fullPath !== "string" || typeof requestStream !== "boolean") return undefined;
  const level = (options as Record<string, unknown> | undefined)?.["idempotencyLevel"];
  return {
    path: fullPath,
    requestStream,
    responseStream: responseStream === true,
    idempotencyLevel: typeof level === "string" ? level : undefined,
  };
}

function noDefinition(definition: unknown): Error {
  return servingError(
    "INVALID_OPTION",
    `definition is ${seen(definition)}, expected a service definition as ts-proto, nice-grpc or grpc-js make it`,
  );
}
