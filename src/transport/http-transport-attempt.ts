import type { Client, Dispatcher } from "undici";
import { runOutsideCalls } from "../core/ambient-call.js";
import { ChunkList } from "../core/chunk-list.js";
import { type MetadataView, metadataText } from "../core/metadata.js";
import type { CancelTimer, Clock } from "../core/ports.js";
import type { Status } from "../core/status.js";
import { LOAD_HEADER, readLoadHeader } from "../wire/load-report.js";
import { connectionErrorText } from "./connection-error.js";
import { brokenEnd, httpEnd, httpOk } from "./http-end.js";
import { type AnswerHeaders, HttpHeaders } from "./http-headers.js";
import type { HttpConnections } from "./http-transport-connections.js";
import { cancelledEnd, localEnd } from "./local-end.js";
import type { Attempt, AttemptEnd, AttemptListener, AttemptStart } from "./transport.js";

/** What a transport gives its attempts. */
export interface AttemptPorts {
  readonly connections: HttpConnections;
  /** Attempts that no connection has taken yet. */
  readonly unsent: Set<HttpAttempt>;
  readonly maxMessageBytes: number;
  readonly loadReports: boolean;
  readonly clock: Clock;
  /** The instance refuses connections after all. */
  readonly onRefused: (error: Error) => void;
}

const nothing = new Uint8Array(0);

/** undici wants one, and hands it back; nobody reads it. */
function givenUp(): Error {
  return new Error("given up");
}

/**
 * One POST; the attempt and undici's handler in one, since every call makes one. Failures are told in a later turn of the
 * event loop, answers at once.
 */
export class HttpAttempt implements Attempt, Dispatcher.DispatchHandler {
  readonly #ports: AttemptPorts;
  readonly #path: string;
  readonly #metadata: MetadataView;
  readonly #headers: string[];
  readonly #listener: AttemptListener;
  readonly #stopTimer: CancelTimer | undefined;
  readonly #chunks = new ChunkList();
  #message: Uint8Array = nothing;
  #client: Client | undefined;
  /** There from the moment in which the request is written. */
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #answer: AnswerHeaders = {};
  #ended = false;

  constructor(
    ports: AttemptPorts,
    { path, metadata, timeoutMs }: AttemptStart,
    headers: string[],
    listener: AttemptListener,
  ) {
    this.#ports = ports;
    this.#path = path;
    this.#metadata = metadata;
    this.#headers = headers;
    this.#listener = listener;
    ports.unsent.add(this);
    if (timeoutMs === Number.POSITIVE_INFINITY) return;
    const late = (): void =>
      this.#fail(
        localEnd("DEADLINE_EXCEEDED", `no whole answer within ${Math.ceil(timeoutMs)} ms`),
      );
    // The socket of an attempt keeps the process alive, not its timer.
    this.#stopTimer = ports.clock.after(timeoutMs, late, { background: true });
  }

  send(message: Uint8Array, flushed?: () => void): void {
    this.#message = message;
    if (flushed !== undefined) queueMicrotask(flushed);
  }

  halfClose(): void {
    if (this.#ended) return;
    const { connections, maxMessageBytes } = this.#ports;
    const body = this.#message;
    if (body.length > maxMessageBytes) {
      const seen = `the request has ${body.length} bytes, expected ${maxMessageBytes} at most`;
      this.#fail(localEnd("MESSAGE_TOO_LARGE", seen));
      return;
    }
    const client = connections.take();
    this.#client = client;
    const request = { path: this.#path, method: "POST", headers: this.#headers, body } as const;
    // undici's connection and timers outlive the call that needs them first, and must not keep what it is made for.
    runOutsideCalls(() => client.dispatch(request, this));
  }

  // An answer is handed over whole when it is there.
  read(): void {}

  cancel(code: Status, message: string): void {
    this.#fail(cancelledEnd(code, message));
  }

  /** Ends it as one that never left. */
  giveUp(message: string): void {
    this.#fail(localEnd("CONNECT_FAILED", message));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#ended) {
      controller.abort(givenUp());
      return;
    }
    this.#controller = controller;
    this.#ports.unsent.delete(this);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: AnswerHeaders,
  ): void {
    // Lower ones tell that the answer is still to come.
    if (status < 200) return;
    this.#status = status;
    this.#answer = headers;
    if (status === 200 && !this.#ended) this.#listener.onHeaders(new HttpHeaders(headers));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#ended) return;
    const { maxMessageBytes } = this.#ports;
    if (this.#chunks.bytes + chunk.length <= maxMessageBytes) this.#chunks.push(chunk);
    else if (this.#status !== 200) this.#fail(this.#unsuccessful());
    else {
      const seen = `the answer has more than ${maxMessageBytes} bytes`;
      this.#fail(localEnd("MESSAGE_TOO_LARGE", seen));
    }
  }

  onResponseEnd(): void {
    this.#release((connections, client) => connections.give(client));
    if (this.#ended) return;
    this.#ended = true;
    this.#stopTimer?.();
    if (this.#status !== 200) {
      this.#listener.onEnd(this.#unsuccessful());
      return;
    }
    this.#listener.onMessage(this.#chunks.whole());
    this.#listener.onEnd(this.#withLoad(httpOk));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#release((connections, client) => connections.discard(client));
    if (this.#ended) return;
    if (this.#controller === undefined) {
      this.giveUp(connectionErrorText(error));
      return;
    }
    const end = brokenEnd(error);
    this.#fail(end);
    if (end.reason === "CONNECT_FAILED") this.#ports.onRefused(error);
  }

  #fail(end: AttemptEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopTimer?.();
    this.#ports.unsent.delete(this);
    this.#controller?.abort(givenUp());
    setImmediate(() => this.#listener.onEnd(end));
  }

  #release(act: (connections: HttpConnections, client: Client) => void): void {
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) act(this.#ports.connections, client);
  }

  #unsuccessful(): AttemptEnd {
    const secret = metadataText(this.#metadata, "authorization");
    const headers = new HttpHeaders(this.#answer);
    return this.#withLoad(httpEnd(this.#status, headers, this.#chunks.whole(), secret));
  }

  #withLoad(end: AttemptEnd): AttemptEnd {
    if (!this.#ports.loadReports) return end;
    const text = metadataText(new HttpHeaders(this.#answer), LOAD_HEADER);
    const load = text === undefined ? undefined : readLoadHeader(text);
    return load === undefined ? end : { ...end, load };
  }
}
