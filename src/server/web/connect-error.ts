import { type StatusName, statusName } from "../../core/status.js";
import type { RpcStatus } from "../rpc.js";

interface ConnectCode {
  readonly code: string;
  /** Of an error of a unary call. */
  readonly httpStatus: number;
}

/**
 * What Connect calls each status, and the HTTP status of it; written out, derived from no other table.
 *
 * Source: https://connectrpc.com/docs/protocol#error-codes
 */
export const connectCodes: Readonly<Record<Exclude<StatusName, "OK">, ConnectCode>> = {
  CANCELLED: { code: "canceled", httpStatus: 499 },
  UNKNOWN: { code: "unknown", httpStatus: 500 },
  INVALID_ARGUMENT: { code: "invalid_argument", httpStatus: 400 },
  DEADLINE_EXCEEDED: { code: "deadline_exceeded", httpStatus: 504 },
  NOT_FOUND: { code: "not_found", httpStatus: 404 },
  ALREADY_EXISTS: { code: "already_exists", httpStatus: 409 },
  PERMISSION_DENIED: { code: "permission_denied", httpStatus: 403 },
  RESOURCE_EXHAUSTED: { code: "resource_exhausted", httpStatus: 429 },
  FAILED_PRECONDITION: { code: "failed_precondition", httpStatus: 400 },
  ABORTED: { code: "aborted", httpStatus: 409 },
  OUT_OF_RANGE: { code: "out_of_range", httpStatus: 400 },
  UNIMPLEMENTED: { code: "unimplemented", httpStatus: 501 },
  INTERNAL: { code: "internal", httpStatus: 500 },
  UNAVAILABLE: { code: "unavailable", httpStatus: 503 },
  DATA_LOSS: { code: "data_loss", httpStatus: 500 },
  UNAUTHENTICATED: { code: "unauthenticated", httpStatus: 401 },
};

/** An error as Connect has it in JSON. */
export interface ConnectErrorJson {
  readonly code: string;
  readonly message?: string;
}

/** The error of a status and the HTTP status that goes with it; undefined for OK. */
export function connectErrorOf(
  status: RpcStatus,
): { readonly json: ConnectErrorJson; readonly httpStatus: number } | undefined {
  const name = statusName(status.code);
  if (name === "OK") return undefined;
  const { code, httpStatus } = connectCodes[name];
  const { message } = status;
  return { json: message === "" ? { code } : { code, message }, httpStatus };
}
