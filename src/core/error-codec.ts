import { isReason } from "./error-catalog.js";
import { type MetadataValue, type MetadataView, metadataOf } from "./metadata.js";
import { namedError, plainRecord } from "./plain-value.js";
import { type ServingError, servingError } from "./serving-error.js";
import { statusFromCode } from "./status.js";

/** An error's cause as people read it. */
export interface PlainCause {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

/**
 * An error of the kit as plain data. An Error that is cloned into another thread or process loses its class, reason and
 * code: this form keeps them.
 */
export interface PlainError {
  readonly reason: string;
  readonly code: number;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Those details that were metadata, as pairs. */
  readonly metadata: Readonly<Record<string, readonly (readonly [string, MetadataValue])[]>>;
  readonly cause?: PlainCause;
}

/** Turns an error into plain data; its cause stays behind, and with it whatever no caller should see. */
export function plainFromError(error: ServingError): PlainError {
  const metadata: Record<string, [string, MetadataValue][]> = {};
  const details: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(error.details)) {
    if (isMetadata(value)) metadata[key] = Array.from(value.entries(), ([k, v]) => [k, plain(v)]);
    else details[key] = value;
  }
  const { reason, code, message } = error;
  return { reason, code, message, details: plainRecord(details), metadata };
}

/** As {@link plainFromError}, with the text and stack of the cause: for logs, never for callers. */
export function plainWithCause(error: ServingError): PlainError {
  const { cause } = error;
  if (cause === undefined) return plainFromError(error);
  const { name, message, stack } =
    cause instanceof Error ? cause : { name: "Error", message: String(cause), stack: undefined };
  return {
    ...plainFromError(error),
    cause: { name, message, stack: stack ?? `${name}: ${message}` },
  };
}

/** Makes the error that {@link plainFromError} took apart; a reason that this version does not know is `INTERNAL`. */
export function errorFromPlain(plain: PlainError): ServingError {
  const details: Record<string, unknown> = { ...plain.details };
  for (const [key, pairs] of Object.entries(plain.metadata)) details[key] = metadataOf(pairs);
  return servingError(isReason(plain.reason) ? plain.reason : "INTERNAL", plain.message, {
    code: statusFromCode(plain.code),
    details,
    ...(plain.cause === undefined
      ? {}
      : { cause: namedError(plain.cause.name, plain.cause.message, plain.cause.stack) }),
  });
}

function plain(value: MetadataValue): MetadataValue {
  return typeof value === "string" ? value : Uint8Array.from(value);
}

function isMetadata(value: unknown): value is MetadataView {
  return (
    typeof value === "object" &&
    value !== null &&
    "get" in value &&
    "entries" in value &&
    typeof value.get === "function" &&
    typeof value.entries === "function"
  );
}
