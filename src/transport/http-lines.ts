import type { ClientRequest, IncomingMessage } from "node:http";
import { ChunkList } from "../core/chunk-list.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import {
  connectionError,
  type HttpHead,
  type HttpQuestion,
  headOf,
  startGet,
} from "./http-connection.js";

/** Milliseconds of silence after which the system asks whether the other side is still there. */
const KEEPALIVE_MS = 30_000;

/** One GET whose answer is told line by line. */
export interface HttpLinesRequest extends HttpQuestion {
  /** A line that is longer ends the stream. */
  readonly maxLineBytes: number;
  readonly listener: HttpLinesListener;
}

/** Told of an answer while it arrives; never after `cancel`, and never from inside the start. */
export interface HttpLinesListener {
  /** Status and headers, before the first line. */
  onHead(head: HttpHead): void;
  /** One line without its end; the last one may have none. */
  onLine(line: string): void;
  /** Comes once and last; undefined when the answer ended as it should. */
  onEnd(error: ServingError | undefined): void;
}

/** A stream of lines. */
export interface HttpLinesStream {
  /** Ends it; its listener hears nothing more. */
  cancel(): void;
}

/** Starts one. */
export type HttpLines = (request: HttpLinesRequest) => HttpLinesStream;

/**
 * Starts a GET on a connection of its own, which keeps no process alive. There is no time limit: how long an answer may
 * stay away, or a line, only its listener knows.
 */
export const httpLines: HttpLines = (request) => new OpenStream(request);

const LINE_END = 0x0a;

class OpenStream implements HttpLinesStream {
  readonly #listener: HttpLinesListener;
  readonly #maxLineBytes: number;
  readonly #sent: ClientRequest;
  /** Of a line whose end has not arrived; whole lines are decoded, for a chunk may end inside a character. */
  #begun: ChunkList = new ChunkList();
  #over = false;

  constructor(request: HttpLinesRequest) {
    this.#listener = request.listener;
    this.#maxLineBytes = request.maxLineBytes;
    const sent = startGet(request);
    this.#sent = sent;
    sent.setSocketKeepAlive(true, KEEPALIVE_MS);
    sent.on("error", (error) => this.#end(connectionError(error)));
    sent.on("response", (response) => this.#read(response));
    sent.end();
  }

  cancel(): void {
    this.#over = true;
    this.#sent.destroy();
  }

  #read(response: IncomingMessage): void {
    if (this.#over) return;
    response.on("data", (chunk: Buffer) => this.#take(chunk));
    response.on("end", () => {
      if (this.#begun.bytes > 0) this.#tellLine(this.#begun.whole());
      this.#end(undefined);
    });
    response.on("error", (error) => this.#end(connectionError(error)));
    this.#listener.onHead(headOf(response));
  }

  #take(chunk: Buffer): void {
    let from = 0;
    while (!this.#over) {
      const end = chunk.indexOf(LINE_END, from);
      const part = chunk.subarray(from, end < 0 ? chunk.length : end);
      if (this.#begun.bytes + part.length > this.#maxLineBytes) {
        const message = `a line is longer than ${this.#maxLineBytes} bytes`;
        this.#end(servingError("MESSAGE_TOO_LARGE", message));
        return;
      }
      if (part.length > 0) this.#begun.push(part);
      if (end < 0) return;
      const line = this.#begun.whole();
      this.#begun = new ChunkList();
      this.#tellLine(line);
      from = end + 1;
    }
  }

  #tellLine(line: Buffer): void {
    if (!this.#over) this.#listener.onLine(line.toString("utf8"));
  }

  #end(error: ServingError | undefined): void {
    if (this.#over) return;
    this.cancel();
    this.#listener.onEnd(error);
  }
}
