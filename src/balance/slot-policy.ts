import type { PickOutcome } from "./picker.js";

/** Somebody who gets a slot. */
export interface SlotJoiner {
  readonly slot: number;
  /** Above 0. */
  readonly weight: number;
  /** Breaks ties, lower first. */
  readonly rank: number;
}

/** How a picker chooses among slots: small integers that a {@link KeyedPicker} gives to instances. */
export interface SlotPolicy {
  /** How many slots can be picked. */
  readonly size: number;
  /** The weight of a slot that can be picked. */
  weightOf(slot: number): number;
  /** Takes in slots that come together, lowest rank first. */
  join(joiners: readonly SlotJoiner[]): void;
  /** Takes slots out; what was known of them is forgotten. */
  leave(slots: readonly number[]): void;
  /** Gives a slot another weight. */
  reweigh(slot: number, weight: number): void;
  /** Chooses a slot and charges the pick to it; -1 when there is none. */
  pick(): number;
  /** The same as if these slots were not there. */
  pickExcept(slots: readonly number[]): number;
  /** An attempt on a slot has ended. */
  ended(slot: number, outcome: PickOutcome): void;
}
