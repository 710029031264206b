import { CallAbort } from "../core/call-abort.js";
import { connectionHeaders } from "../core/connection-headers.js";
import { type DoorName, type Invocation, isSequence, type Outcome } from "../core/invocation.js";
import { emptyMetadata, type MetadataView } from "../core/metadata.js";
import { ServingError, servingError } from "../core/serving-error.js";
import type { TimeLimited } from "../core/time-limit.js";
import type { HttpHeaders, HttpRequest, ReadBodyOptions } from "../server/http.js";
import { LOAD_HEADER } from "../wire/load-report.js";
import { type CallSeries, gapError, type Invoker, pieceProblem } from "./invoker.js";
import { processorErrorReply } from "./processor-error.js";

const noBytes = new Uint8Array(0);

/** Where an EAS request wants to go. */
export interface EasRoute {
  /** NAME of `/api/predict/NAME`; empty for any other path. */
  readonly service: string;
  /** What the processor sees as `call.path`. */
  readonly path: string;
}

/** EAS's predict over HTTP: the body in, the processor's answer with its status out. */
export type EasDoor = (request: HttpRequest, route: EasRoute) => Promise<void>;

/** A call that has not been admitted yet; it may be given up meanwhile. */
export interface UndecodedCall {
  readonly request: HttpRequest;
  readonly abort: CallAbort;
  /** Why it would be refused: see {@link Invoker.refusal}. */
  readonly refusal: (bodiesAhead?: number) => ServingError | undefined;
}

/** Makes what the processor is given of a body as it was sent. */
export type BodyDecoder = (body: Uint8Array, call: UndecodedCall) => Promise<Uint8Array>;

/** How a door reads bodies. */
export interface EasDoorOptions {
  /** Run on each body before its call is admitted. */
  readonly decode?: BodyDecoder | undefined;
  /** Where the bulk of a body begins, from its first bytes; of no use for bodies that are compressed. */
  readonly bulkOffset?: ReadBodyOptions["bulkOffset"];
}

/** Makes the door; `method` names its calls in the counters. */
export function createEasDoor(
  invoker: Invoker,
  method: string,
  options: EasDoorOptions = {},
): EasDoor {
  const series = invoker.series("eas", method);
  return (request, route) => new EasCall(request, route, invoker, series, options).serve();
}

/** One call by EAS's door; it is its own invocation. */
class EasCall implements Invocation, TimeLimited {
  readonly door: DoorName = "eas";
  readonly handler = "process";
  readonly service: string;
  readonly path: string;
  deadlineMs: number;
  readonly callerDeadlineMs: number = Number.POSITIVE_INFINITY;
  payloads: Uint8Array = noBytes;
  requestId: string | undefined = undefined;
  readonly takesPieces: boolean = true;
  readonly abort: CallAbort = new CallAbort();
  readonly #request: HttpRequest;
  readonly #invoker: Invoker;
  readonly #series: CallSeries;
  readonly #options: EasDoorOptions;
  #ended = false;

  constructor(
    request: HttpRequest,
    route: EasRoute,
    invoker: Invoker,
    series: CallSeries,
    options: EasDoorOptions,
  ) {
    this.#request = request;
    this.#invoker = invoker;
    this.#series = series;
    this.#options = options;
    this.service = route.service;
    this.path = route.path;
    this.deadlineMs = request.arrivedMs + invoker.requestTime.ms;
  }

  get method(): string {
    return this.#request.method;
  }

  get query(): string {
    return this.#request.query;
  }

  get metadata(): MetadataView {
    return this.#request.headers;
  }

  get peer(): string {
    return this.#request.peer;
  }

  get arrivedMs(): number {
    return this.#request.arrivedMs;
  }

  async serve(): Promise<void> {
    this.#series.started();
    this.#invoker.requestTime.begin(this);
    this.#request.onClose(() => this.#callerLeft());
    try {
      this.payloads = await this.#readBody();
      if (this.#ended) return;
      const outcome = await this.#invoker.invoke(this);
      if (isSequence(outcome.payloads)) await this.#answerPieces(outcome, outcome.payloads);
      else this.#answer(outcome, outcome.payloads);
    } catch (thrown) {
      this.giveUp(ServingError.from(thrown));
    }
  }

  #readBody(): Promise<Uint8Array> {
    const { decode, bulkOffset } = this.#options;
    if (decode === undefined) return this.#request.readBody({ bulkOffset });
    const call: UndecodedCall = {
      request: this.#request,
      abort: this.abort,
      refusal: (bodiesAhead) => this.#invoker.refusal(this, bodiesAhead),
    };
    return this.#request.readBody({
      decode: (body) => decode(body, call),
      bulkOffset,
    });
  }

  outOfTime(): void {
    const text = `the call took longer than the host's ${this.#invoker.requestTime.ms} ms`;
    this.giveUp(servingError("DEADLINE_EXCEEDED", text));
  }

  #callerLeft(): void {
    const reason = servingError("CANCELLED", "the caller gave the call up");
    if (!this.#ended) this.#end(499, reason);
    this.abort.abort(reason);
  }

  giveUp(error: ServingError): void {
    if (!this.#ended) {
      const reply = processorErrorReply(error);
      this.#end(reply.status, error);
      this.#request.reply({ ...reply, headers: this.#withLoad(reply.headers) });
    }
    this.abort.abort(error);
  }

  #answer(outcome: Outcome, body: Uint8Array): void {
    if (this.#ended) return;
    const status = httpStatus(outcome);
    this.#request.reply({ status, headers: this.#withLoad(answerHeaders(outcome.headers)), body });
    this.#end(status, undefined);
  }

  // The status line goes out with the first piece: a sequence that fails before it is still answered as an error.
  async #answerPieces(outcome: Outcome, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const iterator = pieces[Symbol.asyncIterator]();
    const first = this.#ended ? undefined : await iterator.next();
    if (this.#ended || first === undefined) {
      await iterator.return?.();
      return;
    }
    const problem = first.done === true ? undefined : pieceProblem(first.value, this.#invoker);
    if (problem !== undefined) {
      this.giveUp(problem);
      await iterator.return?.();
      return;
    }
    const status = httpStatus(outcome);
    const head = { status, headers: this.#withLoad(answerHeaders(outcome.headers)) };
    try {
      await this.#request.replyInPieces(head, this.#paced(status, first, iterator));
    } finally {
      // A body that was never begun runs none of its code.
      await iterator.return?.();
    }
    if (!this.#ended) this.#callerLeft();
  }

  /** The pieces, from the first one on, begun when the head is out; a gap that is too long breaks the answer off. */
  async *#paced(
    status: number,
    first: IteratorResult<Uint8Array>,
    rest: AsyncIterator<Uint8Array>,
  ): AsyncIterable<Uint8Array> {
    this.#end(status, undefined);
    this.deadlineMs = this.callerDeadlineMs;
    if (first.done === true) return;
    const { pieceTime } = this.#invoker;
    const gap: TimeLimited = {
      outOfTime: () => {
        const error = gapError(pieceTime.ms);
        this.abort.abort(error);
        this.#request.breakOff();
      },
    };
    try {
      for (let { value } = first; ; ) {
        pieceTime.end(gap);
        pieceTime.begin(gap);
        yield value;
        const next = await rest.next();
        if (next.done === true) return;
        const problem = pieceProblem(next.value, this.#invoker);
        if (problem !== undefined) throw problem;
        value = next.value;
      }
    } finally {
      pieceTime.end(gap);
    }
  }

  /** What the processor says of its own load counts more than what the host says. */
  #withLoad(headers: HttpHeaders = {}): HttpHeaders {
    const { load } = this.#invoker;
    return load === undefined ? headers : { [LOAD_HEADER]: load.signs().header, ...headers };
  }

  #end(status: number, error: ServingError | undefined): void {
    this.#ended = true;
    this.#invoker.requestTime.end(this);
    this.#series.ended(this, String(status), error);
  }
}

/** 0 is EAS's other word for success. */
function httpStatus(outcome: Outcome): number {
  return outcome.status === 0 ? 200 : outcome.status;
}

const plainHeaders: HttpHeaders = { "content-type": "application/octet-stream" };

function answerHeaders(metadata: MetadataView): HttpHeaders {
  if (metadata === emptyMetadata) return plainHeaders;
  const headers: Record<string, string> = { ...plainHeaders };
  for (const [key, value] of metadata.entries()) {
    // A processor may not set those of the connection.
    if (typeof value === "string" && !connectionHeaders.has(key)) headers[key] = value;
  }
  return headers;
}
