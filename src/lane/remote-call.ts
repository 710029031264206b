import { errorFromPlain, plainFromError } from "../core/error-codec.js";
import { type Invocation, isSequence, type Outcome, outcomeInPieces } from "../core/invocation.js";
import { emptyMetadata, type MetadataView } from "../core/metadata.js";
import { ServingError, servingError } from "../core/serving-error.js";
import { requestIdOf } from "../processor/request-id.js";
import { InboundPieces } from "./inbound-pieces.js";
import type { LaneMessage } from "./lane-message.js";
import { OutboundPieces } from "./outbound-pieces.js";
import type { SharedTime } from "./shared-time.js";

/** What a call needs of the lane it goes to. */
export interface RemoteCallPorts {
  readonly time: SharedTime;
  /** @throws HostError `MESSAGE_TOO_LARGE`. */
  send(message: LaneMessage): void;
  /** The lane has done with the call. */
  over(id: number): void;
}

/** A call in a lane, as its host sees it. */
export class RemoteCall {
  readonly #id: number;
  readonly #invocation: Invocation;
  readonly #ports: RemoteCallPorts;
  /** Resolves when the lane has answered, or has begun to answer in pieces. */
  readonly outcome: Promise<Outcome>;
  #resolve: (outcome: Outcome) => void = () => {};
  #reject: (error: ServingError) => void = () => {};
  #forgetAbort: () => void = () => {};
  #request: OutboundPieces | undefined;
  #answer: InboundPieces | undefined;
  readonly #heads: { headers: MetadataView; trailers: MetadataView } = {
    headers: emptyMetadata,
    trailers: emptyMetadata,
  };

  constructor(id: number, invocation: Invocation, ports: RemoteCallPorts) {
    this.#id = id;
    this.#invocation = invocation;
    this.#ports = ports;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Sends the call. */
  begin(): void {
    const { payloads, abort } = this.#invocation;
    try {
      this.#ports.send(this.#message(isSequence(payloads) ? undefined : payloads));
    } catch (thrown) {
      this.fail(ServingError.from(thrown));
      return;
    }
    const id = this.#id;
    this.#forgetAbort = abort.onAbort((reason) => {
      this.#ports.send({ type: "abort", id, error: plainFromError(reason) });
    });
    if (isSequence(payloads)) this.#request = this.#sendPieces(payloads);
  }

  /** Takes what the lane says of this call. @throws HostError `INTERNAL` for what cannot come now. */
  receive(message: LaneMessage): void {
    switch (message.type) {
      case "answer": {
        this.#mustNotHaveBegun();
        const { payload: payloads, status, headers, trailers } = message;
        this.#end();
        this.#resolve({ payloads, status, headers, trailers });
        return;
      }
      case "pieces":
        this.#begunAnswer(message.status);
        return;
      case "headers":
        this.#heads.headers = message.headers;
        return;
      case "piece":
        this.#answer?.push(message.bytes);
        return;
      case "end":
        this.#heads.trailers = message.trailers;
        this.#end();
        this.#answer?.end();
        return;
      case "error":
        this.fail(this.#errorOf(message));
        return;
      case "credit":
        this.#request?.credit(message.pieces, message.bytes);
        return;
      case "stop":
        this.#request?.stop();
        return;
      default:
    }
  }

  /** Ends the call with an error, for the reader of its pieces where they have begun. */
  fail(error: ServingError): void {
    this.#end();
    if (this.#answer === undefined) this.#reject(error);
    else this.#answer.fail(error);
  }

  #message(payload: Uint8Array | undefined): LaneMessage {
    const { time } = this.#ports;
    const call = this.#invocation;
    return {
      type: "call",
      id: this.#id,
      head: {
        door: call.door,
        handler: call.handler,
        service: call.service,
        method: call.method,
        path: call.path,
        query: call.query,
        peer: call.peer,
        requestId: requestIdOf(call),
        metadata: call.metadata,
        arrivedMs: time.toShared(call.arrivedMs),
        deadlineMs: time.toShared(call.deadlineMs),
        callerDeadlineMs: time.toShared(call.callerDeadlineMs),
        takesPieces: call.takesPieces,
      },
      payload,
    };
  }

  #mustNotHaveBegun(): void {
    if (this.#answer === undefined) return;
    throw servingError("INTERNAL", "a lane answered a call whose answer had begun in pieces");
  }

  #begunAnswer(status: number): void {
    this.#mustNotHaveBegun();
    const ports = this.#ports;
    const id = this.#id;
    const pieces = new InboundPieces({
      credit: (count, bytes) => ports.send({ type: "credit", id, pieces: count, bytes }),
      stop: () => ports.send({ type: "stop", id }),
    });
    this.#answer = pieces;
    this.#resolve(outcomeInPieces(pieces, status, this.#heads));
  }

  #sendPieces(pieces: AsyncIterable<Uint8Array>): OutboundPieces {
    const ports = this.#ports;
    const id = this.#id;
    return new OutboundPieces(pieces, {
      piece: (bytes) => ports.send({ type: "piece", id, bytes }),
      end: () => ports.send({ type: "end", id, trailers: emptyMetadata }),
      fail: (thrown) => {
        const error = plainFromError(ServingError.from(thrown));
        ports.send({ type: "error", id, error, aborted: false });
      },
    });
  }

  // Within one process the reason of an abort is one object; it stays one although it has crossed and come back.
  #errorOf({ error, aborted }: LaneMessage & { type: "error" }): ServingError {
    const { reason } = this.#invocation.abort;
    return aborted && reason !== undefined ? reason : errorFromPlain(error);
  }

  #end(): void {
    this.#forgetAbort();
    this.#request?.stop();
    this.#ports.over(this.#id);
  }
}
