import { Status } from "./status.js";

/** Who has to act on an error: the caller's code, the operator of discovery, the called service, the processor's author, the operator of the host. */
export type ErrorKind = "config" | "discovery" | "call" | "processor" | "host";

/** Name of what happened; the catalogue has a row for each. */
export type Reason =
  | "INVALID_OPTION"
  | "UNKNOWN_OPTION"
  | "INVALID_TARGET"
  | "NO_INSTANCE"
  | "LIST_TIMEOUT"
  | "SERVICE_UNKNOWN"
  | "DIRECTORY_FAILED"
  | "UPSTREAM_MALFORMED"
  | "CALL_FAILED"
  | "CONNECT_FAILED"
  | "CALL_REFUSED"
  | "CONNECTION_LOST"
  | "DEADLINE_EXCEEDED"
  | "CANCELLED"
  | "CLIENT_CLOSED"
  | "ANSWER_MALFORMED"
  | "PROCESSOR_THREW"
  | "PROCESSOR_BAD_ANSWER"
  | "INITIALIZE_FAILED"
  | "QUEUE_FULL"
  | "RATE_LIMITED"
  | "LANE_DIED"
  | "REQUEST_QUARANTINED"
  | "DRAINING"
  | "NOT_READY"
  | "ABORTED_BY_STOP"
  | "UNAUTHENTICATED"
  | "FORBIDDEN"
  | "MESSAGE_TOO_LARGE"
  | "HEADERS_TOO_LARGE"
  | "MALFORMED_REQUEST"
  | "UNKNOWN_ROUTE"
  | "UNKNOWN_SERVICE"
  | "UNKNOWN_BUILTIN"
  | "UNKNOWN_FUNCTION"
  | "UNKNOWN_PROPERTY"
  | "PROPERTY_REFUSED"
  | "ALREADY_RUNNING"
  | "METHOD_NOT_ALLOWED"
  | "STREAM_NEEDED"
  | "LEASE_UNKNOWN"
  | "SHARES_CHANGED"
  | "STORE_FAILED"
  | "STORE_DAMAGED"
  | "STORE_IN_USE"
  | "ADDRESS_IN_USE"
  | "UNKNOWN_CONTENT_TYPE"
  | "NOT_OVER_WEB"
  | "PROTO_INVALID"
  | "GENERATED_STALE"
  | "PEER_MISSING"
  | "INTERNAL";

/** One row of the catalogue. */
export interface CatalogEntry {
  readonly kind: ErrorKind;
  readonly code: Status;
  /** True when no work was done, so that the same call may be sent to another instance. */
  readonly safeToRepeat: boolean;
  /** What happened, in one line. */
  readonly meaning: string;
  /** What to do, in one line. */
  readonly advice: string;
}

function entry(
  kind: ErrorKind,
  code: Status,
  meaning: string,
  advice: string,
  options?: { safeToRepeat: true },
): CatalogEntry {
  return { kind, code, meaning, advice, safeToRepeat: options?.safeToRepeat ?? false };
}

const refused: { safeToRepeat: true } = { safeToRepeat: true };

/** Every reason with its code, meaning and advice: the only list. */
export const errorCatalog: Readonly<Record<Reason, CatalogEntry>> = {
  INVALID_OPTION: entry(
    "config",
    Status.INVALID_ARGUMENT,
    "an option or argument has a value that makes no sense",
    "correct the value that the message names",
  ),
  UNKNOWN_OPTION: entry(
    "config",
    Status.INVALID_ARGUMENT,
    "an option of that name does not exist",
    "use the nearest name that the message gives, or leave it out",
  ),
  INVALID_TARGET: entry(
    "config",
    Status.INVALID_ARGUMENT,
    "a target cannot be read",
    "write it in one of the forms that the message gives",
  ),

  NO_INSTANCE: entry(
    "discovery",
    Status.UNAVAILABLE,
    "the list of instances is empty, or every weight is 0",
    "start an instance, or give one a weight above 0",
  ),
  LIST_TIMEOUT: entry(
    "discovery",
    Status.UNAVAILABLE,
    "no list of instances arrived in time",
    "check that the directory runs and that the target names it",
  ),
  SERVICE_UNKNOWN: entry(
    "discovery",
    Status.UNAVAILABLE,
    "the directory does not know the service",
    "check the service's name, and that a host registers it",
  ),
  DIRECTORY_FAILED: entry(
    "discovery",
    Status.UNAVAILABLE,
    "what lists the instances could not be reached or answered with an error",
    "check its address, the token or rights it wants, and its log",
  ),
  UPSTREAM_MALFORMED: entry(
    "discovery",
    Status.INTERNAL,
    "a discovery answer does not have the expected shape",
    "check that the address is a directory's",
  ),

  CALL_FAILED: entry(
    "call",
    Status.UNKNOWN,
    "the called service answered with an error",
    "act on the code; the message is the service's own",
  ),
  CONNECT_FAILED: entry(
    "call",
    Status.UNAVAILABLE,
    "no connection to an instance could be made",
    "check that the instance runs and that the network lets you reach it",
    refused,
  ),
  CALL_REFUSED: entry(
    "call",
    Status.UNAVAILABLE,
    "an instance refused the call before doing any work",
    "send it again, to another instance",
    refused,
  ),
  CONNECTION_LOST: entry(
    "call",
    Status.UNAVAILABLE,
    "the connection broke while the call was under way",
    "send it again only if doing the work twice is harmless",
  ),
  DEADLINE_EXCEEDED: entry(
    "call",
    Status.DEADLINE_EXCEEDED,
    "the call did not end within its time",
    "raise timeoutMs, or find out why the service is slow",
  ),
  CANCELLED: entry(
    "call",
    Status.CANCELLED,
    "the caller gave the call up",
    "nothing, if that was intended",
  ),
  CLIENT_CLOSED: entry(
    "call",
    Status.CANCELLED,
    "the client was closed before the call ended",
    "close the client after its last call",
  ),
  ANSWER_MALFORMED: entry(
    "call",
    Status.INTERNAL,
    "the service's answer cannot be read as what the request expects",
    "check that request and service are of one kind, and how answers are compressed",
  ),

  PROCESSOR_THREW: entry(
    "processor",
    Status.UNKNOWN,
    "process(), or a method of a typed service, threw something that is not a ServerError",
    "read the host's log; throw a ServerError for errors that callers should see",
  ),
  PROCESSOR_BAD_ANSWER: entry(
    "processor",
    Status.INTERNAL,
    "process() returned something that is not bytes, [bytes, status], an async iterable of bytes or, of a tensor processor, a Map of tensors; or a method, or middleware, something that is no response",
    "return what the message says is expected",
  ),
  INITIALIZE_FAILED: entry("processor", Status.INTERNAL, "initialize() threw", "read the cause"),

  QUEUE_FULL: entry(
    "host",
    Status.UNAVAILABLE,
    "the queue of waiting calls is full",
    "send it to another instance, or later",
    refused,
  ),
  RATE_LIMITED: entry(
    "host",
    Status.RESOURCE_EXHAUSTED,
    "more calls a second than requestsPerSecond allows",
    "send it later, as the pushback says, or to another instance",
    refused,
  ),
  LANE_DIED: entry(
    "host",
    Status.UNAVAILABLE,
    "the lane that ran the call died, or was ended because it hung",
    "send it again only if doing the work twice is harmless; read the host's log",
  ),
  REQUEST_QUARANTINED: entry(
    "host",
    Status.FAILED_PRECONDITION,
    "this very request was being worked on when two lanes in a row died",
    "do not send it again; find out in the host's log what it does to the processor",
  ),
  DRAINING: entry(
    "host",
    Status.UNAVAILABLE,
    "the host is stopping and takes no new calls",
    "send it to another instance",
    refused,
  ),
  NOT_READY: entry(
    "host",
    Status.UNAVAILABLE,
    "the host is not ready yet",
    "send it to another instance, or later",
    refused,
  ),
  ABORTED_BY_STOP: entry(
    "host",
    Status.UNAVAILABLE,
    "the host stopped before the call ended",
    "send it again only if doing the work twice is harmless",
  ),
  UNAUTHENTICATED: entry(
    "host",
    Status.UNAUTHENTICATED,
    "the token is missing or wrong",
    "send the token that the message names: a host's as token, a directory's as directoryToken",
  ),
  FORBIDDEN: entry(
    "host",
    Status.PERMISSION_DENIED,
    "the caller may not do this",
    "use the admin token, or call from the host's own machine",
  ),
  MESSAGE_TOO_LARGE: entry(
    "host",
    Status.RESOURCE_EXHAUSTED,
    "a message is larger than the limit",
    "send less, or raise maxMessageBytes on both sides",
  ),
  HEADERS_TOO_LARGE: entry(
    "host",
    Status.RESOURCE_EXHAUSTED,
    "the headers are too many or too large",
    "send fewer",
  ),
  MALFORMED_REQUEST: entry(
    "host",
    Status.INVALID_ARGUMENT,
    "a request does not have the expected shape",
    "correct what the message names",
  ),
  UNKNOWN_ROUTE: entry(
    "host",
    Status.UNIMPLEMENTED,
    "nothing answers at that path",
    "check the path; the builtin eastool lists those that are answered",
  ),
  UNKNOWN_SERVICE: entry(
    "host",
    Status.NOT_FOUND,
    "no processor of that name is hosted",
    "check the name",
  ),
  UNKNOWN_BUILTIN: entry(
    "host",
    Status.NOT_FOUND,
    "there is no builtin of that name",
    "use one of the names in the message",
  ),
  UNKNOWN_FUNCTION: entry(
    "host",
    Status.NOT_FOUND,
    "the processor has registered no function of that name",
    "use one of the names in the message",
  ),
  UNKNOWN_PROPERTY: entry(
    "host",
    Status.NOT_FOUND,
    "there is no property of that name",
    "use one of the names that prop lists",
  ),
  PROPERTY_REFUSED: entry(
    "host",
    Status.FAILED_PRECONDITION,
    "a property cannot be changed while the host runs, or not to that value",
    "read the message; nothing has been changed",
  ),
  ALREADY_RUNNING: entry(
    "host",
    Status.RESOURCE_EXHAUSTED,
    "one of the same is under way, and only one may be at a time",
    "wait until it has ended",
  ),
  METHOD_NOT_ALLOWED: entry(
    "host",
    Status.UNIMPLEMENTED,
    "the path does not take that HTTP method",
    "use the method in the message",
  ),
  STREAM_NEEDED: entry(
    "host",
    Status.UNIMPLEMENTED,
    "the processor answers in pieces, which this method cannot carry",
    "call PredictStream, or use HTTP",
  ),
  LEASE_UNKNOWN: entry(
    "host",
    Status.NOT_FOUND,
    "the directory does not know the lease",
    "register anew",
  ),
  SHARES_CHANGED: entry(
    "host",
    Status.ABORTED,
    "the traffic shares of a group are not those that the caller expected; nothing was changed",
    "somebody else has changed them: read them again",
  ),
  STORE_FAILED: entry(
    "host",
    Status.UNAVAILABLE,
    "the directory's store could not be reached or written; nothing was acknowledged",
    "try again; check the store's disk or etcd",
  ),
  STORE_DAMAGED: entry(
    "host",
    Status.DATA_LOSS,
    "the directory's journal holds something that no crash leaves behind",
    "restore the file from a copy, or move it away to start empty",
  ),
  STORE_IN_USE: entry(
    "host",
    Status.FAILED_PRECONDITION,
    "another process has the directory's journal open",
    "stop the other directory, or give this one a journal of its own",
  ),
  ADDRESS_IN_USE: entry(
    "host",
    Status.UNAVAILABLE,
    "the address is taken or cannot be bound",
    "choose another port, or stop what listens there",
  ),
  UNKNOWN_CONTENT_TYPE: entry(
    "host",
    Status.INVALID_ARGUMENT,
    "a method was called over HTTP with a content type that no protocol for the web has",
    "use gRPC-Web or Connect, or gRPC over HTTP/2",
  ),
  NOT_OVER_WEB: entry(
    "host",
    Status.UNIMPLEMENTED,
    "a call over gRPC-Web or Connect wants what these do not have here: client streams, compressed messages, JSON of a service without a descriptor set",
    "do what the message says, or use gRPC over HTTP/2",
  ),
  PROTO_INVALID: entry(
    "config",
    Status.INVALID_ARGUMENT,
    "a proto does not parse, breaks a rule, or cannot be turned into code",
    "correct the place that the message names",
  ),
  GENERATED_STALE: entry(
    "config",
    Status.FAILED_PRECONDITION,
    "generated code does not match its protos",
    "run inferwire generate, and commit",
  ),
  PEER_MISSING: entry(
    "config",
    Status.FAILED_PRECONDITION,
    "a command needs a package that is not installed",
    "run the npm install that the message gives",
  ),
  INTERNAL: entry("host", Status.INTERNAL, "the kit itself failed", "report it with the log"),
};

/** Tells whether a text from the wire names a reason of this catalogue. */
export function isReason(text: string | undefined): text is Reason {
  return text !== undefined && Object.hasOwn(errorCatalog, text);
}
