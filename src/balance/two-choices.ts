import { Dice } from "./dice.js";
import { KeyedPicker } from "./keyed-picker.js";
import type { Picker, PickerPorts, PickOutcome, Weighted } from "./picker.js";
import type { SlotJoiner, SlotPolicy } from "./slot-policy.js";
import { WeightTree } from "./weight-tree.js";

/** What a choice between two slots goes by. Slots are small integers; nobody is told of one that has no weight. */
export interface Preference {
  /** Makes room for slots below `count`. */
  reserve(count: number): void;
  /** Somebody new has the slot. */
  joined(slot: number): void;
  /** An attempt goes to the slot; `underWay` is how many there are now, this one included. */
  picked(slot: number, underWay: number): void;
  /** An attempt on the slot has ended; `underWay` is how many are left. */
  ended(slot: number, underWay: number, outcome: PickOutcome): void;
  /** Whether the second is to be taken rather than the first. */
  prefers(second: number, first: number, load: Load): boolean;
}

/** How busy slots are. */
export interface Load {
  /** By slot: attempts under way. */
  readonly underWay: Int32Array;
  /** Who has which weight. */
  readonly weights: WeightTree;
  /** How many have one. */
  readonly size: number;
}

/**
 * Makes a picker that draws two instances by weight and takes the one that is preferred, the first when neither is.
 *
 * Of instances between which there is nothing to choose each is picked as often as its weight says, since the one drawn first
 * is. Two candidates are enough to keep a crowd from one that is slow or busy, and, unlike the best of all, do not send all
 * clients to the same one at the same time.
 *
 * Source: M. Mitzenmacher, The Power of Two Choices in Randomized Load Balancing (2001).
 */
export function createTwoChoices<T extends Weighted>(
  preference: Preference,
  { random }: PickerPorts,
): Picker<T> {
  return new KeyedPicker<T>(new TwoChoices(preference, new Dice(random)), random);
}

class TwoChoices implements SlotPolicy, Load {
  readonly weights = new WeightTree();
  size = 0;
  underWay = new Int32Array(0);
  readonly #preference: Preference;
  readonly #dice: Dice;

  constructor(preference: Preference, dice: Dice) {
    this.#preference = preference;
    this.#dice = dice;
  }

  weightOf(slot: number): number {
    return this.weights.weightOf(slot);
  }

  join(joiners: readonly SlotJoiner[]): void {
    this.#reserve(this.size + joiners.length);
    for (const { slot, weight } of joiners) {
      this.underWay[slot] = 0;
      this.weights.set(slot, weight);
      this.#preference.joined(slot);
    }
    this.size += joiners.length;
  }

  leave(slots: readonly number[]): void {
    for (const slot of slots) this.weights.set(slot, 0);
    this.size -= slots.length;
  }

  reweigh(slot: number, weight: number): void {
    this.weights.set(slot, weight);
  }

  pick(): number {
    const first = this.weights.draw(this.#dice, -1);
    if (first < 0) return first;
    const second = this.weights.draw(this.#dice, first);
    const better = second >= 0 && this.#preference.prefers(second, first, this);
    const slot = better ? second : first;
    const underWay = (this.underWay[slot] ?? 0) + 1;
    this.underWay[slot] = underWay;
    this.#preference.picked(slot, underWay);
    return slot;
  }

  pickExcept(slots: readonly number[]): number {
    const weights = slots.map((slot) => this.weights.weightOf(slot));
    for (const slot of slots) this.weights.set(slot, 0);
    this.size -= slots.length;
    const picked = this.pick();
    this.size += slots.length;
    for (const [at, slot] of slots.entries()) this.weights.set(slot, weights[at] ?? 0);
    return picked;
  }

  ended(slot: number, outcome: PickOutcome): void {
    // Never below 0: it may have been picked before its instance left and joined again.
    const underWay = Math.max(0, (this.underWay[slot] ?? 0) - 1);
    this.underWay[slot] = underWay;
    this.#preference.ended(slot, underWay, outcome);
  }

  #reserve(count: number): void {
    if (count <= this.underWay.length) return;
    const slots = Math.max(16, count, 2 * this.underWay.length);
    const underWay = new Int32Array(slots);
    underWay.set(this.underWay);
    this.underWay = underWay;
    this.weights.reserve(slots);
    this.#preference.reserve(slots);
  }
}
