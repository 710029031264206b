import { CallAbort } from "../core/call-abort.js";
import { errorFromPlain, plainFromError } from "../core/error-codec.js";
import { type Invocation, isSequence, type Outcome, type Payloads } from "../core/invocation.js";
import { emptyMetadata } from "../core/metadata.js";
import { ServingError } from "../core/serving-error.js";
import type { ProcessorRunner } from "../processor/runner.js";
import { InboundPieces } from "./inbound-pieces.js";
import type { CallHead, LaneMessage } from "./lane-message.js";
import { OutboundPieces } from "./outbound-pieces.js";
import type { SharedTime } from "./shared-time.js";

/** What a call needs of the lane that it runs in. */
export interface ChildCallPorts {
  readonly time: SharedTime;
  /** @throws HostError `MESSAGE_TOO_LARGE`. */
  send(message: LaneMessage): void;
  /** The call has ended. */
  over(id: number): void;
}

/** A call as the lane that runs it sees it. */
export class ChildCall {
  readonly id: number;
  readonly #ports: ChildCallPorts;
  readonly #invocation: LaneInvocation;
  readonly #request: InboundPieces | undefined;
  #answer: OutboundPieces | undefined;
  #over = false;

  constructor(message: LaneMessage & { readonly type: "call" }, ports: ChildCallPorts) {
    const { id, head, payload } = message;
    this.id = id;
    this.#ports = ports;
    if (payload === undefined) {
      this.#request = new InboundPieces({
        credit: (pieces, bytes) => this.#say({ type: "credit", id, pieces, bytes }),
        stop: () => this.#say({ type: "stop", id }),
      });
    }
    this.#invocation = invocationFrom(head, this.#request ?? payload ?? new Uint8Array(0), ports);
  }

  /** Runs the call. Never rejects. */
  async run(runner: ProcessorRunner): Promise<void> {
    if (this.#over) return;
    try {
      this.#reply(await runner.run(this.#invocation));
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** Takes what the host says of this call. */
  receive(message: LaneMessage): void {
    switch (message.type) {
      case "abort":
        this.#invocation.giveUp(errorFromPlain(message.error));
        return;
      case "piece":
        this.#request?.push(message.bytes);
        return;
      case "end":
        this.#request?.end();
        return;
      case "error":
        this.#request?.fail(errorFromPlain(message.error));
        return;
      case "credit":
        this.#answer?.credit(message.pieces, message.bytes);
        return;
      case "stop":
        this.#answer?.stop();
        return;
      default:
    }
  }

  #reply(outcome: Outcome): void {
    const { payloads, status } = outcome;
    const { id } = this;
    if (isSequence(payloads)) {
      this.#ports.send({ type: "pieces", id, status });
      this.#answer = this.#sendPieces(outcome, payloads);
      return;
    }
    const { headers, trailers } = outcome;
    this.#ports.send({ type: "answer", id, status, headers, trailers, payload: payloads });
    this.#end();
  }

  // Headers may be set until the first piece is there.
  #sendPieces(outcome: Outcome, pieces: AsyncIterable<Uint8Array>): OutboundPieces {
    const { id } = this;
    const ports = this.#ports;
    const invocation = this.#invocation;
    let first = true;
    const headers = (): void => {
      if (first && outcome.headers !== emptyMetadata) {
        ports.send({ type: "headers", id, headers: outcome.headers });
      }
      first = false;
    };
    return new OutboundPieces(pieces, {
      piece: (bytes) => {
        headers();
        invocation.deadlineMs = invocation.callerDeadlineMs;
        ports.send({ type: "piece", id, bytes });
      },
      end: () => {
        headers();
        ports.send({ type: "end", id, trailers: outcome.trailers });
        this.#end();
      },
      fail: (thrown) => this.#fail(thrown),
    });
  }

  #fail(thrown: unknown): void {
    const error = ServingError.from(thrown);
    const aborted = error === this.#invocation.abort.reason;
    this.#ports.send({ type: "error", id: this.id, error: plainFromError(error), aborted });
    this.#end();
  }

  #end(): void {
    this.#over = true;
    this.#request?.end();
    this.#ports.over(this.id);
  }

  /** What a reader of the request wants is of no interest once the call has ended. */
  #say(message: LaneMessage): void {
    if (!this.#over) this.#ports.send(message);
  }
}

/** The deadline changes with the first piece of an answer, see {@link Invocation.callerDeadlineMs}. */
type LaneInvocation = Invocation & { deadlineMs: number };

function invocationFrom(
  head: CallHead,
  payloads: Payloads,
  { time }: ChildCallPorts,
): LaneInvocation {
  const abort = new CallAbort();
  return {
    ...head,
    arrivedMs: time.fromShared(head.arrivedMs),
    deadlineMs: time.fromShared(head.deadlineMs),
    callerDeadlineMs: time.fromShared(head.callerDeadlineMs),
    payloads,
    abort,
    giveUp: (reason) => abort.abort(reason),
  };
}
