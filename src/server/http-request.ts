import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { addressText } from "../core/instance.js";
import { nextLoopTurn } from "../core/loop-turns.js";
import type { MetadataValue, MetadataView } from "../core/metadata.js";
import type { Clock } from "../core/ports.js";
import type { BodyBudget } from "./body-budget.js";
import { BodyReader } from "./body-reader.js";
import type { Cors } from "./cors.js";
import type { HttpHeaders, HttpReply, HttpRequest, ReadBodyOptions } from "./http.js";
import type { ServerLimits } from "./limits.js";
import { linger } from "./linger.js";
import type { RequestHead } from "./request-head.js";

/** What all requests of one port share. */
export interface HttpPort {
  readonly limits: ServerLimits;
  readonly clock: Clock;
  readonly budget: BodyBudget;
  /** Undefined where pages of other origins may not call. */
  readonly cors: Cors | undefined;
  /** Connections on which an answer in pieces is under way. */
  readonly answering: WeakSet<Socket>;
  /** Connections whose last answer has been given: nothing may follow it. */
  readonly closing: WeakSet<Socket>;
  /** Whether the port is draining, so that every answer closes its connection. */
  readonly draining: boolean;
}

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

/** As much of an answer goes out at most before other connections, timers and signals have their turn. */
const PIECES_IN_A_TURN = 16;
const BYTES_IN_A_TURN = 64 * 1024;

/** One request on node:http. */
export class NodeHttpRequest implements HttpRequest, RequestHead {
  readonly kind = "http";
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly target: string;
  readonly headers: MetadataView;
  readonly arrivedMs: number;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #port: HttpPort;
  readonly #continueWanted: boolean;
  #closeListener: (() => void) | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    port: HttpPort,
    continueWanted: boolean,
  ) {
    this.#request = request;
    this.#response = response;
    this.#port = port;
    this.#continueWanted = continueWanted;
    this.arrivedMs = port.clock.now();
    this.method = request.method ?? "GET";
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    this.target = url;
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

  readBody(options: ReadBodyOptions = {}): Promise<Uint8Array> {
    const { limits, budget } = this.#port;
    const maxBytes = Math.min(options.maxBytes ?? limits.maxMessageBytes, limits.maxMessageBytes);
    const reader = new BodyReader(this.#request, budget, { ...options, maxBytes });
    if (this.#continueWanted && !reader.tooLong) this.#response.writeContinue();
    return reader.read();
  }

  reply(reply: HttpReply): void {
    const response = this.#response;
    if (response.headersSent || this.#request.socket.destroyed) return;
    const { status, body = "" } = reply;
    const length = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
    // A body nobody reads keeps the connection busy: better to end it than to drain it.
    const pending = this.#bodyPending();
    const close = reply.close === true || this.#port.draining || pending;
    if (close) this.#port.closing.add(this.#request.socket);
    if (pending) this.#closeLater();
    response.writeHead(status, {
      ...this.#answerHeaders(reply.headers),
      ...(close ? { connection: "close" } : {}),
      "content-length": length,
    });
    response.end(this.method === "HEAD" ? undefined : body);
    this.#forgetClose();
    this.#watchReader();
  }

  #answerHeaders(headers: HttpHeaders = {}): HttpHeaders {
    const { cors } = this.#port;
    return cors === undefined ? headers : { ...headers, ...cors.headersFor(this, headers) };
  }

  #bodyPending(): boolean {
    if (this.#request.complete) return false;
    const { "content-length": length = "0", "transfer-encoding": coding } = this.#request.headers;
    return length !== "0" || coding !== undefined;
  }

  /** Has node:http end the connection behind the answer instead of breaking it; what still comes of the body is dropped. */
  #closeLater(): void {
    const { socket } = this.#request;
    socket.destroySoon = () => {
      socket.end();
      this.#request.resume();
      linger(socket, this.#port.clock);
    };
  }

  /** Whoever takes nothing of an answer for so long is let go, with the memory that the answer holds. */
  #watchReader(): void {
    if (this.#request.socket.writableLength > 0) {
      this.#response.setTimeout(this.#port.limits.idleTimeoutMs);
    }
  }

  async replyInPieces(
    head: Omit<HttpReply, "body">,
    pieces: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const response = this.#response;
    const { socket } = this.#request;
    if (response.headersSent || socket.destroyed) return;
    const close = head.close === true || this.#port.draining;
    response.writeHead(head.status, {
      ...this.#answerHeaders(head.headers),
      ...(close ? { connection: "close" } : {}),
    });
    response.flushHeaders();
    this.#port.answering.add(socket);
    try {
      let [count, bytes] = [0, 0];
      for await (const piece of pieces) {
        if (socket.destroyed) return;
        count += 1;
        bytes += piece.byteLength;
        if (!response.write(piece)) await writable(response, socket);
        // What is written and taken at once never leaves this turn of the event loop: nobody else would get one.
        else if (count >= PIECES_IN_A_TURN || bytes >= BYTES_IN_A_TURN) await nextLoopTurn();
        else continue;
        [count, bytes] = [0, 0];
      }
      response.end();
      this.#forgetClose();
      this.#watchReader();
      // A drain that began meanwhile waits for this connection, whose head has promised to keep it.
      if (this.#port.draining) response.once("finish", () => socket.destroySoon());
    } catch (thrown) {
      this.breakOff();
      throw thrown;
    } finally {
      this.#port.answering.delete(socket);
    }
  }

  breakOff(): void {
    this.#request.socket.destroy();
  }

  // The socket's close and not the response's: of several pipelined responses only the first one has that.
  onClose(listener: () => void): void {
    this.#closeListener = listener;
    this.#request.socket.once("close", listener);
  }

  #forgetClose(): void {
    if (this.#closeListener !== undefined) this.#request.socket.off("close", this.#closeListener);
  }
}

function writable(response: ServerResponse, socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done);
      socket.off("close", done);
      resolve();
    };
    response.on("drain", done);
    socket.on("close", done);
  });
}
