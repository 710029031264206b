import type { MetadataView } from "../core/metadata.js";

/** Response headers; lower-case names. */
export type HttpHeaders = Readonly<Record<string, string>>;

/** An answer in one piece. */
export interface HttpReply {
  readonly status: number;
  readonly headers?: HttpHeaders;
  readonly body?: Uint8Array | string;
  /** Closes the connection behind the answer. */
  readonly close?: boolean;
}

/** How a body is read. */
export interface ReadBodyOptions {
  /** Longest body that is taken; the port's `maxMessageBytes` when left out, which is never exceeded. */
  readonly maxBytes?: number | undefined;
  /** What the limit is one of, for the message: `JSON`. */
  readonly limited?: string | undefined;
  /** Makes something else of the whole body; until that has ended, the body counts as one that is being received. */
  readonly decode?: ((body: Uint8Array) => Promise<Uint8Array>) | undefined;
  /**
   * Tells where the bulk of a body begins, from its first bytes (1,024, or all that there are, or more): what arrived in
   * several pieces is joined so that the bulk comes to stand at a multiple of 8 in its ArrayBuffer. Undefined: no matter.
   */
  readonly bulkOffset?: ((head: Uint8Array) => number | undefined) | undefined;
}

/** One HTTP/1.1 request whose headers have arrived and been let in; its body has not been read. */
export interface HttpRequest {
  /** `GET`, `POST`, ... */
  readonly method: string;
  /** Path as received, percent-encoding untouched, without the query. */
  readonly path: string;
  /** Query as received, without `?`; empty when there is none. */
  readonly query: string;
  readonly headers: MetadataView;
  /** `address:port` of the caller. */
  readonly peer: string;
  /** When the headers arrived, on the clock of the port. */
  readonly arrivedMs: number;
  /**
   * Reads the whole body; once.
   *
   * @throws HostError `MESSAGE_TOO_LARGE` before more than `maxBytes` is held, CallError `CANCELLED`
   * when the caller goes away first; what `decode` throws.
   */
  readBody(options?: ReadBodyOptions): Promise<Uint8Array>;
  /** Answers in one piece; only the first answer counts. */
  reply(reply: HttpReply): void;
  /**
   * Answers in pieces, chunked, at the caller's pace; a piece that throws breaks the connection, so that the caller can
   * tell a torn answer from a whole one.
   */
  replyInPieces(head: Omit<HttpReply, "body">, pieces: AsyncIterable<Uint8Array>): Promise<void>;
  /** Breaks the connection, so that the caller can tell a torn answer from a whole one. */
  breakOff(): void;
  /** Calls back once when the caller goes away before the answer is complete. */
  onClose(listener: () => void): void;
}

/** Answers HTTP requests; what it throws is answered by the port from the error's catalogue row. */
export type HttpHandler = (request: HttpRequest) => void | Promise<void>;
