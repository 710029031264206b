import { isReason, type Reason } from "../core/error-catalog.js";
import { emptyMetadata, type MetadataView, metadataText } from "../core/metadata.js";
import { retryAfterFromText } from "../core/retry-after.js";
import { shownText, withoutSecret } from "../core/shown-text.js";
import { isStatusName, Status, statusFromHttp } from "../core/status.js";
import { localEnd } from "./local-end.js";
import type { AttemptEnd } from "./transport.js";

/** How much of a body an error's message shows, in characters. */
const SHOWN_CHARACTERS = 200;

/** What is longer is no error of a host. */
const LONGEST_ERROR_BYTES = 64 * 1024;

/** What a gateway says when nothing is behind it. */
const NOBODY_THERE = "no healthy upstream";

/** The end of an attempt that was answered with 200. */
export const httpOk: AttemptEnd = {
  code: Status.OK,
  message: "",
  trailers: emptyMetadata,
  reason: undefined,
  remote: true,
};

/**
 * What a status says by itself.
 *
 * Source: EAS "status codes of the service".
 */
const reasons: Readonly<Record<number, Reason>> = {
  401: "UNAUTHENTICATED",
  408: "DEADLINE_EXCEEDED",
  413: "MESSAGE_TOO_LARGE",
  429: "RATE_LIMITED",
  450: "QUEUE_FULL",
};

/**
 * Says in the catalogue's words what an answer other than 200 means; a host of the kit says it in its body.
 *
 * @param secret - the authorization that was sent: a service that gives requests back must not bring it into a message
 */
export function httpEnd(
  status: number,
  headers: MetadataView,
  body: Uint8Array,
  secret?: string,
): AttemptEnd {
  const said = hostError(body);
  const text = bodyText(body);
  const refused = status === 503 && text.toLowerCase().includes(NOBODY_THERE);
  const shown = shownText(withoutSecret(said?.message ?? text, secret), SHOWN_CHARACTERS);
  const http = {
    status,
    body,
    retryAfterMs: said?.retryAfterMs ?? retryAfterFromText(metadataText(headers, "retry-after")),
  };
  return {
    code: said?.code ?? statusFromHttp(status),
    message: shown === "" ? `HTTP ${status} without a body` : `HTTP ${status}: ${shown}`,
    trailers: headers,
    reason: said?.reason ?? (refused ? "CALL_REFUSED" : (reasons[status] ?? "CALL_FAILED")),
    remote: true,
    http,
  };
}

/**
 * A connection that broke after the request may have been sent, or an answer that is not HTTP.
 *
 * @param error - what the engine or Node says
 */
export function brokenEnd(error: Error): AttemptEnd {
  const code = errorCode(error);
  if (refusedHandshake.test(code)) return localEnd("CONNECT_FAILED", error.message);
  // undici's parser gives no code. An answer that ends too early is a connection that was lost on the way,
  // and so may be one whose length is not what it said.
  const unparsed = error.name === "HTTPParserError" && !error.message.includes("EOF");
  const malformed =
    unparsed || code === "UND_ERR_HEADERS_OVERFLOW" || malformedTexts.has(error.message);
  return localEnd(malformed ? "ANSWER_MALFORMED" : "CONNECTION_LOST", error.message);
}

/** What undici says, without a code of its own, of a 101 or 100 that nobody asked for. */
const malformedTexts: ReadonlySet<string> = new Set(["bad upgrade", "bad response"]);

/**
 * With TLS 1.3 a server judges the client's certificate after the client thinks the handshake done; until it agrees, no
 * byte of a request reaches what is behind it.
 */
const refusedHandshake =
  /^ERR_SSL_.*ALERT_(HANDSHAKE_FAILURE|(NO|BAD|UNSUPPORTED)_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED)$/;

function errorCode(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

interface HostError {
  readonly reason: Reason;
  readonly code: Status | undefined;
  readonly message: string | undefined;
  readonly retryAfterMs: number | undefined;
}

/** `{"error": {"code", "reason", "message", "retryAfterMs"}}`, when the reason is one of the catalogue's. */
function hostError(body: Uint8Array): HostError | undefined {
  if (body[0] !== 0x7b || body.length > LONGEST_ERROR_BYTES) return undefined;
  const error = member(parsed(body), "error");
  const reason = member(error, "reason");
  if (typeof reason !== "string" || !isReason(reason)) return undefined;
  const code = member(error, "code");
  const message = member(error, "message");
  const retryAfterMs = member(error, "retryAfterMs");
  return {
    reason,
    code: isStatusName(code) ? Status[code] : undefined,
    message: typeof message === "string" ? message : undefined,
    retryAfterMs: typeof retryAfterMs === "number" && retryAfterMs >= 0 ? retryAfterMs : undefined,
  };
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch {
    // Not a host's error, then; the body is shown as it is.
    return undefined;
  }
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

/** The beginning of a body; a character has four bytes at most. */
function bodyText(body: Uint8Array): string {
  const start = body.subarray(0, SHOWN_CHARACTERS * 4 + 4);
  return new TextDecoder().decode(start);
}
