import type { PickOutcome } from "./picker.js";

/** In so many milliseconds the weight of what was seen before falls to 37 %. */
const decayMs = 10_000;

/** What a failed attempt counts as at least: nobody is fast who does not answer. */
const leastPenaltyMs = 1_000;

/** A failed attempt counts as at least so many times what attempts usually take. */
const penaltyFactor = 2;

/** By how much one answer moves what attempts usually take. */
const usualStep = 0.05;

/**
 * How long attempts take, by slot: an average that rises to a slower answer at once and falls slowly.
 *
 * It falls in two ways, both with the same time constant: towards the answers that come, and towards 0 while the slot is idle,
 * so that one that was slow once is tried again. It does not fall while attempts are under way that do not end.
 *
 * Time is looked at when an attempt ends and passes for all slots then: a look at every choice would cost as much as the
 * choice, and after a pause the first choice may as well go by what was known before it.
 *
 * Source: Finagle's PeakEwma (com.twitter.finagle.loadbalancer), but for the last rule: there it falls with every look.
 */
export class LatencyEstimates {
  /** By slot: the average as of its stamp; negative where nothing was ever seen. */
  #estimates = new Float64Array(0);
  #stamps = new Float64Array(0);
  /** Average over all answers. */
  #usualMs = 0;
  #nowMs = 0;

  /** Makes room for slots below `count`. */
  reserve(count: number): void {
    const estimates = new Float64Array(count).fill(-1);
    const stamps = new Float64Array(count);
    estimates.set(this.#estimates);
    stamps.set(this.#stamps);
    this.#estimates = estimates;
    this.#stamps = stamps;
  }

  /** Forgets what was seen of a slot. */
  reset(slot: number): void {
    this.#estimates[slot] = -1;
  }

  /**
   * How long an attempt would take; -1 when nothing is known. A slot that is being tried for the first time is as bad as one
   * that fails: nobody else goes there until the end of it.
   */
  of(slot: number, underWay: number): number {
    const estimate = this.#estimates[slot] ?? -1;
    if (estimate < 0) return underWay > 0 ? this.#penaltyMs : -1;
    return underWay > 0 ? estimate : estimate * this.#kept(slot);
  }

  /** The slot is idle no more: from here on the estimate stands until an attempt ends. */
  busy(slot: number): void {
    const estimate = this.#estimates[slot] ?? -1;
    if (estimate >= 0) this.#set(slot, estimate * this.#kept(slot));
  }

  /** An attempt on the slot has ended, at `nowMs`. */
  ended(slot: number, { ok, durationMs }: PickOutcome, nowMs: number): void {
    this.#nowMs = nowMs;
    const estimate = this.#estimates[slot] ?? -1;
    const tookMs = Number.isFinite(durationMs) ? Math.max(0, durationMs) : 0;
    if (ok === undefined) this.#gaveUp(slot, estimate, tookMs);
    else if (!ok) this.#set(slot, Math.max(tookMs, estimate, this.#penaltyMs));
    else this.#answered(slot, estimate, tookMs);
  }

  get #penaltyMs(): number {
    return Math.max(leastPenaltyMs, penaltyFactor * this.#usualMs);
  }

  #answered(slot: number, estimate: number, tookMs: number): void {
    this.#usualMs += (tookMs - this.#usualMs) * (this.#usualMs === 0 ? 1 : usualStep);
    const kept = tookMs >= estimate ? 0 : this.#kept(slot);
    this.#set(slot, estimate * kept + tookMs * (1 - kept));
  }

  /** It would have taken longer than it did: that may only raise an estimate, and start none that is fast. */
  #gaveUp(slot: number, estimate: number, tookMs: number): void {
    if (estimate >= 0) this.#set(slot, Math.max(tookMs, estimate));
    else if (tookMs > this.#usualMs) this.#set(slot, tookMs);
  }

  #set(slot: number, estimate: number): void {
    this.#estimates[slot] = estimate;
    this.#stamps[slot] = this.#nowMs;
  }

  /** Which part of the slot's estimate is left since its stamp. */
  #kept(slot: number): number {
    return Math.exp(-Math.max(0, this.#nowMs - (this.#stamps[slot] ?? 0)) / decayMs);
  }
}
