import type { MetadataView } from "../../core/metadata.js";
import type { CancelTimer, Clock } from "../../core/ports.js";
import type { AttemptOutcome, AttemptReport } from "../../core/serving-error.js";
import { localEnd } from "../../transport/local-end.js";
import type {
  Attempt,
  AttemptEnd,
  AttemptListener,
  AttemptStart,
} from "../../transport/transport.js";
import type { PoolMember } from "../pool/pool-member.js";

/** Whose attempt it is: told of what arrives, but for single answers, which the attempt holds back. */
export interface AttemptOwner {
  readonly clock: Clock;
  /**
   * The method has one answer: it is held back until somebody asks for it, so that an attempt that breaks half-way, or is
   * overtaken, leaves no trace.
   */
  readonly singleAnswer: boolean;
  onHeaders(headers: MetadataView): void;
  onMessage(message: Uint8Array): void;
  /** Told once and last, unless the owner has given the attempt up. */
  onAttemptEnd(attempt: CallAttempt, end: AttemptEnd): void;
}

/** One attempt of a call on one instance, with its answer and the note of how it went. */
export class CallAttempt implements AttemptListener {
  readonly member: PoolMember;
  readonly hedge: boolean;
  outcome: AttemptOutcome = "under-way";
  readonly #owner: AttemptOwner;
  readonly #startedMs: number;
  #attempt: Attempt | undefined;
  #stopListening: CancelTimer | undefined;
  #connectedMs = Number.POSITIVE_INFINITY;
  #answeredMs = Number.POSITIVE_INFINITY;
  #endedMs = Number.POSITIVE_INFINITY;
  #end: AttemptEnd | undefined;
  #headers: MetadataView | undefined;
  #message: Uint8Array | undefined;

  /** @param hedge - another attempt of the same call is under way */
  constructor(owner: AttemptOwner, member: PoolMember, startedMs: number, hedge: boolean) {
    this.#owner = owner;
    this.member = member;
    this.#startedMs = startedMs;
    this.hedge = hedge;
  }

  /** Whether it has ended. */
  get over(): boolean {
    return this.#end !== undefined;
  }

  /**
   * How long it took, in milliseconds; Infinity while it is under way. NaN of a stream of answers, which takes as long as
   * there is something to say.
   */
  get durationMs(): number {
    return this.#owner.singleAnswer ? this.#endedMs - this.#startedMs : Number.NaN;
  }

  /**
   * Begins; the owner is never called from inside.
   *
   * @throws when no attempt can be made on this instance
   */
  start(start: AttemptStart): Attempt {
    const { transport } = this.member;
    if (transport.state === "ready") this.#connectedMs = this.#startedMs;
    else this.#stopListening = transport.onState((state) => this.#onState(state));
    this.#attempt = transport.start(start, this);
    return this.#attempt;
  }

  /** Asks for one message of the answer. */
  read(): void {
    this.#attempt?.read();
  }

  /** Ends it on this side, as `end` says; the owner hears no more of it. */
  giveUp(end: AttemptEnd): void {
    const attempt = this.#attempt;
    this.#note(end);
    attempt?.cancel(end.code, end.message);
  }

  onHeaders(headers: MetadataView): void {
    if (this.#end !== undefined) return;
    this.#noteAnswer();
    if (this.#owner.singleAnswer) this.#headers = headers;
    else this.#owner.onHeaders(headers);
  }

  onMessage(message: Uint8Array): void {
    if (this.#end !== undefined) return;
    this.#noteAnswer();
    if (!this.#owner.singleAnswer) this.#owner.onMessage(message);
    else if (this.#message === undefined) {
      this.#message = message;
      // Whether there is another one: it would keep the status behind it from being read.
      this.#attempt?.read();
    } else
      this.#fail(localEnd("ANSWER_MALFORMED", "the answer has a second message, expected one"));
  }

  onEnd(end: AttemptEnd): void {
    if (this.#end !== undefined) return;
    this.#note(end);
    this.#owner.onAttemptEnd(this, end);
  }

  /** Hands over the single answer that was held back: what there is of it. */
  handOver(listener: AttemptListener): void {
    const headers = this.#headers;
    const message = this.#message;
    this.drop();
    if (headers !== undefined) listener.onHeaders(headers);
    if (message !== undefined) listener.onMessage(message);
  }

  /** Lets go of the answer. */
  drop(): void {
    this.#headers = undefined;
    this.#message = undefined;
  }

  /** How it went so far. */
  report(callStartedMs: number, nowMs: number): AttemptReport {
    const startedMs = this.#startedMs;
    const endMs = Math.min(this.#endedMs, nowMs);
    // What never came took until the end.
    const connectedMs = Math.min(this.#connectedMs, endMs);
    const answeredMs = Math.max(connectedMs, Math.min(this.#answeredMs, endMs));
    return {
      instance: this.member.key,
      code: this.#end?.code,
      reason: this.#end?.reason,
      outcome: this.outcome,
      hedge: this.hedge,
      startedMs: startedMs - callStartedMs,
      connectMs: connectedMs - startedMs,
      waitMs: answeredMs - connectedMs,
      transferMs: endMs - answeredMs,
      durationMs: endMs - startedMs,
    };
  }

  /** Ends it for what the instance has sent. */
  #fail(end: AttemptEnd): void {
    this.giveUp(end);
    this.drop();
    this.#owner.onAttemptEnd(this, end);
  }

  #onState(state: string): void {
    if (state === "ready") this.#connectedMs = this.#owner.clock.now();
    if (state === "ready" || state === "closed") this.#stopListening?.();
  }

  #noteAnswer(): void {
    if (this.#answeredMs === Number.POSITIVE_INFINITY) this.#answeredMs = this.#owner.clock.now();
  }

  #note(end: AttemptEnd): void {
    this.#end = end;
    this.#endedMs = this.#owner.clock.now();
    this.#stopListening?.();
    this.#attempt = undefined;
  }
}
