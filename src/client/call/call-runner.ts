import { type AmbientCall, ambientCall } from "../../core/ambient-call.js";
import type { MetadataView } from "../../core/metadata.js";
import type { CallReport } from "../../core/serving-error.js";
import { Status } from "../../core/status.js";
import { cancelledEnd, localEnd } from "../../transport/local-end.js";
import type { AttemptEnd, AttemptListener } from "../../transport/transport.js";
import type { OpenCall } from "../channel-core.js";
import { AttemptCourse, type CourseOwner } from "./attempt-course.js";
import type { CallAttempt } from "./call-attempt.js";
import { CallDeadline } from "./call-deadline.js";
import type { CallStart, RequestHead } from "./call-start.js";
import { authorize } from "./call-token.js";
import { handTraceOn } from "./call-trace.js";
import type { EndedCall } from "./ended-call.js";
import { outOfTimeEnd, servedCallOverEnd, silentStreamEnd } from "./local-ends.js";
import { StreamWatch } from "./stream-watch.js";

/**
 * One call, from its start to its one end: by what its attempts come to, by its caller, by its time limit, by the call
 * that is being served, or by the end of the client, whichever is first.
 */
export class CallRunner implements CourseOwner, OpenCall, EndedCall {
  readonly owner: CallStart["owner"];
  readonly #start: CallStart;
  readonly #listener: AttemptListener;
  readonly #course: AttemptCourse;
  readonly #deadline: CallDeadline;
  /** The call that is being served, if this one is made for it. */
  readonly #served: AmbientCall | undefined;
  /** Ends this call with the one that is being served. */
  #followed: AbortSignal | undefined;
  #watch: StreamWatch | undefined;
  /** How this side has decided that the call ends; its listener is not told yet. */
  #forced: AttemptEnd | undefined;
  #end: AttemptEnd | undefined;
  #cause: unknown;

  constructor(start: CallStart, listener: AttemptListener) {
    this.owner = start.owner;
    this.#start = start;
    this.#listener = listener;
    this.#served = ambientCall();
    const part = start.extras.detached === true ? undefined : this.#served;
    this.#deadline = new CallDeadline(start, part, start.core.clock.now());
    this.#course = new AttemptCourse(start, this.#deadline, this);
  }

  /** How the call ended; undefined while it goes on. */
  get end(): AttemptEnd | undefined {
    return this.#end;
  }

  get cause(): unknown {
    return this.#cause;
  }

  get instance(): string | undefined {
    return this.#course.instance;
  }

  report(): CallReport {
    return this.#course.report();
  }

  /** Begins; the listener is never called from inside. */
  start(head: RequestHead): void {
    const { core, method, token } = this.#start;
    for (const [key, value] of method.metadata) if (!head.has(key)) head.set(key, value);
    if (this.#served !== undefined) handTraceOn(this.#served, head);
    const askToken = authorize(token ?? core.policy.token, head);
    core.calls.add(this);
    core.metrics.callStarted(method);
    if (this.owner.closed || core.closed) this.closeDown();
    else if (this.#deadline.timeoutMs <= 0) this.#force(outOfTimeEnd());
    else if (this.#followServed()) {
      if (method.responseStream) this.#watchStream();
      this.#course.begin(head, askToken);
    }
  }

  /** Takes the next message of the request. */
  send(message: Uint8Array, flushed: (() => void) | undefined): void {
    if (this.#end !== undefined) {
      flushed?.();
      return;
    }
    this.#watch?.onSend();
    this.#course.send(message, flushed);
  }

  /** The request is complete. */
  halfClose(): void {
    this.#course.halfClose();
  }

  /** Asks for one message of the answer. */
  read(): void {
    this.#watch?.onRead();
    this.#course.read();
  }

  /** The app gives the call up, or cannot go on with it. */
  cancel(code: Status, message: string): void {
    this.#force(cancelledEnd(code, message));
  }

  closeDown(): void {
    this.#force(localEnd("CLIENT_CLOSED", "the client was closed"));
  }

  onHeaders(headers: MetadataView): void {
    this.#listener.onHeaders(headers);
  }

  onMessage(message: Uint8Array): void {
    this.#watch?.onMessage();
    this.#listener.onMessage(message);
  }

  onDecided(attempt: CallAttempt, end: AttemptEnd): void {
    attempt.handOver(this.#listener);
    this.#finish(end);
  }

  onStuck(end: AttemptEnd, cause: unknown): void {
    this.#force(end, cause);
  }

  /** The call that is being served has been given up; this object is the listener, since every call needs one. */
  handleEvent(): void {
    this.#force(servedCallOverEnd(), this.#followed?.reason);
  }

  /** Ends the call together with the one that is being served; false when that is over already. */
  #followServed(): boolean {
    if (this.#served === undefined || this.#start.extras.detached === true) return true;
    const { signal } = this.#served;
    if (signal === undefined) return true;
    this.#followed = signal;
    if (signal.aborted) {
      this.handleEvent();
      return false;
    }
    signal.addEventListener("abort", this);
    return true;
  }

  #watchStream(): void {
    const { core, method, extras } = this.#start;
    const firstMs = extras.timeoutMs ?? method.timeoutMs;
    const limits = { firstMs, idleMs: method.streamIdleTimeoutMs };
    this.#watch = new StreamWatch(core.clock, limits, (waitedMs, first) =>
      this.#force(silentStreamEnd(waitedMs, first)),
    );
  }

  /** Ends the call as this side has decided; the listener is told later, never from inside. */
  #force(end: AttemptEnd, cause?: unknown): void {
    if (this.#end !== undefined || this.#forced !== undefined) return;
    this.#forced = end;
    this.#cause = cause;
    this.#course.giveUp(end);
    // Not the next tick: an app that tries again at once would keep the event loop from the news that it waits for.
    setImmediate(() => this.#finish(end));
  }

  #finish(end: AttemptEnd): void {
    // An app that gives up a call that is being handed over gets its answer.
    if (this.#end !== undefined) return;
    this.#end = end;
    const { core, method, extras } = this.#start;
    const durationMs = this.#course.log.ended(core.clock.now());
    core.calls.delete(this);
    this.#followed?.removeEventListener("abort", this);
    this.#watch?.stop();
    if (end.code === Status.OK) core.budget.deposit();
    core.metrics.callEnded(method, end, durationMs);
    if (extras.onReport !== undefined) this.#tell(extras.onReport);
    this.#listener.onEnd(end);
    this.#course.release();
  }

  /** The app's own listener must not change how its call ends, nor end the process. */
  #tell(onReport: (report: CallReport) => unknown): void {
    const { logger } = this.#start.core;
    const warn = (error: unknown): void =>
      logger.warn({ error: String(error) }, "onReport threw or rejected");
    try {
      const told = onReport(this.report());
      if (typeof told === "object" && told !== null) Promise.resolve(told).catch(warn);
    } catch (error) {
      warn(error);
    }
  }
}
