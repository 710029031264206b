import type { DoorName, Invocation, Outcome } from "../../src/core/invocation.js";
import { emptyMetadata, type MetadataView } from "../../src/core/metadata.js";
import { TimeLimit } from "../../src/core/time-limit.js";
import type { CallSeries, Invoker } from "../../src/door/invoker.js";
import type { RpcCall, RpcStatus } from "../../src/server/rpc.js";
import type { FakeClock } from "./fake-clock.js";

/** An engine's side of a call, moved by hand: it keeps what was sent and counts the reads that are owed. */
export class FakeRpcCall implements RpcCall {
  readonly door = "grpc";
  readonly path: string = "/test.Echo/Any";
  readonly metadata: MetadataView = emptyMetadata;
  readonly peer: string = "127.0.0.1:1";
  readonly deadlineMs: number;
  /** Reads that no message has answered. */
  reads = 0;
  readonly headers: MetadataView[] = [];
  readonly sent: string[] = [];
  readonly ends: RpcStatus[] = [];
  /** Lets the next message be handed over; undefined when none waits. */
  flush: (() => void) | undefined;
  readonly #flushes: boolean;

  /** @param flushes - whether every message is on its way at once */
  constructor(options: { deadlineMs?: number; flushes?: boolean } = {}) {
    this.deadlineMs = options.deadlineMs ?? Number.POSITIVE_INFINITY;
    this.#flushes = options.flushes ?? true;
  }

  read(): void {
    this.reads++;
  }

  sendHeaders(headers: MetadataView): void {
    this.headers.push(headers);
  }

  send(message: Uint8Array, flushed?: () => void): void {
    this.sent.push(Buffer.from(message).toString());
    if (this.#flushes) flushed?.();
    else this.flush = flushed;
  }

  end(status: RpcStatus): void {
    this.ends.push(status);
  }
}

/** An invoker with limits of 5 seconds (or another) for calls and 60 for gaps, whose calls `run` answers. */
export class FakeInvoker implements Invoker {
  readonly clock: FakeClock;
  readonly requestTime: TimeLimit;
  readonly pieceTime: TimeLimit;
  readonly maxMessageBytes: number = 100;
  /** How each call ended, in order. */
  readonly statuses: string[] = [];
  readonly #run: (invocation: Invocation) => Promise<Outcome>;

  constructor(
    clock: FakeClock,
    run: (invocation: Invocation) => Promise<Outcome>,
    requestTimeoutMs = 5_000,
  ) {
    this.clock = clock;
    this.requestTime = new TimeLimit(requestTimeoutMs, clock);
    this.pieceTime = new TimeLimit(60_000, clock);
    this.#run = run;
  }

  refusal(): undefined {}

  invoke(invocation: Invocation): Promise<Outcome> {
    return this.#run(invocation);
  }

  series(_door: DoorName, _method: string): CallSeries {
    return {
      started() {},
      received() {},
      sent() {},
      ended: (_call, status) => this.statuses.push(status),
    };
  }
}
