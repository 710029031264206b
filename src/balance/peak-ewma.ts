import { LatencyEstimates } from "./latency-estimates.js";
import type { Picker, PickerPorts, PickOutcome, Weighted } from "./picker.js";
import { createTwoChoices, type Load, type Preference } from "./two-choices.js";

/** An instance of which nothing is known is taken to need so much of the time of the one that it is compared with. */
const optimism = 0.5;

/**
 * Makes a picker that, of two instances drawn by weight, takes the one on which an attempt should be over sooner: how long
 * attempts on it have taken of late ({@link LatencyEstimates}) times the attempts under way, this one included.
 *
 * Attempts under way count by weight: an instance of twice the mean weight is as busy with two as others are with one. And as
 * with least requests the second is taken only if it would not be busier for its weight than the first: otherwise an instance
 * that is to have a thousandth of the calls would get half of them for being a little faster.
 *
 * A pick costs O(log n) and allocates nothing unless keys are excluded, a change of one instance O(log n).
 */
export function createPeakEwma<T extends Weighted>(ports: PickerPorts): Picker<T> {
  return createTwoChoices<T>(new SoonerOver(ports.now), ports);
}

class SoonerOver implements Preference {
  readonly #estimates = new LatencyEstimates();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  reserve(count: number): void {
    this.#estimates.reserve(count);
  }

  joined(slot: number): void {
    this.#estimates.reset(slot);
  }

  picked(slot: number, underWay: number): void {
    if (underWay === 1) this.#estimates.busy(slot);
  }

  ended(slot: number, _underWay: number, outcome: PickOutcome): void {
    this.#estimates.ended(slot, outcome, this.#now());
  }

  prefers(second: number, first: number, { underWay, weights, size }: Load): boolean {
    const mean = weights.total / size;
    const weight = weights.weightOf(first) / mean;
    const otherWeight = weights.weightOf(second) / mean;
    const busy = underWay[first] ?? 0;
    const otherBusy = underWay[second] ?? 0;
    let tookMs = this.#estimates.of(first, busy);
    let otherTookMs = this.#estimates.of(second, otherBusy);
    if (tookMs < 0 && otherTookMs < 0) return false;
    if (tookMs < 0) tookMs = optimism * otherTookMs;
    else if (otherTookMs < 0) otherTookMs = optimism * tookMs;
    return (
      otherTookMs * (otherBusy / otherWeight + 1) < tookMs * (busy / weight + 1) &&
      otherTookMs * (otherBusy + 1) * weight <= tookMs * (busy + 1) * otherWeight
    );
  }
}
