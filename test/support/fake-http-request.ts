import { metadataOf } from "../../src/core/metadata.js";
import { servingError } from "../../src/core/serving-error.js";
import type { HttpReply, HttpRequest } from "../../src/server/http.js";

/** A request without a socket, and what it was answered. */
export interface FakeHttpRequest extends HttpRequest {
  readonly replies: readonly HttpReply[];
  /** What the first reply's body is as JSON. */
  readonly json: unknown;
  /** The caller goes away. */
  leave(): void;
}

/** Makes a request: `POST /path?query`, or GET without a body. */
export function fakeHttpRequest(
  method: string,
  target: string,
  body: string | Uint8Array = "",
  headers: Readonly<Record<string, string>> = { "x-test": "yes" },
): FakeHttpRequest {
  const [path = "", query = ""] = target.split("?");
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const replies: HttpReply[] = [];
  const listeners: (() => void)[] = [];
  return {
    method,
    path,
    query,
    headers: metadataOf(headers),
    peer: "127.0.0.1:1234",
    arrivedMs: 1_000_000,
    async readBody({ maxBytes = Number.POSITIVE_INFINITY, decode } = {}) {
      if (bytes.length <= maxBytes) return decode === undefined ? bytes : decode(bytes);
      throw servingError("MESSAGE_TOO_LARGE", `more than ${maxBytes} bytes`);
    },
    reply: (reply) => {
      replies.push(reply);
    },
    replyInPieces: () => Promise.reject(new Error("builtins answer in one piece")),
    breakOff() {},
    onClose: (listener) => {
      listeners.push(listener);
    },
    replies,
    get json() {
      return JSON.parse(String(replies[0]?.body));
    },
    leave() {
      for (const listener of listeners) listener();
    },
  };
}
