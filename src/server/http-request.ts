import type { IncomingMessage, ServerResponse } from "node:http";
import { addressText } from "../core/instance.js";
import type { MetadataValue, MetadataView } from "../core/metadata.js";
import { servingError } from "../core/serving-error.js";
import type { HttpReply, HttpRequest } from "./http.js";
import type { RequestHead } from "./request-head.js";

/** Chunks that are held one by one; more are joined, so that a flood of tiny ones costs no more than its bytes. */
const MAX_CHUNKS = 256;

class HttpHeadersView implements MetadataView {
  readonly #headers: IncomingMessage["headers"];

  constructor(headers: IncomingMessage["headers"]) {
    this.#headers = headers;
  }

  get(key: string): MetadataValue | undefined {
    const value = this.#headers[key];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  *entries(): Iterable<readonly [string, MetadataValue]> {
    for (const key of Object.keys(this.#headers)) {
      const value = this.get(key);
      if (value !== undefined) yield [key, value];
    }
  }
}

/** One request on node:http. */
export class NodeHttpRequest implements HttpRequest, RequestHead {
  readonly kind = "http";
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: MetadataView;
  readonly arrivedMs: number;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #maxBodyBytes: number;
  readonly #closing: () => boolean;
  #continueWanted: boolean;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    options: {
      readonly arrivedMs: number;
      readonly maxBodyBytes: number;
      /** Whether the port is draining, so that every answer closes its connection. */
      readonly closing: () => boolean;
      readonly continueWanted: boolean;
    },
  ) {
    this.#request = request;
    this.#response = response;
    this.#maxBodyBytes = options.maxBodyBytes;
    this.#closing = options.closing;
    this.#continueWanted = options.continueWanted;
    this.arrivedMs = options.arrivedMs;
    this.method = request.method ?? "GET";
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? "" : url.slice(mark + 1);
    this.headers = new HttpHeadersView(request.headers);
  }

  get metadata(): MetadataView {
    return this.headers;
  }

  get peer(): string {
    const { remoteAddress = "", remotePort = 0 } = this.#request.socket;
    return addressText(remoteAddress, remotePort);
  }

  readBody(): Promise<Uint8Array> {
    const declared = Number(this.#request.headers["content-length"] ?? 0);
    if (declared > this.#maxBodyBytes) return Promise.reject(this.#tooLarge(declared));
    if (this.#continueWanted) {
      this.#continueWanted = false;
      this.#response.writeContinue();
    }
    return new Promise((resolve, reject) => this.#collect(resolve, reject));
  }

  #collect(resolve: (body: Uint8Array) => void, reject: (error: Error) => void): void {
    const request = this.#request;
    let chunks: Buffer[] = [];
    let size = 0;
    // A request is closed after its end as well, where it means nothing any more.
    let ended = false;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > this.#maxBodyBytes) {
        ended = true;
        chunks = [];
        request.removeAllListeners("data");
        request.pause();
        reject(this.#tooLarge(size));
        return;
      }
      chunks.push(chunk);
      if (chunks.length > MAX_CHUNKS) chunks = [Buffer.concat(chunks, size)];
    });
    request.on("end", () => {
      ended = true;
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size));
    });
    request.on("close", () => {
      if (ended) return;
      reject(servingError("CANCELLED", "the caller went away before its body was complete"));
    });
  }

  #tooLarge(bytes: number): Error {
    return servingError(
      "MESSAGE_TOO_LARGE",
      `the body is ${bytes} bytes or more, at most ${this.#maxBodyBytes} are taken`,
    );
  }

  reply(reply: HttpReply): void {
    const response = this.#response;
    if (response.headersSent || response.destroyed) return;
    const { status, headers, body = "" } = reply;
    const length = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
    // A body nobody reads keeps the connection busy: better to end it than to drain it.
    const close = reply.close === true || this.#closing() || this.#bodyPending();
    response.writeHead(status, {
      ...headers,
      ...(close ? { connection: "close" } : {}),
      "content-length": length,
    });
    response.end(this.method === "HEAD" ? undefined : body);
  }

  #bodyPending(): boolean {
    if (this.#request.complete) return false;
    const { "content-length": length = "0", "transfer-encoding": coding } = this.#request.headers;
    return length !== "0" || coding !== undefined;
  }

  async replyInPieces(
    head: Omit<HttpReply, "body">,
    pieces: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const response = this.#response;
    if (response.headersSent || response.destroyed) return;
    const close = head.close === true || this.#closing();
    response.writeHead(head.status, { ...head.headers, ...(close ? { connection: "close" } : {}) });
    response.flushHeaders();
    try {
      for await (const piece of pieces) {
        if (response.destroyed) return;
        if (!response.write(piece)) await writable(response);
      }
      response.end();
    } catch (thrown) {
      response.destroy();
      throw thrown;
    }
  }

  onClose(listener: () => void): void {
    const response = this.#response;
    response.once("close", () => {
      if (!response.writableFinished) listener();
    });
  }
}

function writable(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
}
