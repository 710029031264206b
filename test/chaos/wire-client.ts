import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import {
  PredictRequest,
  PredictResponse,
  PredictStreamRequest,
  PredictStreamResponse,
} from "inferwire/proto";
import { Status } from "nice-grpc-common";
import { inPieces, type Order, readAnswer, type ToyAnswer } from "./order.js";

/** How a call is made. */
export interface WireOptions {
  /** Told to the host, which alone keeps it: nothing on this side ends a call. */
  readonly timeoutMs: number;
  readonly priority?: "high";
}

/** How a call ended. */
export interface WireEnd {
  /** `OK`, the kit's reason, or the status where there is none; `CANCELLED` by the caller; `LOST` without a status. */
  readonly outcome: string;
  /** What the host said about an error; empty without one. */
  readonly message: string;
  /** The answer, or the last of its pieces. */
  readonly answer: ToyAnswer | undefined;
  /** Moments of `performance.now()`. */
  readonly beganMs: number;
  readonly endedMs: number;
  readonly order: Order;
  readonly timeoutMs: number;
}

/** A call under way. */
export interface WireCall {
  readonly order: Order;
  readonly beganMs: number;
  /** Always resolves. */
  readonly ended: Promise<WireEnd>;
  /** Resets the stream. */
  cancel(): void;
}

const PATH = "/inferwire.predict.v1.PredictService/";
const PREFIX_BYTES = 5;

/** Of a connection on which more streams are reset than this at once, nghttp2 thinks that it attacks; half of that. */
const MOST_RESETS = 500;

/**
 * A gRPC client of PredictService on plain node:http2: it keeps no deadline, tries nothing again and hides nothing, so
 * that what is measured is the host.
 */
export class WireClient {
  readonly #port: number;
  readonly #sessions: (ClientHttp2Session | undefined)[] = [];
  readonly #resets: number[] = [];
  readonly #connections: number;
  #next = 0;

  constructor(port: number, connections = 1) {
    this.#port = port;
    this.#connections = connections;
  }

  call(order: Order, options: WireOptions): WireCall {
    const place = this.#next++ % this.#connections;
    const stream = this.#session(place).request({
      ":method": "POST",
      ":path": `${PATH}${inPieces(order) ? "PredictStream" : "Predict"}`,
      "content-type": "application/grpc",
      te: "trailers",
      ...(options.timeoutMs === Number.POSITIVE_INFINITY
        ? {}
        : { "grpc-timeout": grpcTimeout(options.timeoutMs) }),
      ...(options.priority === undefined ? {} : { "x-inferwire-priority": options.priority }),
    });
    const call = new StreamCall(stream, order, {
      timeoutMs: options.timeoutMs,
      onReset: () => this.#countReset(place),
    });
    stream.end(framed(order));
    return call;
  }

  /** Breaks all connections; the next call opens new ones. */
  close(): void {
    for (const session of this.#sessions.splice(0)) session?.destroy();
  }

  #countReset(place: number): void {
    const resets = (this.#resets[place] ?? 0) + 1;
    this.#resets[place] = resets % MOST_RESETS;
    if (resets < MOST_RESETS) return;
    // Calls on it go on; the next one opens another.
    this.#sessions[place]?.close();
    this.#sessions[place] = undefined;
  }

  #session(place: number): ClientHttp2Session {
    const open = this.#sessions[place];
    if (open !== undefined && !open.closed && !open.destroyed) return open;
    const session = connect(`http://127.0.0.1:${this.#port}`);
    // Calls on it end as LOST; the next one opens another.
    session.on("error", () => {});
    session.setMaxListeners(0);
    this.#sessions[place] = session;
    return session;
  }
}

class StreamCall implements WireCall {
  readonly order: Order;
  readonly beganMs: number = performance.now();
  readonly ended: Promise<WireEnd>;
  readonly #stream: ClientHttp2Stream;
  readonly #onReset: () => void;
  #outcome: string | undefined;
  #message = "";

  constructor(
    stream: ClientHttp2Stream,
    order: Order,
    { timeoutMs, onReset }: { readonly timeoutMs: number; readonly onReset: () => void },
  ) {
    this.order = order;
    this.#stream = stream;
    this.#onReset = onReset;
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("response", (headers) => this.#status(headers));
    stream.on("trailers", (trailers) => this.#status(trailers));
    stream.on("error", () => {});
    const { beganMs } = this;
    this.ended = new Promise((resolve) => {
      stream.once("close", () => {
        const endedMs = performance.now();
        const outcome = this.#outcome ?? "LOST";
        const answer = lastAnswer(Buffer.concat(chunks), inPieces(order));
        resolve({ outcome, message: this.#message, answer, beganMs, endedMs, order, timeoutMs });
      });
    });
  }

  cancel(): void {
    if (this.#stream.closed) return;
    this.#outcome ??= "CANCELLED";
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#onReset();
  }

  #status(headers: Readonly<Record<string, unknown>>): void {
    const status = headers["grpc-status"];
    if (status === undefined) return;
    const reason = headers["inferwire-reason"];
    this.#message = decodeURIComponent(String(headers["grpc-message"] ?? ""));
    const name = Status[Number(status)] ?? `status ${String(status)}`;
    this.#outcome ??= typeof reason === "string" ? reason : name;
  }
}

function grpcTimeout(ms: number): string {
  return ms < 10_000 ? `${Math.ceil(ms * 1_000)}u` : `${Math.ceil(ms)}m`;
}

function framed(order: Order): Buffer {
  const data = Buffer.from(JSON.stringify(order));
  const request = { service: "", path: "", data };
  const writer = inPieces(order)
    ? PredictStreamRequest.encode(request)
    : PredictRequest.encode(request);
  const message = writer.finish();
  const frame = Buffer.alloc(PREFIX_BYTES + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

function lastAnswer(bytes: Buffer, pieces: boolean): ToyAnswer | undefined {
  let message: Buffer | undefined;
  for (let at = 0; at + PREFIX_BYTES <= bytes.length; ) {
    const end = at + PREFIX_BYTES + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) break;
    message = bytes.subarray(at + PREFIX_BYTES, end);
    at = end;
  }
  if (message === undefined) return undefined;
  const { data } = (pieces ? PredictStreamResponse : PredictResponse).decode(message);
  return readAnswer(data);
}
