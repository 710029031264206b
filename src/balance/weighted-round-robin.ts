import { KeyedPicker } from "./keyed-picker.js";
import { drawPhase, leadIn, roundedPhase, zeroPhase } from "./phase.js";
import type { Picker, Weighted } from "./picker.js";
import { Schedule } from "./schedule.js";
import type { SlotJoiner, SlotPolicy } from "./slot-policy.js";

/** Settings of {@link createWeightedRoundRobin}. */
export interface WeightedRoundRobinOptions {
  /**
   * Where randomness comes from: numbers from 0 up to but not including 1. The same numbers and the same calls
   * give the same picks.
   *
   * @defaultValue Math.random
   */
  readonly random?: () => number;
  /**
   * Where in the schedule instances that join together start: at a random moment of it, or with nobody served.
   * "zero" is for tests of exact sequences: with it, clients that learn of the same list all call the
   * heaviest instances first.
   *
   * @defaultValue "random"
   */
  readonly phase?: "random" | "zero";
}

/**
 * Makes a picker that gives every instance its share of the picks, to within less than one pick at any time.
 *
 * With fixed weights, after t picks an instance has had its share of t, give or take less than 1 (relative to where
 * it started), so in a stretch of any length it is less than 2 off. The order is smooth: the picks of a heavy
 * instance are spread between those of light ones. The lag of each instance survives joins, leaves and changes of
 * weight, so updates neither favour the head of the list nor start the schedule again.
 *
 * A pick costs O(log n) and allocates nothing unless keys are excluded; an update costs O(n) for comparing the lists
 * and O(log n) for every instance that changed.
 *
 * @example
 * ```ts
 * const picker = createWeightedRoundRobin();
 * picker.update([{ key: "a", weight: 2 }, { key: "b", weight: 1 }]);
 * picker.pick()?.key; // "a" in two of three picks
 * ```
 */
export function createWeightedRoundRobin<T extends Weighted>(
  options: WeightedRoundRobinOptions = {},
): Picker<T> {
  const { random = Math.random, phase = "random" } = options;
  return new KeyedPicker<T>(new InTurn(random, phase), random);
}

/** A {@link Schedule} whose members start at a random moment of it. */
class InTurn implements SlotPolicy {
  readonly #schedule = new Schedule();
  readonly #random: () => number;
  readonly #phase: "random" | "zero";

  constructor(random: () => number, phase: "random" | "zero") {
    this.#random = random;
    this.#phase = phase;
  }

  get size(): number {
    return this.#schedule.size;
  }

  weightOf(slot: number): number {
    return this.#schedule.weightOf(slot);
  }

  /**
   * Joins slots as a group whose lags sum to 0, so that virtual time stands still and nobody else notices.
   * Each group gets a phase of its own; in an empty schedule that phase becomes the virtual time.
   */
  join(joiners: readonly SlotJoiner[]): void {
    const first = this.size === 0;
    const drawn = this.#phase === "random" && joiners.length > 1;
    this.#schedule.reserve(this.size + joiners.length);
    if (first && drawn) {
      // The picks that lead in can be made where they are to lead: there is nobody else yet.
      this.#enter(joiners, roundedPhase(joiners, this.#random).served, 0);
      for (let count = 0; count < leadIn; count++) this.#schedule.pick();
      return;
    }
    const { picks, served } = drawn ? drawPhase(joiners, this.#random) : zeroPhase(joiners);
    let total = 0;
    for (const { weight } of joiners) total += weight;
    this.#enter(joiners, served, first ? 0 : this.#schedule.now - picks / total);
  }

  leave(slots: readonly number[]): void {
    this.#schedule.leave(slots);
  }

  reweigh(slot: number, weight: number): void {
    this.#schedule.reweigh(slot, weight);
  }

  pick(): number {
    return this.#schedule.pick();
  }

  pickExcept(slots: readonly number[]): number {
    return this.#schedule.pickExcept(slots);
  }

  ended(): void {
    // Shares follow from the weights alone.
  }

  #enter(joiners: readonly SlotJoiner[], served: readonly number[], shift: number): void {
    for (const [index, { slot, weight, rank }] of joiners.entries()) {
      this.#schedule.join(slot, weight, rank, (served[index] ?? 0) + weight * shift);
    }
  }
}
