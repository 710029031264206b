import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
} from "@grpc/grpc-js";
import { bufferOf } from "../core/bytes.js";
import { type MetadataView, NativeMetadataView } from "../core/metadata.js";
import type { Clock } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import { Status } from "../core/status.js";
import type { TimeLimited } from "../core/time-limit.js";
import type { RequestHead } from "./request-head.js";
import type { RpcCall, RpcReader, RpcStatus } from "./rpc.js";
import { rpcStatusOf } from "./rpc-errors.js";

/** A frame that grpc-js let through and that the kit refuses; takes the place of the message. */
export class BadFrame {
  readonly problem: string;

  constructor(problem: string) {
    this.problem = problem;
  }
}

const FRAME_HEADER_BYTES = 5;

/**
 * Takes a received message as it is, or a {@link BadFrame} when its compression flag is wrong: grpc-js takes any flag
 * but 1, and 1 without a `grpc-encoding`, for "not compressed". What it hands over for those is a view just behind the
 * five bytes of the frame's header, at offset 5 modulo 8 of a buffer of its own, whose flag must then be 0; what it has
 * decompressed starts at a multiple of 8.
 */
export function messageFromFrame(message: Buffer): Buffer | BadFrame {
  const start = message.byteOffset - FRAME_HEADER_BYTES;
  if (start < 0 || start % 8 !== 0) return message;
  const flag = new Uint8Array(message.buffer, start, 1)[0] ?? 0;
  if (flag === 0) return message;
  return new BadFrame(
    flag === 1
      ? "a frame is marked as compressed, but the call names no grpc-encoding"
      : `a frame's compression flag is ${flag}, expected 0 or 1`,
  );
}

/** What a call needs of the port it came in by. */
export interface GrpcCallOwner {
  readonly clock: Clock;
  /** Called when the headers have arrived: checks them and gives the reader, or ends the call and gives none. */
  accept(call: GrpcCall): RpcReader | undefined;
  /** The single message of a call has arrived. */
  bodyOver(call: GrpcCall): void;
  /** The call has been answered, or is over on the wire; may be told twice. */
  callOver(call: GrpcCall): void;
  /** The single message of a call has not arrived in time. */
  bodyLate(call: GrpcCall): void;
}

/**
 * One call on a grpc-js server, taken over at its interceptor: grpc-js's own handlers, with their streams and events
 * for every call, are never started. `start` is where grpc-js would hand over to them; the call is its own listener, so
 * that nothing is made for a call but itself.
 */
export class GrpcCall extends ServerInterceptingCall implements RpcCall, RequestHead, TimeLimited {
  readonly kind = "rpc";
  readonly door = "grpc";
  readonly method = "POST";
  readonly path: string;
  readonly #owner: GrpcCallOwner;
  readonly #call: ServerInterceptingCallInterface;
  /** Exactly one message is expected. */
  readonly #single: boolean;
  #metadata: NativeMetadataView<Metadata> | undefined;
  #reader: RpcReader | undefined;
  #received = false;
  #ended = false;
  #closed = false;

  constructor(
    owner: GrpcCallOwner,
    method: { readonly path: string; readonly requestStream: boolean },
    call: ServerInterceptingCallInterface,
  ) {
    super(call);
    this.#owner = owner;
    this.path = method.path;
    this.#single = !method.requestStream;
    this.#call = call;
  }

  get metadata(): NativeMetadataView<Metadata> {
    this.#metadata ??= new NativeMetadataView(new Metadata());
    return this.#metadata;
  }

  get peer(): string {
    return this.#call.getPeer();
  }

  get deadlineMs(): number {
    const deadline = this.#call.getDeadline();
    if (deadline === Number.POSITIVE_INFINITY) return deadline;
    return this.#owner.clock.now() + (Number(deadline) - Date.now());
  }

  override start(): void {
    this.#call.start(this);
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.#metadata = new NativeMetadataView(metadata);
    this.#reader = this.#owner.accept(this);
  }

  onReceiveMessage(message: Buffer | BadFrame): void {
    if (this.#ended) return;
    if (message instanceof BadFrame) {
      this.end({ code: Status.INTERNAL, message: message.problem });
      return;
    }
    if (this.#single && this.#received) {
      this.#refuse("more than one message, expected one");
      return;
    }
    this.#received = true;
    this.#reader?.onMessage(message);
    // The half-close behind a single message is wanted at once: it says that there is no second one.
    if (this.#single) this.read();
  }

  onReceiveHalfClose(): void {
    if (this.#ended) return;
    if (!this.#single) {
      // A caller on Node that cancels ends its stream just before it resets it: only a stream that is still there a turn
      // later is whole, and not one that was torn off.
      setImmediate(() => {
        if (!this.#ended) this.#reader?.onHalfClose();
      });
      return;
    }
    if (!this.#received) {
      this.#refuse("the call ended before its message was complete");
      return;
    }
    this.#owner.bodyOver(this);
    this.#reader?.onHalfClose();
  }

  onCancel(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ended = true;
    this.#owner.callOver(this);
    this.#reader?.onClose();
  }

  outOfTime(): void {
    this.#owner.bodyLate(this);
  }

  #refuse(problem: string): void {
    this.end(rpcStatusOf(servingError("MALFORMED_REQUEST", problem)));
  }

  read(): void {
    if (!this.#ended) this.#call.startRead();
  }

  sendHeaders(headers: MetadataView): void {
    if (!this.#ended) this.#call.sendMetadata(grpcMetadata(headers));
  }

  send(message: Uint8Array, flushed?: () => void): void {
    if (!this.#ended) this.#call.sendMessage(message, flushed ?? ignore);
  }

  end(status: RpcStatus): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#owner.callOver(this);
    this.#call.sendStatus({
      code: status.code,
      details: wellFormed(status.message),
      metadata: status.trailers === undefined ? null : grpcMetadata(status.trailers),
    });
  }
}

function ignore(): void {}

/** A status text that grpc-js can send: it percent-encodes with encodeURI, which throws on half of a surrogate pair. */
export function wellFormed(text: string): string {
  return text.replace(
    /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g,
    "\uFFFD",
  );
}

/** Names that HTTP/2 or gRPC itself uses: node:http2 throws for some of them, others would break the call. */
const protocolNames: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "content-type",
  "grpc-accept-encoding",
  "grpc-encoding",
  "grpc-message",
  "grpc-status",
  "grpc-timeout",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Headers or trailers of an answer as grpc-js's own; names of the protocol's are left out. */
export function grpcMetadata(view: MetadataView): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of view.entries()) {
    if (protocolNames.has(key) || key.startsWith(":")) continue;
    metadata.add(key, typeof value === "string" ? value : bufferOf(value));
  }
  return metadata;
}
