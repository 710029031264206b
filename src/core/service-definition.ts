import { seen } from "./options.js";
import { isRecord } from "./record.js";
import type { RpcHead } from "./rpc-definition.js";
import { servingError } from "./serving-error.js";

/** What a proto promises of a method that may be called twice; `NO_SIDE_EFFECTS` promises more. */
export type IdempotencyLevel = "IDEMPOTENT" | "NO_SIDE_EFFECTS";

/** A method as a service definition has it. */
export interface DefinedRpc extends RpcHead {
  /** Undefined when the proto promises nothing. */
  readonly idempotencyLevel: IdempotencyLevel | undefined;
  /** The definition's own object, with the codecs in its maker's form. */
  readonly method: Readonly<Record<string, unknown>>;
}

/**
 * Reads a service definition (ts-proto's, nice-grpc's or grpc-js's): its methods, by the names that clients and
 * implementations have for them.
 *
 * @throws ConfigError `INVALID_OPTION` for a definition that is none.
 */
export function definedRpcs(definition: unknown): ReadonlyMap<string, DefinedRpc> {
  const table = new Map<string, DefinedRpc>();
  if (!isRecord(definition)) throw noDefinition(definition);
  const { fullName, methods } = definition;
  const isTsProto = typeof fullName === "string" && isRecord(methods);
  for (const [name, method] of Object.entries(isTsProto ? methods : definition)) {
    const known = definedRpc(method, isTsProto ? fullName : undefined);
    if (known === undefined) throw noDefinition(definition);
    table.set(name, known);
  }
  return table;
}

function definedRpc(method: unknown, service: string | undefined): DefinedRpc | undefined {
  if (!isRecord(method)) return undefined;
  const { path, name, requestStream, responseStream, options } = method;
  const fullPath = service === undefined ? path : `/${service}/${String(name)}`;
  if (typeof fullPath !== "string" || typeof requestStream !== "boolean") return undefined;
  const level = isRecord(options) ? options["idempotencyLevel"] : undefined;
  return {
    path: fullPath,
    requestStream,
    responseStream: responseStream === true,
    idempotencyLevel: level === "IDEMPOTENT" || level === "NO_SIDE_EFFECTS" ? level : undefined,
    method,
  };
}

function noDefinition(definition: unknown): Error {
  return servingError(
    "INVALID_OPTION",
    `definition is ${seen(definition)}, expected a service definition as ts-proto, nice-grpc or grpc-js make it`,
  );
}
