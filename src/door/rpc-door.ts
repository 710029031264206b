import { CallAbort } from "../core/call-abort.js";
import {
  type DoorName,
  type Handler,
  type Invocation,
  isSequence,
  type Outcome,
  type Payloads,
} from "../core/invocation.js";
import { emptyMetadata, type MetadataView, metadataOf } from "../core/metadata.js";
import { abandonPieces } from "../core/pieces.js";
import type { RpcHead } from "../core/rpc-definition.js";
import { ServingError, servingError } from "../core/serving-error.js";
import { Status, statusName } from "../core/status.js";
import type { TimeLimited } from "../core/time-limit.js";
import type { RpcCall, RpcReader, RpcRoute, RpcStatus } from "../server/rpc.js";
import { sendFlushed } from "../server/typed-rpc.js";
import { LOAD_TRAILER } from "../wire/load-report.js";
import {
  type CallSeries,
  closedByCaller,
  gapError,
  type Invoker,
  pieceProblem,
  seriesByDoor,
} from "./invoker.js";
import { processorErrorStatus } from "./processor-error.js";
import { RequestPieces } from "./request-pieces.js";

/** What a single request asks for. */
export interface RpcQuestion {
  readonly service: string;
  readonly path: string;
  readonly data: Uint8Array;
}

/** A method that this door answers: what of the processor it runs, and how its messages hold payloads. */
export interface DoorRpc extends RpcHead {
  readonly handler: Handler;
  /** Takes a single request apart; throws when it is none. Messages of a request stream are payloads as they are. */
  readonly decodeRequest: (message: Uint8Array) => RpcQuestion;
  readonly encodeResponse: (answer: { data: Uint8Array; status: number }) => Uint8Array;
}

/** A method of any of the four kinds over gRPC, gRPC-Web and Connect. */
export function doorRoute(rpc: DoorRpc, invoker: Invoker): RpcRoute {
  const series = seriesByDoor((door) => invoker.series(door, rpc.path));
  return {
    path: rpc.path,
    requestStream: rpc.requestStream,
    responseStream: rpc.responseStream,
    accept: (call) => new DoorCall(call, rpc, invoker, series[call.door]),
  };
}

const noBytes = new Uint8Array(0);

/**
 * One call: reads its messages, is its own invocation, and sends the outcome. A single request is read before the call is
 * admitted; a request stream is read while it is answered, at the pace of whoever answers.
 */
class DoorCall implements RpcReader, Invocation, TimeLimited {
  readonly door: DoorName;
  readonly handler: Handler;
  service = "";
  path = "";
  readonly query = "";
  requestId: string | undefined = undefined;
  readonly method: string;
  readonly arrivedMs: number;
  deadlineMs: number;
  readonly callerDeadlineMs: number;
  payloads: Payloads = noBytes;
  readonly takesPieces: boolean;
  readonly abort: CallAbort = new CallAbort();
  readonly #call: RpcCall;
  readonly #rpc: DoorRpc;
  readonly #invoker: Invoker;
  readonly #series: CallSeries;
  #message: Uint8Array | undefined;
  readonly #requests: RequestPieces | undefined;
  /** Watches over a stream that makes no progress; made for those that need it. */
  #gap: TimeLimited | undefined;
  #gapRuns = false;
  /** The first piece of the answer is there. */
  #answering = false;
  #ended = false;

  constructor(call: RpcCall, rpc: DoorRpc, invoker: Invoker, series: CallSeries) {
    this.#call = call;
    this.#rpc = rpc;
    this.#invoker = invoker;
    this.#series = series;
    this.door = call.door;
    this.handler = rpc.handler;
    this.method = rpc.path;
    this.takesPieces = rpc.responseStream;
    this.arrivedMs = invoker.clock.now();
    series.started();
    const latest = this.arrivedMs + invoker.requestTime.ms;
    this.callerDeadlineMs = call.deadlineMs;
    this.deadlineMs = Math.min(this.callerDeadlineMs, latest);
    // The engine keeps the caller's own deadline; the host's is needed only where it is nearer.
    if (latest < this.callerDeadlineMs) invoker.requestTime.begin(this);
    if (rpc.requestStream) this.#requests = this.#beginStream();
    else call.read();
  }

  get metadata(): MetadataView {
    return this.#call.metadata;
  }

  get peer(): string {
    return this.#call.peer;
  }

  #beginStream(): RequestPieces {
    const requests = new RequestPieces(() => {
      // From here on the caller is waited for.
      if (!this.#gapRuns) this.#beginGap();
      this.#call.read();
    });
    this.payloads = requests;
    this.abort.onAbort((error) => requests.fail(error));
    void this.#run();
    return requests;
  }

  onMessage(message: Uint8Array): void {
    this.#series.received();
    if (this.#requests === undefined) {
      this.#message = message;
      return;
    }
    this.#moved();
    this.#requests.arrived(message);
  }

  onHalfClose(): void {
    if (this.#ended) return;
    if (this.#requests !== undefined) {
      this.#moved();
      this.#requests.halfClosed();
      return;
    }
    const message = this.#message;
    if (message === undefined) return;
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

  onClose(error?: ServingError): void {
    if (this.#ended) return;
    const reason = error ?? closedByCaller(this.#invoker.clock.now() >= this.deadlineMs);
    this.#count(reason.code, reason);
    this.abort.abort(reason);
  }

  refusal(): ServingError | undefined {
    return this.#invoker.refusal(this);
  }

  outOfTime(): void {
    const text = `the call took longer than the host's ${this.#invoker.requestTime.ms} ms`;
    this.giveUp(servingError("DEADLINE_EXCEEDED", text));
  }

  giveUp(error: ServingError): void {
    if (!this.#ended) this.#end(processorErrorStatus(error), error);
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
    this.#sendHeaders(outcome);
    this.#series.sent();
    this.#call.send(this.#rpc.encodeResponse({ data: payloads, status: outcome.status }));
    this.#endOk(outcome);
  }

  async #answerPieces(outcome: Outcome, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#ended) {
      await abandonPieces(pieces);
      return;
    }
    for await (const piece of pieces) {
      if (this.#ended) return;
      const problem = pieceProblem(piece, this.#invoker);
      if (problem !== undefined) {
        this.giveUp(problem);
        return;
      }
      if (!this.#answering) this.#beginAnswer(outcome);
      this.#moved();
      const message = this.#rpc.encodeResponse({ data: piece, status: 0 });
      this.#series.sent();
      await sendFlushed(this.#call, message, this.abort);
      if (this.#ended) return;
    }
    if (this.#ended) return;
    if (!this.#answering) this.#sendHeaders(outcome);
    this.#endOk(outcome);
  }

  /** The time limit of a stream is that of its first message; from then on gaps count. */
  #beginAnswer(outcome: Outcome): void {
    this.#answering = true;
    this.#invoker.requestTime.end(this);
    this.deadlineMs = this.callerDeadlineMs;
    this.#sendHeaders(outcome);
  }

  #sendHeaders(outcome: Outcome): void {
    const { headers } = outcome;
    if (headers !== emptyMetadata) this.#call.sendHeaders(headers);
  }

  /** A message came or went: the gap before it is over, and another begins once the answer has begun. */
  #moved(): void {
    this.#endGap();
    if (this.#answering) this.#beginGap();
  }

  #beginGap(): void {
    const { pieceTime } = this.#invoker;
    this.#gap ??= { outOfTime: () => this.giveUp(gapError(pieceTime.ms)) };
    this.#gapRuns = true;
    pieceTime.begin(this.#gap);
  }

  #endGap(): void {
    this.#gapRuns = false;
    if (this.#gap !== undefined) this.#invoker.pieceTime.end(this.#gap);
  }

  #endOk(outcome: Outcome): void {
    const { trailers } = outcome;
    const ok: RpcStatus = {
      code: Status.OK,
      message: "",
      ...(trailers === emptyMetadata ? {} : { trailers }),
    };
    this.#end(ok, undefined);
    this.#requests?.halfClosed();
  }

  #end(status: RpcStatus, error: ServingError | undefined): void {
    this.#count(status.code, error);
    this.#call.end(this.door === "grpc" ? withLoad(status, this.#invoker) : status);
  }

  #count(code: Status, error: ServingError | undefined): void {
    this.#ended = true;
    this.#invoker.requestTime.end(this);
    this.#endGap();
    this.#series.ended(this, statusName(code), error);
  }
}

/** What the processor says of its own load counts more than what the host says. */
function withLoad(status: RpcStatus, { load }: Invoker): RpcStatus {
  if (load === undefined) return status;
  const told = load.signs().trailers;
  const { trailers } = status;
  if (trailers === undefined) return { ...status, trailers: told };
  if (trailers.get(LOAD_TRAILER) !== undefined) return status;
  return { ...status, trailers: metadataOf([...trailers.entries(), ...told.entries()]) };
}
