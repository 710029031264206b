import { metadataOf } from "../core/metadata.js";
import type { Clock } from "../core/ports.js";
import type { LoadSigns } from "../door/invoker.js";
import type { Places } from "../lane/lane-pool.js";
import { encodeLoadReport, LOAD_TRAILER, loadHeader } from "../wire/load-report.js";

/** Time after which what was seen counts a third: long enough to smooth single calls away, short enough to follow a burst. */
const MEMORY_MS = 3_000;

/** Answers of so long share one report. */
const FRESH_MS = 100;

/** Digits behind the point that mean something to whoever balances. */
const SCALE = 10_000;

/**
 * Tells what load a host is under: calls that wait or run over places, and calls and failures a second, as exponentially weighted
 * means of the last seconds. A moment's count would mislead: it is taken when an answer goes out, which is just after a call has
 * left.
 *
 * A call costs four additions. What the calls have spent in the host so far, all together, is known at any moment without a look at
 * one of them: each takes its beginning away from the sum and adds its end.
 */
export class LoadMeter {
  readonly #clock: Clock;
  readonly #places: Pick<Places, "free" | "running">;
  /** Moments are counted from here, so that sums of many stay exact. */
  readonly #originMs: number;
  #inside = 0;
  #edgesMs = 0;
  #ended = 0;
  #failed = 0;
  /** What was told last, and of what. */
  #toldMs: number;
  #told: LoadSigns | undefined;
  #toldSpentMs = 0;
  #toldEnded = 0;
  #toldFailed = 0;
  /** What was seen, each faded in the same way. */
  readonly #seen = { timeMs: 0, spentMs: 0, ended: 0, failed: 0 };

  constructor(clock: Clock, places: Pick<Places, "free" | "running">) {
    this.#clock = clock;
    this.#places = places;
    this.#originMs = clock.now();
    this.#toldMs = this.#originMs;
  }

  /** A call has come in, to wait or to run. */
  entered(nowMs: number): void {
    this.#inside++;
    this.#edgesMs -= nowMs - this.#originMs;
  }

  /** It is over; `ran` says whether it was ever let in. What was refused is no call that the host answers. */
  left(nowMs: number, ran: boolean): void {
    this.#inside--;
    this.#edgesMs += nowMs - this.#originMs;
    if (ran) this.#ended++;
  }

  /** One that was let in has failed, and not by its caller's own doing. */
  failed(): void {
    this.#failed++;
  }

  /** The report for an answer that goes out now. */
  signs(): LoadSigns {
    const nowMs = this.#clock.now();
    const passedMs = nowMs - this.#toldMs;
    if (this.#told !== undefined && passedMs < FRESH_MS) return this.#told;
    this.#see(nowMs, passedMs);
    const { timeMs, spentMs, ended, failed } = this.#seen;
    const { free, running } = this.#places;
    const report = {
      utilization: rounded(spentMs / timeMs / Math.max(1, free + running)),
      callsPerSecond: rounded((ended * 1_000) / timeMs),
      failuresPerSecond: rounded((failed * 1_000) / timeMs),
    };
    this.#told = {
      trailers: metadataOf([[LOAD_TRAILER, encodeLoadReport(report)]]),
      header: loadHeader(report),
    };
    return this.#told;
  }

  #see(nowMs: number, passedMs: number): void {
    if (passedMs <= 0) return;
    const kept = Math.exp(-passedMs / MEMORY_MS);
    // What lies between two reports fades in itself: a night without calls is not longer than the memory.
    const part = ((1 - kept) * MEMORY_MS) / passedMs;
    const spentMs = this.#edgesMs + this.#inside * (nowMs - this.#originMs);
    const seen = this.#seen;
    seen.timeMs = seen.timeMs * kept + passedMs * part;
    seen.spentMs = seen.spentMs * kept + (spentMs - this.#toldSpentMs) * part;
    seen.ended = seen.ended * kept + (this.#ended - this.#toldEnded) * part;
    seen.failed = seen.failed * kept + (this.#failed - this.#toldFailed) * part;
    this.#toldMs = nowMs;
    this.#toldSpentMs = spentMs;
    this.#toldEnded = this.#ended;
    this.#toldFailed = this.#failed;
  }
}

function rounded(value: number): number {
  return Number.isFinite(value) ? Math.max(0, Math.round(value * SCALE) / SCALE) : 0;
}
