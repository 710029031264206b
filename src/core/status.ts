/**
 * The gRPC status codes, by name.
 *
 * Source: https://grpc.github.io/grpc/core/md_doc_statuscodes.html
 */
export const Status = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** One of the seventeen gRPC status codes. */
export type Status = (typeof Status)[keyof typeof Status];

/** Name of a gRPC status. */
export type StatusName = keyof typeof Status;

const names: readonly StatusName[] = Object.keys(Status) as StatusName[];

/** Tells the name of a status code; a number outside 0..16 is `UNKNOWN`, as gRPC demands of receivers. */
export function statusName(code: number): StatusName {
  return names[code] ?? "UNKNOWN";
}

/** Takes a number from the wire for a status; anything outside 0..16 is UNKNOWN. */
export function statusFromCode(code: number): Status {
  return Status[statusName(code)];
}

/**
 * The gRPC status for the HTTP status of an answer that names none, in EAS's dialect; what is not listed is UNKNOWN. Not
 * gRPC's own table for that case, which is for proxies that a gRPC client has strayed to: there 400 is INTERNAL and 429
 * UNAVAILABLE.
 *
 * Source: EAS "status codes of the service", and for the rest
 * https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
 */
const statusOfHttp: Readonly<Record<number, Status>> = {
  400: Status.INVALID_ARGUMENT,
  401: Status.UNAUTHENTICATED,
  403: Status.PERMISSION_DENIED,
  404: Status.NOT_FOUND,
  405: Status.UNIMPLEMENTED,
  408: Status.DEADLINE_EXCEEDED,
  409: Status.ABORTED,
  412: Status.FAILED_PRECONDITION,
  413: Status.RESOURCE_EXHAUSTED,
  416: Status.OUT_OF_RANGE,
  429: Status.RESOURCE_EXHAUSTED,
  431: Status.RESOURCE_EXHAUSTED,
  450: Status.UNAVAILABLE,
  499: Status.CANCELLED,
  500: Status.INTERNAL,
  501: Status.UNIMPLEMENTED,
  502: Status.UNAVAILABLE,
  503: Status.UNAVAILABLE,
  504: Status.DEADLINE_EXCEEDED,
};

/** Takes the HTTP status of an answer that names no gRPC status for one. */
export function statusFromHttp(httpStatus: number): Status {
  return statusOfHttp[httpStatus] ?? Status.UNKNOWN;
}

/** Tells whether a text from the wire names a status. */
export function isStatusName(text: unknown): text is StatusName {
  return typeof text === "string" && Object.hasOwn(Status, text);
}

/**
 * The HTTP status for a gRPC status, on doors that follow the google.rpc convention (the directory's JSON).
 *
 * Source: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
 */
export const httpFromStatus: Readonly<Record<StatusName, number>> = {
  OK: 200,
  CANCELLED: 499,
  UNKNOWN: 500,
  INVALID_ARGUMENT: 400,
  DEADLINE_EXCEEDED: 504,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  FAILED_PRECONDITION: 400,
  ABORTED: 409,
  OUT_OF_RANGE: 400,
  UNIMPLEMENTED: 501,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DATA_LOSS: 500,
  UNAUTHENTICATED: 401,
};
