import { CallAbort } from "../core/call-abort.js";
import { type DoorName, type Invocation, isSequence, type Outcome } from "../core/invocation.js";
import { emptyMetadata, type MetadataView } from "../core/metadata.js";
import type { RpcDefinition } from "../core/rpc-definition.js";
import { ServingError, servingError } from "../core/serving-error.js";
import { Status, statusName } from "../core/status.js";
import type { TimeLimited } from "../core/time-limit.js";
import { deliberateTrailers } from "../processor/runner.js";
import type { RpcCall, RpcReader, RpcRoute, RpcStatus } from "../server/rpc.js";
import { rpcStatusOf } from "../server/rpc-errors.js";
import { sendFlushed } from "../server/typed-rpc.js";
import {
  type PredictAnswer,
  type PredictQuestion,
  predictRpc,
  predictStreamRpc,
} from "../wire/predict.js";
import { type CallSeries, gapError, type Invoker } from "./invoker.js";

type PredictRpc = RpcDefinition<PredictQuestion, PredictAnswer>;

/** PredictService over gRPC. */
export function predictRoutes(invoker: Invoker): readonly RpcRoute[] {
  return [predictRoute(predictRpc, invoker), predictRoute(predictStreamRpc, invoker)];
}

function predictRoute(rpc: PredictRpc, invoker: Invoker): RpcRoute {
  const series = invoker.series("grpc", rpc.path);
  return {
    path: rpc.path,
    requestStream: rpc.requestStream,
    responseStream: rpc.responseStream,
    accept: (call) => new PredictCall(call, rpc, invoker, series),
  };
}

const noBytes = new Uint8Array(0);

/** One call of PredictService: reads its message, is its own invocation, and sends the outcome. */
class PredictCall implements RpcReader, Invocation, TimeLimited {
  readonly door: DoorName = "grpc";
  service = "";
  path = "";
  readonly query = "";
  readonly method: string;
  readonly arrivedMs: number;
  readonly deadlineMs: number;
  payloads: Uint8Array = noBytes;
  readonly takesPieces: boolean;
  readonly abort: CallAbort = new CallAbort();
  readonly #call: RpcCall;
  readonly #rpc: PredictRpc;
  readonly #invoker: Invoker;
  readonly #series: CallSeries;
  #message: Uint8Array | undefined;
  #ended = false;

  constructor(call: RpcCall, rpc: PredictRpc, invoker: Invoker, series: CallSeries) {
    this.#call = call;
    this.#rpc = rpc;
    this.#invoker = invoker;
    this.#series = series;
    this.method = rpc.path;
    this.takesPieces = rpc.responseStream;
    this.arrivedMs = invoker.clock.now();
    const latest = this.arrivedMs + invoker.requestTime.ms;
    this.deadlineMs = Math.min(call.deadlineMs, latest);
    // The engine keeps the caller's own deadline; the host's is needed only where it is nearer.
    if (latest < call.deadlineMs) invoker.requestTime.begin(this);
    call.read();
  }

  get metadata(): MetadataView {
    return this.#call.metadata;
  }

  get peer(): string {
    return this.#call.peer;
  }

  onMessage(message: Uint8Array): void {
    this.#message = message;
  }

  onHalfClose(): void {
    const message = this.#message;
    if (message === undefined || this.#ended) return;
    try {
      const { service, path, data } = this.#rpc.decodeRequest(message);
      this.service = service;
      this.path = path;
      this.payloads = data;
    } catch (cause) {
      const text = `the message is not a ${this.method} request`;
      this.giveUp(servingError("MALFORMED_REQUEST", text, { cause }));
      return;
    }
    void this.#run();
  }

  onClose(): void {
    if (this.#ended) return;
    const late = this.#invoker.clock.now() >= this.deadlineMs;
    const reason = late
      ? servingError("DEADLINE_EXCEEDED", "the call's time is over")
      : servingError("CANCELLED", "the caller gave the call up");
    this.#count(reason.code);
    this.abort.abort(reason);
  }

  outOfTime(): void {
    const text = `the call took longer than the host's ${this.#invoker.requestTime.ms} ms`;
    this.giveUp(servingError("DEADLINE_EXCEEDED", text));
  }

  giveUp(error: ServingError): void {
    if (!this.#ended) this.#end(rpcStatusOf(error, deliberateTrailers(error)));
    this.abort.abort(error);
  }

  /** Never rejects: whatever goes wrong ends the call. */
  async #run(): Promise<void> {
    try {
      const outcome = await this.#invoker.invoke(this);
      if (isSequence(outcome.payloads)) await this.#answerPieces(outcome, outcome.payloads);
      else this.#answer(outcome, outcome.payloads);
    } catch (thrown) {
      this.giveUp(ServingError.from(thrown));
    }
  }

  #answer(outcome: Outcome, payloads: Uint8Array): void {
    if (this.#ended) return;
    if (outcome.headers !== emptyMetadata) this.#call.sendHeaders(outcome.headers);
    this.#call.send(this.#rpc.encodeResponse({ data: payloads, status: outcome.status }));
    this.#endOk(outcome);
  }

  async #answerPieces(outcome: Outcome, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const { requestTime, pieceTime } = this.#invoker;
    const gap: TimeLimited = { outOfTime: () => this.giveUp(gapError(pieceTime.ms)) };
    try {
      let first = true;
      for await (const piece of pieces) {
        if (this.#ended) return;
        if (first) {
          // The time limit of a stream is that of its first message; from then on gaps count.
          first = false;
          requestTime.end(this);
          if (outcome.headers !== emptyMetadata) this.#call.sendHeaders(outcome.headers);
        }
        pieceTime.end(gap);
        pieceTime.begin(gap);
        const message = this.#rpc.encodeResponse({ data: piece, status: 0 });
        await sendFlushed(this.#call, message, this.abort);
      }
    } finally {
      pieceTime.end(gap);
    }
    this.#endOk(outcome);
  }

  #endOk(outcome: Outcome): void {
    const { trailers } = outcome;
    if (this.#ended) return;
    this.#end({
      code: Status.OK,
      message: "",
      ...(trailers === emptyMetadata ? {} : { trailers }),
    });
  }

  #end(status: RpcStatus): void {
    this.#count(status.code);
    this.#call.end(status);
  }

  #count(code: Status): void {
    this.#ended = true;
    this.#invoker.requestTime.end(this);
    this.#series.ended(statusName(code), this.#invoker.clock.now() - this.arrivedMs);
  }
}
