import type { Reason } from "../core/error-catalog.js";
import { retryAfterMs } from "../core/retry-after.js";
import type { ServingError } from "../core/serving-error.js";
import { statusName } from "../core/status.js";
import type { HttpReply } from "./http.js";

/** How a reason looks over HTTP. */
export interface HttpErrorForm {
  readonly status: number;
  /** Whether the connection is closed behind the answer. */
  readonly close?: true;
}

/**
 * The HTTP status of every reason, in EAS's dialect; written out, derived from no other table.
 *
 * Source: EAS "status codes of the service": 408 over time and 450 queue full close the connection, 400 processor
 * threw, 401, 404, 405, 429, 503.
 */
export const httpErrorForms: Readonly<Record<Reason, HttpErrorForm>> = {
  INVALID_OPTION: { status: 400 },
  UNKNOWN_OPTION: { status: 400 },
  INVALID_TARGET: { status: 400 },
  NO_INSTANCE: { status: 503 },
  LIST_TIMEOUT: { status: 503 },
  SERVICE_UNKNOWN: { status: 404 },
  DIRECTORY_FAILED: { status: 502 },
  UPSTREAM_MALFORMED: { status: 502 },
  CALL_FAILED: { status: 502 },
  CONNECT_FAILED: { status: 502 },
  CALL_REFUSED: { status: 503 },
  CONNECTION_LOST: { status: 502 },
  DEADLINE_EXCEEDED: { status: 408, close: true },
  CANCELLED: { status: 499, close: true },
  CLIENT_CLOSED: { status: 499 },
  ANSWER_MALFORMED: { status: 502 },
  PROCESSOR_THREW: { status: 400 },
  PROCESSOR_BAD_ANSWER: { status: 500 },
  INITIALIZE_FAILED: { status: 503 },
  QUEUE_FULL: { status: 450, close: true },
  RATE_LIMITED: { status: 429 },
  LANE_DIED: { status: 503 },
  REQUEST_QUARANTINED: { status: 400 },
  DRAINING: { status: 503, close: true },
  NOT_READY: { status: 503 },
  ABORTED_BY_STOP: { status: 503, close: true },
  UNAUTHENTICATED: { status: 401 },
  FORBIDDEN: { status: 403 },
  MESSAGE_TOO_LARGE: { status: 413, close: true },
  HEADERS_TOO_LARGE: { status: 431, close: true },
  MALFORMED_REQUEST: { status: 400 },
  UNKNOWN_ROUTE: { status: 404 },
  UNKNOWN_SERVICE: { status: 404 },
  UNKNOWN_BUILTIN: { status: 404 },
  UNKNOWN_FUNCTION: { status: 404 },
  UNKNOWN_PROPERTY: { status: 404 },
  PROPERTY_REFUSED: { status: 409 },
  ALREADY_RUNNING: { status: 429 },
  METHOD_NOT_ALLOWED: { status: 405 },
  STREAM_NEEDED: { status: 501 },
  LEASE_UNKNOWN: { status: 404 },
  SHARES_CHANGED: { status: 409 },
  STORE_FAILED: { status: 503 },
  STORE_DAMAGED: { status: 500 },
  STORE_IN_USE: { status: 500 },
  ADDRESS_IN_USE: { status: 503 },
  UNKNOWN_CONTENT_TYPE: { status: 415 },
  NOT_OVER_WEB: { status: 501 },
  PROTO_INVALID: { status: 400 },
  GENERATED_STALE: { status: 400 },
  PEER_MISSING: { status: 400 },
  INTERNAL: { status: 500 },
};

/**
 * The answer that says what went wrong: one line of JSON with code, reason and message and, where the error says when to
 * come back, `retryAfterMs` and the header `Retry-After` in whole seconds.
 */
export function errorReply(error: ServingError): HttpReply {
  const form = httpErrorForms[error.reason];
  const pushbackMs = retryAfterMs(error);
  return {
    status: form.status,
    headers: {
      "content-type": "application/json; charset=utf-8",
      ...(error.reason === "UNAUTHENTICATED" ? { "www-authenticate": "Bearer" } : {}),
      ...(pushbackMs === undefined ? {} : { "retry-after": String(Math.ceil(pushbackMs / 1_000)) }),
    },
    body: `${errorJson(error)}\n`,
    ...(form.close === true ? { close: true } : {}),
  };
}

/** The body of {@link errorReply}. */
export function errorJson(error: ServingError): string {
  const { reason, message } = error;
  // JSON leaves undefined out.
  const pushbackMs = retryAfterMs(error);
  return JSON.stringify({
    error: { code: statusName(error.code), reason, message, retryAfterMs: pushbackMs },
  });
}
