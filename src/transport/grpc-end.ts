import type { StatusObject } from "@grpc/grpc-js";
import { errorCatalog, isReason, type Reason } from "../core/error-catalog.js";
import { emptyMetadata, type MetadataView, metadataText } from "../core/metadata.js";
import { Status, statusFromCode } from "../core/status.js";
import { REASON_TRAILER } from "../core/trailers.js";
import { grpcMetadataView } from "./grpc-metadata.js";
import { localEnd } from "./local-end.js";
import type { AttemptEnd } from "./transport.js";

/** What the transport saw of an attempt besides its status. */
export interface AttemptSight {
  /** Response headers arrived, so the connection worked and the instance has begun to answer. */
  readonly headers: boolean;
  /** The attempt was cancelled from this side. */
  readonly cancelled: boolean;
}

const ok: AttemptEnd = {
  code: Status.OK,
  message: "",
  trailers: emptyMetadata,
  reason: undefined,
  remote: true,
};

/**
 * What grpc-js says when the failure is its own, by the beginning of the text.
 *
 * grpc-js drops the facts (`progress`, `rstCode`) on the way up and leaves only code and text, so the texts are what there
 * is to go by. Each row has a test over real sockets, so that an upgrade that changes one is noticed.
 */
const ownTexts: readonly (readonly [text: RegExp, code: Status | undefined, reason: Reason])[] = [
  // Never left: no connection, or the stream could not be opened on it any more.
  [/^No connection established/, Status.UNAVAILABLE, "CONNECT_FAILED"],
  [/^Name resolution failed/, Status.UNAVAILABLE, "CONNECT_FAILED"],
  [/^Channel closed before call started/, Status.UNAVAILABLE, "CONNECT_FAILED"],
  [/^Failed to start HTTP\/2 stream/, Status.INTERNAL, "CONNECT_FAILED"],
  // RST_STREAM with REFUSED_STREAM, also for streams above the last one that a GOAWAY names: nothing was done.
  [/^Stream refused by server/, Status.UNAVAILABLE, "CALL_REFUSED"],
  [/^Connection dropped/, Status.UNAVAILABLE, "CONNECTION_LOST"],
  [/ECONNRESET|ETIMEDOUT|EPIPE/, Status.UNAVAILABLE, "CONNECTION_LOST"],
  // A reset with CANCEL that nobody here asked for: grpc-js servers end streams so when they are shut down by force, and
  // Node makes one up when a connection breaks.
  [/^Call cancelled/, Status.CANCELLED, "CONNECTION_LOST"],
  [/^Write (error|failed)/, Status.UNAVAILABLE, "CONNECTION_LOST"],
  [/triggered by internal client error/, Status.INTERNAL, "CONNECTION_LOST"],
  [/^Deadline exceeded/, Status.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"],
  [/^Received message larger than max/, Status.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE"],
  [/^Received message that decompresses/, Status.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE"],
  [/^Attempted to send message with a size/, Status.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE"],
  // A reset stream without a status.
  [/^(Received RST_STREAM|Bandwidth exhausted|Protocol not secure)/, undefined, "CALL_FAILED"],
];

/** These two cannot come after headers: there was a connection, and the instance took the call. */
const onlyBeforeHeaders: ReadonlySet<Reason> = new Set(["CONNECT_FAILED", "CALL_REFUSED"]);

/** Says in the catalogue's words how an attempt ended. */
export function attemptEnd(status: StatusObject, sight: AttemptSight): AttemptEnd {
  const trailers = grpcMetadataView(status.metadata);
  // grpc-js passes an Error for a status when a message says that it is compressed and the headers do not say how.
  if (status.details === undefined) {
    return {
      ...localEnd("ANSWER_MALFORMED", "the answer does not say how it is compressed"),
      trailers,
    };
  }
  if (status.code === 0) return { ...ok, trailers };
  const code = statusFromCode(status.code);
  const local = sight.cancelled ? cancelledReason(code) : ownReason(status, code, sight);
  if (local !== undefined) {
    // grpc-js's code is not always what it means: a stream that could not be opened is INTERNAL to it.
    const mapped = sight.cancelled || local === "CALL_FAILED" ? code : errorCatalog[local].code;
    return {
      code: mapped,
      message: ownText(status.details),
      trailers,
      reason: local,
      remote: false,
    };
  }
  return remoteEnd(code, status.details, trailers);
}

/** grpc-js's text without its note on the resolution of names, where that is empty. */
function ownText(details: string): string {
  return details.replace(/\.? Resolution note: ;?\s*$/, "");
}

/** The end that an instance has told of. */
export function remoteEnd(code: Status, message: string, trailers: MetadataView): AttemptEnd {
  if (code === Status.OK) return { ...ok, trailers };
  return { code, message, trailers, reason: remoteReason(trailers, code), remote: true };
}

function cancelledReason(code: Status): Reason {
  if (code === Status.CANCELLED) return "CANCELLED";
  return code === Status.DEADLINE_EXCEEDED ? "DEADLINE_EXCEEDED" : "CALL_FAILED";
}

function ownReason(status: StatusObject, code: Status, sight: AttemptSight): Reason | undefined {
  // An instance that fails a call without a body sends its status with the headers, content type included; one that
  // fails it later may send trailers. grpc-js's own statuses carry nothing.
  if (Object.keys(status.metadata.getMap()).length > 0) return undefined;
  for (const [text, ownCode, reason] of ownTexts) {
    if (ownCode !== undefined && ownCode !== code) continue;
    if (sight.headers && onlyBeforeHeaders.has(reason)) continue;
    if (text.test(status.details)) return reason;
  }
  if (sight.headers) return undefined;
  return code === Status.UNAVAILABLE ? "CONNECTION_LOST" : "CALL_FAILED";
}

function remoteReason(trailers: MetadataView, code: Status): Reason {
  const named = metadataText(trailers, REASON_TRAILER);
  if (isReason(named)) return named;
  return code === Status.DEADLINE_EXCEEDED ? "DEADLINE_EXCEEDED" : "CALL_FAILED";
}
