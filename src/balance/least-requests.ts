import type { Picker, PickerPorts, Weighted } from "./picker.js";
import { createTwoChoices, type Load, type Preference } from "./two-choices.js";

/**
 * Makes a picker that, of two instances drawn by weight, takes the one with fewer attempts under way for its weight.
 *
 * The second is taken only if it is less busy than the first and would, with this attempt, not be busier than the first with
 * it: otherwise an idle instance that is to have a thousandth of the calls would get every call that comes while another is
 * busy. While nobody is busy shares follow the weights. A pick costs O(log n) and allocates nothing unless keys are excluded, a
 * change of one instance O(log n).
 *
 * @example
 * ```ts
 * const picker = createLeastRequests({ random: Math.random, now: Date.now });
 * picker.update([{ key: "a", weight: 2 }, { key: "b", weight: 1 }]);
 * const picked = picker.pick(); // and once the attempt is over:
 * if (picked !== undefined) picker.ended(picked, { ok: true, durationMs: 12 });
 * ```
 */
export function createLeastRequests<T extends Weighted>(ports: PickerPorts): Picker<T> {
  return createTwoChoices<T>(fewerUnderWay, ports);
}

/** Holds no state: what it goes by is counted for every preference. */
const fewerUnderWay: Preference = {
  reserve() {},
  joined() {},
  picked() {},
  ended() {},
  prefers(second: number, first: number, { underWay, weights }: Load): boolean {
    const busy = underWay[first] ?? 0;
    // In most picks of a client that is not busy.
    if (busy === 0) return false;
    const other = underWay[second] ?? 0;
    const weight = weights.weightOf(first);
    const otherWeight = weights.weightOf(second);
    return other * weight < busy * otherWeight && (other + 1) * weight <= (busy + 1) * otherWeight;
  },
};
