import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import type { Clock } from "../../core/ports.js";
import { statusFromCode, statusName } from "../../core/status.js";
import { REASON_TRAILER } from "../../core/trailers.js";

/** How a call is made. */
export interface WireOptions {
  /** Told to the host, which alone keeps it: nothing on this side ends a call. Infinity for none. */
  readonly timeoutMs: number;
  readonly priority?: "high";
}

/** How a call ended. */
export interface WireEnd {
  /** `OK`, the kit's reason, or the status where there is none; `CANCELLED` by the caller; `LOST` without a status. */
  readonly outcome: string;
  /** What the host said about an error; empty without one. */
  readonly message: string;
  /** The messages of the answer, those that came whole. */
  readonly answers: readonly Uint8Array[];
  /** Moments by the clock. */
  readonly beganMs: number;
  readonly endedMs: number;
  readonly timeoutMs: number;
}

/** A call under way. */
export interface WireCall {
  readonly beganMs: number;
  /** Always resolves. */
  readonly ended: Promise<WireEnd>;
  /** Resets the stream. */
  cancel(): void;
  /** Reads no more of the answer until `resume`. */
  pause(): void;
  resume(): void;
}

const PREFIX_BYTES = 5;

/** Of a connection on which more streams are reset than this at once, nghttp2 thinks that it attacks; half of that. */
const MOST_RESETS = 500;

/** A message as gRPC frames it. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(PREFIX_BYTES + message.byteLength);
  frame.writeUInt32BE(message.byteLength, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/**
 * A gRPC client on plain node:http2: it keeps no deadline, tries nothing again and hides nothing, so that what is measured
 * is the host.
 */
export class WireClient {
  readonly #port: number;
  readonly #clock: Clock;
  readonly #sessions: (ClientHttp2Session | undefined)[] = [];
  readonly #resets: number[] = [];
  readonly #connections: number;
  #next = 0;

  constructor(port: number, clock: Clock, connections = 1) {
    this.#port = port;
    this.#clock = clock;
    this.#connections = connections;
  }

  /**
   * Begins a call.
   *
   * @param path - `/package.Service/Method`
   * @param body - all frames of the request, or what is to be sent in their place
   */
  call(path: string, body: Uint8Array, options: WireOptions): WireCall {
    const place = this.#next++ % this.#connections;
    const stream = this.#session(place).request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...(options.timeoutMs === Number.POSITIVE_INFINITY
        ? {}
        : { "grpc-timeout": grpcTimeout(options.timeoutMs) }),
      ...(options.priority === undefined ? {} : { "x-inferwire-priority": options.priority }),
    });
    const call = new StreamCall(stream, {
      timeoutMs: options.timeoutMs,
      clock: this.#clock,
      onReset: () => this.#countReset(place),
    });
    stream.end(body);
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

interface StreamCallParts {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly onReset: () => void;
}

class StreamCall implements WireCall {
  readonly beganMs: number;
  readonly ended: Promise<WireEnd>;
  readonly #stream: ClientHttp2Stream;
  readonly #onReset: () => void;
  #outcome: string | undefined;
  #message = "";

  constructor(stream: ClientHttp2Stream, { timeoutMs, clock, onReset }: StreamCallParts) {
    this.#stream = stream;
    this.#onReset = onReset;
    this.beganMs = clock.now();
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("response", (headers) => this.#status(headers));
    stream.on("trailers", (trailers) => this.#status(trailers));
    stream.on("error", () => {});
    const { beganMs } = this;
    this.ended = new Promise((resolve) => {
      stream.once("close", () => {
        const endedMs = clock.now();
        const outcome = this.#outcome ?? "LOST";
        const answers = messagesIn(Buffer.concat(chunks));
        resolve({ outcome, message: this.#message, answers, beganMs, endedMs, timeoutMs });
      });
    });
  }

  cancel(): void {
    if (this.#stream.closed) return;
    this.#outcome ??= "CANCELLED";
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#onReset();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  #status(headers: Readonly<Record<string, unknown>>): void {
    const status = headers["grpc-status"];
    if (status === undefined) return;
    const reason = headers[REASON_TRAILER];
    this.#message = decodeURIComponent(String(headers["grpc-message"] ?? ""));
    const name = statusName(statusFromCode(Number(status)));
    this.#outcome ??= typeof reason === "string" ? reason : name;
  }
}

function grpcTimeout(ms: number): string {
  return ms < 10_000 ? `${Math.ceil(ms * 1_000)}u` : `${Math.ceil(ms)}m`;
}

function messagesIn(bytes: Buffer): readonly Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let at = 0; at + PREFIX_BYTES <= bytes.length; ) {
    const end = at + PREFIX_BYTES + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) break;
    messages.push(bytes.subarray(at + PREFIX_BYTES, end));
    at = end;
  }
  return messages;
}
