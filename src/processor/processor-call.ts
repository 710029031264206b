import { setMaxListeners } from "node:events";
import { Metadata } from "nice-grpc-common";
import { AmbientCell } from "../core/ambient-call.js";
import type { DoorName, Invocation } from "../core/invocation.js";
import { emptyMetadata, type MetadataView, metadataOf } from "../core/metadata.js";
import type { Clock, Logger } from "../core/ports.js";
import { reasonNotToBegin } from "../core/reason-not-to-begin.js";
import { type TraceContext, traceContextOf } from "../core/trace-context.js";
import type { Call } from "./processor.js";
import { requestIdOf } from "./request-id.js";

/** A {@link Call} over an invocation; whatever costs something is made when it is first asked for. */
export class ProcessorCall implements Call {
  readonly #invocation: Invocation;
  readonly #clock: Clock;
  readonly #hostLogger: Logger;
  #metadata: Metadata | undefined;
  #header: Metadata | undefined;
  #trailer: Metadata | undefined;
  #query: URLSearchParams | undefined;
  #logger: Logger | undefined;
  /** null: not looked for yet. */
  #trace: TraceContext | undefined | null = null;
  #signal: AbortSignal | undefined;
  #ambient: AmbientCell | undefined;
  #answered = false;

  constructor(invocation: Invocation, clock: Clock, logger: Logger) {
    this.#invocation = invocation;
    this.#clock = clock;
    this.#hostLogger = logger;
  }

  get door(): DoorName {
    return this.#invocation.door;
  }

  get method(): string {
    return this.#invocation.method;
  }

  get path(): string {
    return this.#invocation.path;
  }

  get peer(): string {
    return this.#invocation.peer;
  }

  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      this.#signal = this.#invocation.abort.signal;
      // Each call that is made on behalf of this one listens: Node takes more than ten for a leak, and says so in the log.
      setMaxListeners(0, this.#signal);
    }
    return this.#signal;
  }

  get metadata(): Metadata {
    this.#metadata ??= niceMetadata(this.#invocation.metadata);
    return this.#metadata;
  }

  get header(): Metadata {
    this.#header ??= Metadata();
    return this.#header;
  }

  get trailer(): Metadata {
    this.#trailer ??= Metadata();
    return this.#trailer;
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.#invocation.query);
    return this.#query;
  }

  get logger(): Logger {
    this.#logger ??= withFields(this.#hostLogger, {
      requestId: requestIdOf(this.#invocation),
      ...(this.trace === undefined ? {} : { traceId: this.trace.traceId }),
    });
    return this.#logger;
  }

  get trace(): TraceContext | undefined {
    if (this.#trace === null) this.#trace = traceContextOf(this.#invocation.metadata);
    return this.#trace;
  }

  /** Headers go out together with the first bytes of the answer; there is nothing to do before. */
  sendHeader(): void {}

  remainingMs(): number {
    if (this.#answered) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#invocation.deadlineMs - this.#clock.now());
  }

  /**
   * Asked as the very last thing before code of the user's begins to work for the call: nothing but time passes between
   * this and that.
   *
   * @throws the invocation's abort reason when it was given up; gives it up, with CallError `DEADLINE_EXCEEDED`, when its
   * time is over, for the timer that would do so may not have run yet.
   */
  throwIfOver(): void {
    const over = reasonNotToBegin(this.#invocation, this.#clock);
    if (over === undefined) return;
    this.#invocation.giveUp(over);
    throw over;
  }

  /** The processor has given its answer, the last piece of it, or an error: nothing it does from now on can be late. */
  answered(): void {
    this.#answered = true;
  }

  /** This call for what runs on its behalf. */
  get ambient(): AmbientCell {
    this.#ambient ??= new AmbientCell(this);
    return this.#ambient;
  }

  /** Answered, and no code of the user's works for the call any more: what it has left running goes on by itself. */
  settled(): void {
    this.#answered = true;
    this.#ambient?.cut();
  }

  /** What the processor put into `header`. */
  get headers(): MetadataView {
    return viewOf(this.#header);
  }

  /** What the processor put into `trailer`. */
  get trailers(): MetadataView {
    return viewOf(this.#trailer);
  }
}

// HTTP allows characters in header values that nice-grpc's metadata refuses; such headers are left out.
function niceMetadata(view: MetadataView): Metadata {
  const metadata = Metadata();
  for (const [key, value] of view.entries()) {
    if (key.startsWith(":")) continue;
    try {
      metadata.append(key, value);
    } catch {
      // Not representable: the processor would not know what to do with it either.
    }
  }
  return metadata;
}

function viewOf(metadata: Metadata | undefined): MetadataView {
  if (metadata === undefined) return emptyMetadata;
  const pairs: (readonly [string, string | Uint8Array])[] = [];
  for (const [key, values] of metadata) {
    for (const value of values) pairs.push([key, value]);
  }
  return metadataOf(pairs);
}

function withFields(logger: Logger, fields: object): Logger {
  return {
    debug: (more, message) => logger.debug({ ...fields, ...more }, message),
    info: (more, message) => logger.info({ ...fields, ...more }, message),
    warn: (more, message) => logger.warn({ ...fields, ...more }, message),
    error: (more, message) => logger.error({ ...fields, ...more }, message),
  };
}
