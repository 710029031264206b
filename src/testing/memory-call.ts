import { emptyMetadata, type MetadataView, type NativeMetadataView } from "../core/metadata.js";
import type { Clock } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import type { Status } from "../core/status.js";
import type { TimeLimited } from "../core/time-limit.js";
import { grpcMetadata, wellFormed } from "../server/grpc-call.js";
import type { RequestHead } from "../server/request-head.js";
import type { RpcCall, RpcReader, RpcStatus } from "../server/rpc.js";
import { rpcStatusOf } from "../server/rpc-errors.js";
import { remoteEnd } from "../transport/grpc-end.js";
import { sentMetadata } from "../transport/grpc-metadata.js";
import { cancelledEnd, localEnd } from "../transport/local-end.js";
import type { Attempt, AttemptEnd, AttemptListener } from "../transport/transport.js";
import { MemoryPipe } from "./memory-pipe.js";

/** What a call needs of the port that it goes to. */
export interface MemoryCallOwner {
  readonly clock: Clock;
  /** Largest message that the host takes, in bytes. */
  readonly maxMessageBytes: number;
  /** Whether calls are taken; when not, the attempt ends as one that was never sent. */
  readonly open: boolean;
  /** Whether the method has exactly one message. */
  isSingle(path: string): boolean;
  accept(call: HostSide): RpcReader | undefined;
  bodyOver(call: HostSide): void;
  bodyLate(call: HostSide): void;
  callOver(call: HostSide): void;
  /** Nothing of the call is left on either side. */
  ended(call: MemoryCall): void;
}

/** What a call is started with. */
export interface MemoryCallStart {
  readonly path: string;
  readonly metadata: NativeMetadataView;
  /** Milliseconds; Infinity for none. */
  readonly timeoutMs: number;
  /** Largest message that the client sends or takes, in bytes. */
  readonly maxMessageBytes: number;
}

/** One call in memory, as its caller sees it: what grpc-js and a connection are to a call over sockets. */
export class MemoryCall implements Attempt {
  readonly start: MemoryCallStart;
  readonly #owner: MemoryCallOwner;
  readonly #listener: AttemptListener;
  readonly #requests = new MemoryPipe();
  readonly #answers = new MemoryPipe();
  readonly #host: HostSide;
  #stopTimer: () => void = () => {};
  #over = false;

  constructor(start: MemoryCallStart, owner: MemoryCallOwner, listener: AttemptListener) {
    this.start = start;
    this.#owner = owner;
    this.#listener = listener;
    const { timeoutMs } = start;
    const deadlineMs = owner.clock.now() + timeoutMs;
    this.#host = new HostSide(this, owner, { deadlineMs, requests: this.#requests });
    this.#requests.control(() => this.#arrive());
    if (timeoutMs < Number.POSITIVE_INFINITY) this.#endAt(deadlineMs);
  }

  /** A timer may come a little early: the host is told when the time is really over, or it would not be a deadline to it. */
  #endAt(deadlineMs: number): void {
    const { clock } = this.#owner;
    this.#stopTimer = clock.after(Math.max(0, deadlineMs - clock.now()), () => {
      if (clock.now() < deadlineMs) {
        this.#endAt(deadlineMs);
        return;
      }
      const text = `Deadline exceeded after ${this.start.timeoutMs} ms`;
      this.#abandon(localEnd("DEADLINE_EXCEEDED", text));
    });
  }

  send(message: Uint8Array, flushed?: () => void): void {
    const { maxMessageBytes } = this.start;
    if (message.byteLength > maxMessageBytes) {
      const text = `the request is ${message.byteLength} bytes, at most ${maxMessageBytes} are sent`;
      this.#give(localEnd("MESSAGE_TOO_LARGE", text));
      return;
    }
    this.#requests.message(message, (copy) => this.#host.onMessage(copy), flushed);
  }

  halfClose(): void {
    this.#requests.last(() => this.#host.onHalfClose());
  }

  read(): void {
    this.#answers.read();
  }

  cancel(code: Status, message: string): void {
    this.#give(cancelledEnd(code, message));
  }

  /** The connection is gone. */
  break(): void {
    this.#abandon(localEnd("CONNECTION_LOST", "the host broke the connection"));
  }

  /** From the host: headers of the answer. */
  answerHeaders(headers: MetadataView): void {
    const arrived = sentMetadata(grpcMetadata(headers));
    this.#answers.control(() => this.#listener.onHeaders(arrived));
  }

  /** From the host: a message of the answer. */
  answerMessage(message: Uint8Array, flushed: (() => void) | undefined): void {
    this.#answers.message(message, (copy) => this.#take(copy), flushed);
  }

  /** From the host: the status, behind all messages. */
  answerStatus({ code, message, trailers }: RpcStatus): void {
    this.#requests.close();
    const arrived = sentMetadata(grpcMetadata(trailers ?? emptyMetadata));
    const end = remoteEnd(code, wellFormed(message), arrived);
    this.#answers.control(() => this.#abandon(end));
  }

  #arrive(): void {
    if (this.#owner.open) this.#host.arrive();
    else this.#abandon(localEnd("CONNECT_FAILED", "the host does not listen any more"));
  }

  #take(message: Buffer): void {
    const { maxMessageBytes } = this.start;
    if (message.byteLength <= maxMessageBytes) this.#listener.onMessage(message);
    else {
      const text = `the answer is ${message.byteLength} bytes, at most ${maxMessageBytes} are taken`;
      this.#abandon(localEnd("MESSAGE_TOO_LARGE", text));
    }
  }

  /** This side gives up; its listener is never told from inside. */
  #give(end: AttemptEnd): void {
    this.#requests.close();
    this.#answers.close();
    setImmediate(() => this.#abandon(end));
  }

  /** The call is over on both sides; only the first end counts. */
  #abandon(end: AttemptEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopTimer();
    this.#requests.close();
    this.#answers.close();
    this.#host.close();
    this.#owner.ended(this);
    this.#listener.onEnd(end);
  }
}

/** The same call as the host sees it; the counterpart of `GrpcCall`. */
export class HostSide implements RpcCall, RequestHead, TimeLimited {
  readonly kind = "rpc";
  readonly door = "grpc";
  readonly method = "POST";
  readonly peer = "127.0.0.1:0";
  readonly path: string;
  readonly metadata: NativeMetadataView;
  readonly deadlineMs: number;
  readonly #call: MemoryCall;
  readonly #owner: MemoryCallOwner;
  readonly #requests: MemoryPipe;
  readonly #single: boolean;
  #reader: RpcReader | undefined;
  #headers = false;
  #received = false;
  #ended = false;
  #closed = false;

  constructor(
    call: MemoryCall,
    owner: MemoryCallOwner,
    parts: { readonly deadlineMs: number; readonly requests: MemoryPipe },
  ) {
    this.#call = call;
    this.#owner = owner;
    this.path = call.start.path;
    this.metadata = call.start.metadata;
    this.deadlineMs = parts.deadlineMs;
    this.#requests = parts.requests;
    this.#single = owner.isSingle(this.path);
  }

  /** The headers are there. */
  arrive(): void {
    this.#reader = this.#owner.accept(this);
  }

  onMessage(message: Buffer): void {
    if (this.#ended) return;
    const { maxMessageBytes } = this.#owner;
    if (message.byteLength > maxMessageBytes) {
      const text = `Received message larger than max (${message.byteLength} vs ${maxMessageBytes})`;
      this.end(rpcStatusOf(servingError("MESSAGE_TOO_LARGE", text)));
    } else if (this.#single && this.#received) {
      this.#refuse("more than one message, expected one");
    } else {
      this.#received = true;
      this.#reader?.onMessage(message);
      // The half-close behind a single message is wanted at once: it says that there is no second one.
      if (this.#single) this.read();
    }
  }

  onHalfClose(): void {
    if (this.#ended) return;
    if (this.#single && !this.#received) {
      this.#refuse("the call ended before its message was complete");
      return;
    }
    if (this.#single) this.#owner.bodyOver(this);
    this.#reader?.onHalfClose();
  }

  /** The call is over on the wire. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ended = true;
    this.#owner.callOver(this);
    this.#reader?.onClose();
  }

  outOfTime(): void {
    this.#owner.bodyLate(this);
  }

  read(): void {
    if (!this.#ended) this.#requests.read();
  }

  sendHeaders(headers: MetadataView): void {
    if (this.#ended) return;
    this.#headers = true;
    this.#call.answerHeaders(headers);
  }

  send(message: Uint8Array, flushed?: () => void): void {
    if (this.#ended) return;
    if (!this.#headers) this.sendHeaders(emptyMetadata);
    this.#call.answerMessage(message, flushed);
  }

  end(status: RpcStatus): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#owner.callOver(this);
    this.#call.answerStatus(status);
  }

  #refuse(problem: string): void {
    this.end(rpcStatusOf(servingError("MALFORMED_REQUEST", problem)));
  }
}
