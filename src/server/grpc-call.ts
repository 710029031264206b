import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
} from "@grpc/grpc-js";
import { type MetadataView, NativeMetadataView } from "../core/metadata.js";
import type { Clock } from "../core/ports.js";
import { Status } from "../core/status.js";
import type { RequestHead } from "./request-head.js";
import type { RpcCall, RpcReader, RpcStatus } from "./rpc.js";

/** A frame that grpc-js let through and that the kit refuses; takes the place of the message. */
export class BadFrame {
  readonly problem: string;

  constructor(problem: string) {
    this.problem = problem;
  }
}

const FRAME_HEADER_BYTES = 5;

/**
 * Takes a received message as it is, or a {@link BadFrame} when its flag byte is neither 0 nor 1: grpc-js takes any
 * flag but 1 for "not compressed". What it hands over for such a message is a view just behind the five bytes of the
 * frame's header, at offset 5 modulo 8 of a buffer of its own; a decompressed one starts at a multiple of 8.
 */
export function messageFromFrame(message: Buffer): Buffer | BadFrame {
  const start = message.byteOffset - FRAME_HEADER_BYTES;
  if (start < 0 || start % 8 !== 0) return message;
  const flag = new Uint8Array(message.buffer, start, 1)[0] ?? 0;
  if (flag > 1) return new BadFrame(`a frame's compression flag is ${flag}, expected 0 or 1`);
  return message;
}

/** Hands bytes to grpc-js, which insists on Buffers, without copying them. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What a call needs of the port it came in by. */
export interface GrpcCallOwner {
  readonly clock: Clock;
  /** Called when the headers have arrived: checks them and gives the reader, or ends the call and gives none. */
  accept(call: GrpcCall): RpcReader | undefined;
}

/**
 * One call on a grpc-js server, taken over at its interceptor: grpc-js's own handlers, with their streams and events
 * for every call, are never started. `start` is where grpc-js would hand over to them.
 */
export class GrpcCall extends ServerInterceptingCall implements RpcCall, RequestHead {
  readonly kind = "rpc";
  readonly method = "POST";
  readonly path: string;
  readonly #owner: GrpcCallOwner;
  readonly #call: ServerInterceptingCallInterface;
  #metadata: MetadataView | undefined;
  #reader: RpcReader | undefined;
  #ended = false;
  #closed = false;

  constructor(owner: GrpcCallOwner, path: string, call: ServerInterceptingCallInterface) {
    super(call);
    this.#owner = owner;
    this.path = path;
    this.#call = call;
  }

  get metadata(): MetadataView {
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
    this.#call.start({
      onReceiveMetadata: (metadata) => {
        this.#metadata = new NativeMetadataView(metadata);
        this.#reader = this.#owner.accept(this);
      },
      onReceiveMessage: (message: Buffer | BadFrame) => {
        if (this.#ended) return;
        if (message instanceof BadFrame) {
          this.end({ code: Status.INTERNAL, message: message.problem });
          return;
        }
        this.#reader?.onMessage(message);
      },
      onReceiveHalfClose: () => {
        if (!this.#ended) this.#reader?.onHalfClose();
      },
      onCancel: () => {
        if (this.#closed) return;
        this.#closed = true;
        this.#ended = true;
        this.#reader?.onClose();
      },
    });
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
    this.#call.sendStatus({
      code: status.code,
      details: wellFormed(status.message),
      metadata: status.trailers === undefined ? null : grpcMetadata(status.trailers),
    });
  }
}

function ignore(): void {}

// grpc-js percent-encodes the message with encodeURI, which throws on half of a surrogate pair.
function wellFormed(text: string): string {
  return text.replace(
    /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g,
    "\uFFFD",
  );
}

function grpcMetadata(view: MetadataView): Metadata {
  if (view instanceof NativeMetadataView && view.native instanceof Metadata) return view.native;
  const metadata = new Metadata();
  for (const [key, value] of view.entries()) {
    metadata.add(key, typeof value === "string" ? value : bufferOf(value));
  }
  return metadata;
}
