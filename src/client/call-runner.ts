import { emptyMetadata, type MetadataView } from "../core/metadata.js";
import type { CallReport } from "../core/serving-error.js";
import { Status } from "../core/status.js";
import { cancelledEnd, localEnd } from "../transport/local-end.js";
import type { Attempt, AttemptEnd, AttemptListener } from "../transport/transport.js";
import { CallLog } from "./call-log.js";
import type { CallStart, RequestHead } from "./call-start.js";
import { type AskToken, authorize } from "./call-token.js";
import { handTraceOn } from "./call-trace.js";
import { CallWait } from "./call-wait.js";
import type { OpenCall } from "./channel-core.js";
import type { EndedCall } from "./ended-call.js";
import { noInstanceEnd, silentStreamEnd, unreachableEnd } from "./local-ends.js";
import type { PoolMember } from "./pool-member.js";
import { RequestReplay } from "./request-replay.js";
import { decideRetry } from "./retry-policy.js";
import { SingleAnswer } from "./single-answer.js";
import { StreamWatch } from "./stream-watch.js";

/**
 * One call: one attempt after the other, each on an instance that the pool picks, until one counts.
 *
 * ```
 *  start ──> [wait for the first list] ──> [token] ──> pick ──> attempt ──> end
 *                                             ^          │         │
 *                                             │          └──> [wait for an instance]
 *                                             └── [delay] <────────┘ failed, and safe to repeat
 * ```
 *
 * What is in brackets happens only when it has to: with a list and a connection, the way from start to attempt is one
 * synchronous run. A single answer is handed over whole, when its status has come, so until then there may be another
 * attempt. A stream of answers is committed by its headers, as gRPC has it: after them there is none.
 */
export class CallRunner implements AttemptListener, OpenCall, EndedCall {
  readonly owner: CallStart["owner"];
  readonly #start: CallStart;
  readonly #listener: AttemptListener;
  readonly #request: RequestReplay;
  /** For methods with one answer. */
  readonly #single: SingleAnswer | undefined;
  readonly #wait: CallWait;
  readonly #log: CallLog;
  readonly #startedMs: number;
  readonly #deadlineMs: number;
  #head: RequestHead | undefined;
  #askToken: AskToken | undefined;
  #member: PoolMember | undefined;
  #attempt: Attempt | undefined;
  #tried: Set<string> | undefined;
  /** Earlier attempts that count towards `maxAttempts`. */
  #counted = 0;
  #watch: StreamWatch | undefined;
  /** How this side has decided that the call ends, while its attempt is being ended. */
  #forced: AttemptEnd | undefined;
  #lastEnd: AttemptEnd | undefined;
  #end: AttemptEnd | undefined;
  #cause: unknown;
  #reading = false;
  #committed = false;

  constructor(start: CallStart, listener: AttemptListener) {
    const { core, method, extras } = start;
    this.owner = start.owner;
    this.#start = start;
    this.#listener = listener;
    this.#request = new RequestReplay(method.requestStream);
    this.#single = method.responseStream ? undefined : new SingleAnswer();
    this.#wait = new CallWait(core.clock);
    this.#log = new CallLog(core.clock);
    this.#startedMs = core.clock.now();
    const ownMs = this.#startedMs + (extras.timeoutMs ?? method.timeoutMs);
    this.#deadlineMs = method.responseStream ? start.deadlineMs : Math.min(start.deadlineMs, ownMs);
  }

  /** How the call ended; undefined while it goes on. */
  get end(): AttemptEnd | undefined {
    return this.#end;
  }

  get cause(): unknown {
    return this.#cause;
  }

  /** The instance of the latest attempt. */
  get instance(): string | undefined {
    return this.#member?.key;
  }

  report(): CallReport {
    return this.#log.report();
  }

  /** Begins; the listener is never called from inside. */
  start(head: RequestHead): void {
    const { core, method } = this.#start;
    this.#head = head;
    for (const [key, value] of method.metadata) if (!head.has(key)) head.set(key, value);
    handTraceOn(head);
    this.#askToken = authorize(this.#start.token ?? core.policy.token, head);
    core.calls.add(this);
    core.budget.deposit();
    if (this.owner.closed || core.closed) {
      this.closeDown();
      return;
    }
    if (method.responseStream) this.#watchStream();
    this.#next();
  }

  /** Takes the next message of the request. */
  send(message: Uint8Array, flushed: (() => void) | undefined): void {
    if (this.#end !== undefined) {
      flushed?.();
      return;
    }
    this.#watch?.onSend();
    this.#request.push(message, flushed);
    if (this.#request.tooLarge) this.#commit();
  }

  /** The request is complete. */
  halfClose(): void {
    this.#request.end();
  }

  /** Asks for one message of the answer. */
  read(): void {
    this.#reading = true;
    this.#watch?.onRead();
    this.#attempt?.read();
  }

  /** The app gives the call up, or cannot go on with it. */
  cancel(code: Status, message: string): void {
    this.#force(cancelledEnd(code, message));
  }

  closeDown(): void {
    this.#force(localEnd("CLIENT_CLOSED", "the client was closed"));
  }

  onHeaders(headers: MetadataView): void {
    if (this.#forced !== undefined) return;
    if (this.#single !== undefined) {
      this.#single.holdHeaders(headers);
      return;
    }
    this.#commit();
    this.#listener.onHeaders(headers);
  }

  onMessage(message: Uint8Array): void {
    if (this.#forced !== undefined) return;
    if (this.#single !== undefined) {
      this.#single.holdMessage(message);
      return;
    }
    this.#reading = false;
    this.#watch?.onMessage();
    this.#listener.onMessage(message);
  }

  onEnd(end: AttemptEnd): void {
    this.#attempt = undefined;
    this.#request.detach();
    const durationMs = this.#log.ended(end);
    if (this.#member !== undefined) this.#start.core.pool.ended(this.#member, end, durationMs);
    if (this.#forced !== undefined) this.#finish(this.#forced);
    else if (end.code === Status.OK || !this.#retry(end)) {
      this.#single?.handOver(this.#listener);
      this.#finish(end);
    }
  }

  #next(): void {
    if (this.#start.core.list.snapshot === undefined) this.#waitForList();
    else if (this.#askToken === undefined) this.#begin();
    else this.#beginWithToken(this.#askToken);
  }

  #begin(): void {
    const { core } = this.#start;
    const member = core.pool.pick(this.#tried);
    const now = core.clock.now();
    this.#log.picked(now, core.list.snapshot, core.pool.usable);
    if (member === undefined) {
      this.#waitForInstance();
      return;
    }
    this.#member = member;
    try {
      this.#attemptOn(member, this.#deadlineMs - now);
    } catch (cause) {
      this.#cause = cause;
      this.#force(localEnd("INTERNAL", `no attempt could be made on ${member.key}`));
    }
  }

  #attemptOn({ key, transport }: PoolMember, timeoutMs: number): void {
    this.#log.began(key, transport);
    const metadata = this.#head?.view ?? emptyMetadata;
    const { path } = this.#start.method;
    const previousAttempts = this.#counted;
    const attempt = transport.start({ path, metadata, timeoutMs, previousAttempts }, this);
    this.#attempt = attempt;
    this.#request.attach(attempt);
    if (this.#reading) attempt.read();
  }

  #beginWithToken(askToken: AskToken): void {
    const late = localEnd("DEADLINE_EXCEEDED", "the token function did not answer in time");
    const bad = localEnd("UNAUTHENTICATED", "the token function failed or gave no usable text");
    const waiting = this.#wait.begin(this.#remainingMs(), () => this.#force(late));
    askToken().then(
      () => {
        if (!waiting()) return;
        this.#wait.end();
        this.#begin();
      },
      (cause: unknown) => {
        if (!waiting()) return;
        this.#cause = cause;
        this.#force(bad);
      },
    );
  }

  #waitForList(): void {
    const { core } = this.#start;
    const limitMs = Math.min(core.policy.firstListTimeoutMs, this.#remainingMs());
    const expired = (): void => {
      const error = core.listError(limitMs);
      this.#cause = error;
      this.#force(localEnd(error.reason, error.message));
    };
    const woken = (): void => {
      this.#log.resolveMs = core.clock.now() - this.#startedMs;
      this.#next();
    };
    this.#wait.begin(limitMs, expired, (wake) => core.list.onFirst(wake), woken);
  }

  #waitForInstance(): void {
    const { core } = this.#start;
    if (!core.pool.hasCandidate) {
      this.#force(noInstanceEnd(core));
      return;
    }
    const limitMs = Math.min(core.policy.connectTimeoutMs, this.#remainingMs());
    const expired = (): void => this.#force(unreachableEnd(limitMs, this.#lastEnd));
    const woken = (): void => this.#begin();
    this.#wait.begin(limitMs, expired, (wake) => core.pool.wait(wake), woken);
  }

  #watchStream(): void {
    const { core, method, extras } = this.#start;
    const firstMs = extras.timeoutMs ?? method.timeoutMs;
    const limits = { firstMs, idleMs: method.streamIdleTimeoutMs };
    this.#watch = new StreamWatch(core.clock, limits, (waitedMs, first) =>
      this.#force(silentStreamEnd(waitedMs, first)),
    );
  }

  #remainingMs(): number {
    return Math.max(0, this.#deadlineMs - this.#start.core.clock.now());
  }

  #retry(end: AttemptEnd): boolean {
    const { core, method, extras } = this.#start;
    this.#lastEnd = end;
    this.#tried ??= new Set();
    if (this.#member !== undefined) this.#tried.add(this.#member.key);
    const attempts = this.#counted + 1;
    const { retry, delayMs, budgeted, counted } = decideRetry({
      end,
      attempts,
      maxAttempts: method.maxAttempts,
      committed: this.#committed,
      idempotent: extras.idempotent ?? method.idempotent,
      remainingMs: this.#remainingMs(),
      otherInstance: core.pool.hasOther(this.#tried),
    });
    if (!retry || (budgeted && !core.budget.withdraw())) return false;
    this.#single?.drop();
    if (counted) this.#counted = attempts;
    if (delayMs === 0) this.#next();
    else this.#wait.begin(delayMs, () => this.#next());
    return true;
  }

  #commit(): void {
    if (this.#committed) return;
    this.#committed = true;
    this.#request.commit();
  }

  /** Ends the call as this side has decided; the listener is told later, never from inside. */
  #force(end: AttemptEnd): void {
    if (this.#end !== undefined || this.#forced !== undefined) return;
    this.#forced = end;
    this.#wait.end();
    if (this.#attempt !== undefined) this.#attempt.cancel(end.code, end.message);
    // Not the next tick: an app that tries again at once would keep the event loop from the news that it waits for.
    else setImmediate(() => this.#finish(end));
  }

  #finish(end: AttemptEnd): void {
    const { core, extras } = this.#start;
    this.#end = end;
    core.calls.delete(this);
    this.#watch?.stop();
    try {
      extras.onReport?.(this.report());
    } catch (error) {
      // The app's own listener must not change how its call ends.
      core.logger.warn({ error: String(error) }, "onReport threw");
    }
    this.#listener.onEnd(end);
    this.#request.release();
  }
}
