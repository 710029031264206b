import { LatencyHistogram } from "./latency.js";
import type { BenchErrors, BenchInstance, BenchSecond, Measured } from "./result.js";

/** How a call ended. */
export interface CallEnd {
  /** Why it failed; undefined when it succeeded. */
  readonly error?: { readonly code: string; readonly reason: string; readonly message: string };
  /** `host:port` of the instance that it went to; undefined when it reached none. */
  readonly instance: string | undefined;
  readonly messages: number;
  readonly receivedBytes: number;
  /** When the first message of a stream came, by the clock. */
  readonly firstMessageAtMs?: number | undefined;
}

/** When a call was meant to start, when it did, and when it ended, in milliseconds from the start of what is measured. */
export interface CallTimes {
  readonly dueMs: number;
  readonly sentMs: number;
  readonly endMs: number;
  /** Undefined for a unary method, and for a stream of no message. */
  readonly firstMessageMs?: number | undefined;
}

interface OpenSecond {
  calls: number;
  succeeded: number;
  failed: number;
  notSent: number;
  /** Calls that have not ended. */
  open: number;
  readonly latency: LatencyHistogram;
}

/** Keeps count of a run. Calls that were due before its time 0 are warm-up and count for nothing. */
export class Recorder {
  readonly #requestBytes: number;
  /** From the moment in which a call was due: what somebody who came then has waited. */
  readonly #latency = new LatencyHistogram();
  readonly #firstMessage = new LatencyHistogram();
  /** From the moment in which it was sent. */
  readonly #service = new LatencyHistogram();
  readonly #lateness = new LatencyHistogram();
  readonly #errors = new Map<string, { -readonly [K in keyof BenchErrors]: BenchErrors[K] }>();
  readonly #instances = new Map<
    string,
    { -readonly [K in keyof BenchInstance]: BenchInstance[K] }
  >();
  readonly #open = new Map<number, OpenSecond>();
  readonly #spare: LatencyHistogram[] = [];
  readonly #seconds: BenchSecond[] = [];
  #scheduled = 0;
  #sent = 0;
  #succeeded = 0;
  #failed = 0;
  #notSent = 0;
  #messages = 0;
  #receivedBytes = 0;
  #lastEndMs = 0;

  constructor(requestBytes: number) {
    this.#requestBytes = requestBytes;
  }

  /** A call is due. */
  due(dueMs: number): void {
    if (dueMs < 0) return;
    this.#scheduled++;
    const second = this.#secondOf(dueMs);
    second.calls++;
    second.open++;
  }

  /** A call that was due was not sent, for too many were in progress. */
  notSent(dueMs: number): void {
    if (dueMs < 0) return;
    this.#notSent++;
    const second = this.#secondOf(dueMs);
    second.notSent++;
    second.open--;
  }

  /** A call that was due was sent, and has ended. */
  ended({ dueMs, sentMs, endMs, firstMessageMs }: CallTimes, end: CallEnd): void {
    if (dueMs < 0) return;
    const { error, instance, messages, receivedBytes } = end;
    this.#lastEndMs = Math.max(this.#lastEndMs, endMs);
    const second = this.#secondOf(dueMs);
    second.open--;
    this.#sent++;
    this.#messages += messages;
    this.#receivedBytes += receivedBytes;
    this.#lateness.record(sentMs - dueMs);
    this.#countInstance(instance, error !== undefined);
    if (error === undefined) {
      this.#succeeded++;
      second.succeeded++;
      second.latency.record(endMs - dueMs);
      this.#latency.record(endMs - dueMs);
      this.#service.record(endMs - sentMs);
      if (firstMessageMs !== undefined) this.#firstMessage.record(firstMessageMs - dueMs);
      return;
    }
    this.#failed++;
    second.failed++;
    const { code, reason, message } = error;
    const known = this.#errors.get(reason + code);
    if (known === undefined) this.#errors.set(reason + code, { code, reason, message, calls: 1 });
    else known.calls++;
  }

  /** A line on how it goes. */
  progress(): string {
    if (this.#scheduled === 0) return "warming up";
    const p99Us = this.#latency.at(99);
    return `${this.#scheduled} calls, ${this.#failed + this.#notSent} failed, p99 ${(p99Us / 1_000).toFixed(1)} ms`;
  }

  /** What has been measured, once every call has ended. */
  measured(measuredMs: number): Measured {
    this.#close(Number.POSITIVE_INFINITY);
    // An overloaded service goes on for a while: what it does then is no faster.
    const workedS = Math.max(measuredMs, this.#lastEndMs) / 1_000;
    const errors = [...this.#errors.values()];
    return {
      measuredS: measuredMs / 1_000,
      calls: {
        scheduled: this.#scheduled,
        succeeded: this.#succeeded,
        failed: this.#failed,
        notSent: this.#notSent,
      },
      succeededPerSecond: workedS > 0 ? this.#succeeded / workedS : 0,
      messages: this.#messages,
      bytes: { sent: this.#sent * this.#requestBytes, received: this.#receivedBytes },
      latencyUs: this.#latency.summary(),
      firstMessageUs: this.#firstMessage.count > 0 ? this.#firstMessage.summary() : null,
      fromSendUs: this.#service.summary(),
      latenessUs: this.#lateness.summary(),
      curve: this.#latency.curve(),
      errors: errors.sort((a, b) => b.calls - a.calls),
      instances: [...this.#instances.values()].sort((a, b) => (a.instance < b.instance ? -1 : 1)),
      seconds: this.#seconds.sort((a, b) => a.second - b.second),
    };
  }

  #countInstance(instance: string | undefined, failed: boolean): void {
    if (instance === undefined) return;
    let known = this.#instances.get(instance);
    if (known === undefined) {
      known = { instance, calls: 0, failed: 0 };
      this.#instances.set(instance, known);
    }
    known.calls++;
    if (failed) known.failed++;
  }

  #secondOf(dueMs: number): OpenSecond {
    const at = Math.floor(dueMs / 1_000);
    const known = this.#open.get(at);
    if (known !== undefined) return known;
    this.#close(at);
    const latency = this.#spare.pop() ?? new LatencyHistogram();
    const second = { calls: 0, succeeded: 0, failed: 0, notSent: 0, open: 0, latency };
    this.#open.set(at, second);
    return second;
  }

  /** Puts away the seconds before this one whose calls have all ended; none becomes due in them any more. */
  #close(before: number): void {
    for (const [at, second] of this.#open) {
      const { calls, succeeded, failed, notSent, open, latency } = second;
      if (at >= before || open > 0) continue;
      const [p50, p99, max] = [latency.at(50), latency.at(99), latency.at(100)];
      this.#seconds.push({ second: at, calls, succeeded, failed, notSent, p50, p99, max });
      this.#open.delete(at);
      latency.reset();
      this.#spare.push(latency);
    }
  }
}
