import { emptyMetadata, type MetadataView } from "../../core/metadata.js";
import type { Clock } from "../../core/ports.js";
import type { CallReport } from "../../core/serving-error.js";
import { Status } from "../../core/status.js";
import type { TimeLimit, TimeLimited } from "../../core/time-limit.js";
import { localEnd } from "../../transport/local-end.js";
import type { AttemptEnd } from "../../transport/transport.js";
import type { AttemptFate } from "../metrics/channel-metrics.js";
import type { PoolMember } from "../pool/pool-member.js";
import { type AttemptOwner, CallAttempt } from "./call-attempt.js";
import type { CallDeadline } from "./call-deadline.js";
import { CallLog } from "./call-log.js";
import type { CallStart, RequestHead } from "./call-start.js";
import type { AskToken } from "./call-token.js";
import { hedgeDelayOf } from "./hedge-delay.js";
import { outOfTimeEnd, overtakenEnd } from "./local-ends.js";
import { NextAttempt, type NextAttemptOwner } from "./next-attempt.js";
import { RequestReplay } from "./request-replay.js";
import { decideRetry, isGivenUp, type RetryDecision } from "./retry-policy.js";

/** Whose attempts they are. */
export interface CourseOwner {
  /** Of a stream of answers. */
  onHeaders(headers: MetadataView): void;
  onMessage(message: Uint8Array): void;
  /** This attempt is the call's answer, or its failure; no other is under way. */
  onDecided(attempt: CallAttempt, end: AttemptEnd): void;
  /** The call cannot go on; may come from inside `begin`. */
  onStuck(end: AttemptEnd, cause: unknown): void;
}

/**
 * The attempts of one call: one after the other, each on an instance that the pool picks, until one counts.
 *
 * ```
 *  begin ──> [first list] ──> [token] ──> pick ──> attempt ──> decided
 *                                ^          │        │  │
 *                                │          │        │  └─ [hedge: no answer in time, so another one beside it] ──┐
 *                                │          └──> [wait for an instance]                                           │
 *                                └───── [delay] <────┘ failed, and safe to repeat                                 │
 *                                └────────────────────────────────────────────────────────────────────────────────┘
 * ```
 *
 * What is in brackets happens only when it has to: with a list and a connection, the way from begin to attempt is one
 * synchronous run. A single answer is handed over whole, when its status has come, so until then there may be another
 * attempt. A stream of answers is committed by its headers, as gRPC has it: after them there is none.
 *
 * Several attempts at once are of the same kind as several in a row: the first OK, or the first failure that must not be
 * repeated, decides; the others are given up. A failure that may be repeated leaves the call to those under way.
 */
export class AttemptCourse implements AttemptOwner, NextAttemptOwner, TimeLimited {
  readonly singleAnswer: boolean;
  readonly log: CallLog;
  readonly #start: CallStart;
  readonly #owner: CourseOwner;
  readonly #deadline: CallDeadline;
  readonly #request: RequestReplay;
  /** Undefined when the call is not hedged. */
  readonly #hedgeDelay: TimeLimit | undefined;
  #head: RequestHead | undefined;
  #askToken: AskToken | undefined;
  /** Made when something has to be waited for. */
  #next: NextAttempt | undefined;
  #underWay = 0;
  /** The next attempt has been taken from the budget. */
  #paid = false;
  /** Made by the first attempt that is not the only one. */
  #tried: Set<string> | undefined;
  /** Attempts that count towards `maxAttempts`. */
  #counted = 0;
  /** Hedges that could not be made; so they end, however often there is no budget. */
  #missed = 0;
  /** Until then nobody whom the call has tried is asked again. */
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #forbidden = false;
  #answerBegun = false;
  #reading = false;
  #latest: CallAttempt | undefined;
  #lastEnd: AttemptEnd | undefined;

  constructor(start: CallStart, deadline: CallDeadline, owner: CourseOwner) {
    this.#start = start;
    this.#deadline = deadline;
    this.#owner = owner;
    this.log = new CallLog(deadline);
    this.#request = new RequestReplay(start.method.requestStream);
    this.singleAnswer = !start.method.responseStream;
    this.#hedgeDelay = hedgeDelayOf(start);
  }

  /** The instance of the attempt that decided, or of the latest one. */
  get instance(): string | undefined {
    return this.#latest?.member.key;
  }

  get clock(): Clock {
    return this.#start.core.clock;
  }

  get remainingMs(): number {
    return this.#deadline.leftMs(this.#start.core.clock.now());
  }

  /** Makes the first attempt; `askToken` comes before each. */
  begin(head: RequestHead, askToken: AskToken | undefined): void {
    this.#head = head;
    this.#askToken = askToken;
    // With a list, and no token to ask for, there is nothing to wait for.
    if (askToken === undefined && this.#start.core.list.snapshot !== undefined) this.onWayFree();
    else this.#waiting().go();
  }

  /** Takes the next message of the request. */
  send(message: Uint8Array, flushed: (() => void) | undefined): void {
    this.#request.push(message, flushed);
    if (this.#request.tooLarge) this.#request.commit();
  }

  /** The request is complete. */
  halfClose(): void {
    this.#request.end();
  }

  /** Asks for one message of the answer. */
  read(): void {
    this.#reading = true;
    for (const attempt of this.log.attempts) attempt.read();
  }

  /** Ends all attempts as this side has decided; no other one follows. */
  giveUp(end: AttemptEnd): void {
    this.#stopNext();
    this.#cancelOthers(end, "given-up");
  }

  /** The call is over: lets go of the request. */
  release(): void {
    this.#request.release();
  }

  report(): CallReport {
    return this.log.report(this.#start.core.clock.now());
  }

  onHeaders(headers: MetadataView): void {
    this.#answerBegun = true;
    this.#request.commit();
    this.#owner.onHeaders(headers);
  }

  onMessage(message: Uint8Array): void {
    this.#reading = false;
    this.#owner.onMessage(message);
  }

  onAttemptEnd(attempt: CallAttempt, end: AttemptEnd): void {
    this.#underWay--;
    if (attempt === this.#latest) this.#request.detach();
    this.#start.core.pool.ended(attempt.member, end, attempt.durationMs);
    if (end.code === Status.OK) this.#decide(attempt, end, "answered");
    else this.#onFailure(attempt, end);
  }

  onWayFree(): void {
    const { core } = this.#start;
    const now = core.clock.now();
    const hedge = this.#underWay > 0;
    if (now >= this.#deadline.atMs) this.onNoWay(outOfTimeEnd(), undefined);
    else if (hedge && !this.#otherInstance()) this.#missHedge();
    else {
      const member = core.pool.pick(this.#tried);
      this.log.picked(now, core.list.snapshot, core.pool.usable);
      if (member === undefined) this.#waiting().goWithInstance(this.#lastEnd);
      else this.#attemptOn(member, now, hedge);
    }
  }

  outOfTime(): void {
    this.onHedgeDue();
  }

  onHedgeDue(): void {
    const ready = this.#request.complete && this.#otherInstance();
    if (ready && this.#pay()) this.#waiting().go();
    else this.#missHedge();
  }

  onNoWay(end: AttemptEnd, cause: unknown): void {
    this.#giveBack();
    // Without a hedge the others may still do.
    if (this.#underWay === 0) this.#owner.onStuck(end, cause);
  }

  onFirstList(): void {
    this.log.resolveMs = this.#start.core.clock.now() - this.#deadline.startedMs;
  }

  #attemptOn(member: PoolMember, startedMs: number, hedge: boolean): void {
    const { method } = this.#start;
    const attempt = new CallAttempt(this, member, startedMs, hedge);
    this.#latest = attempt;
    this.log.begun(attempt);
    this.#underWay++;
    this.#tried?.add(member.key);
    const metadata = this.#head?.view ?? emptyMetadata;
    const timeoutMs = this.#deadline.atMs - startedMs;
    const previousAttempts = this.#counted++;
    const { path } = method;
    try {
      const started = attempt.start({ path, metadata, timeoutMs, previousAttempts });
      this.#request.attach(started);
    } catch (cause) {
      const end = localEnd("INTERNAL", `no attempt could be made on ${member.key}`);
      this.#cancel(attempt, end, "not-made");
      this.onNoWay(end, cause);
      return;
    }
    this.#paid = false;
    if (this.#reading) attempt.read();
    this.#awaitHedge(startedMs);
  }

  /** Begins the time after which there may be an attempt beside those under way. */
  #awaitHedge(nowMs: number): void {
    const delay = this.#hedgeDelay;
    if (delay !== undefined && this.#mayHedgeIn(delay.ms, nowMs)) delay.begin(this);
  }

  #mayHedgeIn(ms: number, nowMs: number): boolean {
    const left = this.#counted + this.#missed < this.#start.method.maxAttempts;
    return left && !this.#forbidden && ms < this.#deadline.leftMs(nowMs);
  }

  #missHedge(): void {
    this.#giveBack();
    this.#missed++;
    this.#awaitHedge(this.clock.now());
  }

  #onFailure(attempt: CallAttempt, end: AttemptEnd): void {
    const { method, extras } = this.#start;
    const now = this.clock.now();
    this.#lastEnd = end;
    const otherInstance = this.#otherInstance();
    const decision = decideRetry({
      end,
      attempts: this.#counted,
      maxAttempts: method.maxAttempts,
      answerBegun: this.#answerBegun,
      requestKept: !this.#request.tooLarge,
      idempotent: extras.idempotent ?? method.idempotent,
      remainingMs: this.remainingMs,
      restMs: this.#restUntilMs - now,
      otherInstance,
      othersUnderWay: this.#underWay > 0,
      forbidden: this.#forbidden,
    });
    if (!decision.counted) this.#counted--;
    this.#restUntilMs = Math.max(this.#restUntilMs, now + decision.restMs);
    const outcome = decision.retry ? this.#repeat(decision, otherInstance) : decision.outcome;
    if (outcome === "server-said-no") {
      this.#forbidden = true;
      this.#stopNext();
    }
    const goesOn = outcome === "repeated" || this.#underWay > 0 || this.#next?.coming === true;
    if (decision.final || !goesOn) {
      this.#decide(attempt, end, outcome);
      return;
    }
    attempt.drop();
    this.#settle(attempt, outcome);
  }

  /** Lets another attempt follow, or leaves the call to those under way. */
  #repeat({ delayMs, budgeted }: RetryDecision, otherInstance: boolean): AttemptFate {
    if (this.#next?.coming === true) return "repeated";
    if (this.#underWay > 0) {
      if (!otherInstance) return "left-to-others";
      if (delayMs > 0) {
        if (this.#mayHedgeIn(delayMs, this.clock.now())) this.#waiting().hedgeAfter(delayMs);
        return "left-to-others";
      }
    }
    if (budgeted && !this.#pay()) return "budget-empty";
    if (delayMs === 0) this.#waiting().go();
    else this.#waiting().goAfter(delayMs);
    return "repeated";
  }

  #decide(attempt: CallAttempt, end: AttemptEnd, outcome: AttemptFate): void {
    this.#latest = attempt;
    this.#stopNext();
    this.#settle(attempt, outcome);
    // What has ended this one for want of time has ended the others too.
    if (isGivenUp(end)) this.#cancelOthers(end, "given-up");
    else this.#cancelOthers(overtakenEnd, "overtaken");
    this.#owner.onDecided(attempt, end);
  }

  #cancelOthers(end: AttemptEnd, outcome: AttemptFate): void {
    if (this.#underWay === 0) return;
    this.#request.detach();
    for (const attempt of this.log.attempts) {
      if (!attempt.over) this.#cancel(attempt, end, outcome);
    }
  }

  #cancel(attempt: CallAttempt, end: AttemptEnd, outcome: AttemptFate): void {
    this.#underWay--;
    attempt.giveUp(end);
    this.#start.core.pool.ended(attempt.member, end, attempt.durationMs);
    this.#settle(attempt, outcome);
  }

  /** What the next attempt waits with, instead of for its hedge's delay. */
  #waiting(): NextAttempt {
    this.#hedgeDelay?.end(this);
    this.#next ??= new NextAttempt(this.#start.core, this, this.#askToken);
    return this.#next;
  }

  /** There is no next attempt. */
  #stopNext(): void {
    this.#hedgeDelay?.end(this);
    this.#next?.stop();
    this.#giveBack();
  }

  #pay(): boolean {
    this.#paid = this.#start.core.budget.withdraw();
    return this.#paid;
  }

  /** What was taken from the budget for an attempt that is not made after all. */
  #giveBack(): void {
    if (this.#paid) this.#start.core.budget.giveBack();
    this.#paid = false;
  }

  #settle(attempt: CallAttempt, outcome: AttemptFate): void {
    attempt.outcome = outcome;
    const { core, method } = this.#start;
    core.metrics.attemptEnded(method, outcome, attempt.hedge);
  }

  #otherInstance(): boolean {
    this.#tried ??= new Set(this.log.attempts.map(({ member }) => member.key));
    return this.#start.core.pool.hasOther(this.#tried);
  }
}
