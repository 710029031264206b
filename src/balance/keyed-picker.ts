import type { Picker, PickOutcome, Weighted } from "./picker.js";
import { checkWeight, type Joiner, Roster } from "./roster.js";
import type { SlotJoiner, SlotPolicy } from "./slot-policy.js";

/** What pickers have in common: lists, keys and objects, on top of a policy that knows only slots. */
export class KeyedPicker<T extends Weighted> implements Picker<T> {
  readonly #policy: SlotPolicy;
  readonly #roster: Roster<T>;

  /** @param random - asked once, for what ties are broken by */
  constructor(policy: SlotPolicy, random: () => number) {
    this.#policy = policy;
    this.#roster = new Roster(Math.floor(random() * 2 ** 32));
  }

  get size(): number {
    return this.#policy.size;
  }

  update(instances: readonly T[]): void {
    const { leaving, staying, joining, listed } = this.#roster.compare(instances);
    if (leaving.length > 0) this.#leave(leaving);
    for (let slot = 0; slot < staying.length; slot++) {
      const instance = staying[slot];
      if (instance !== undefined) this.#replace(slot, instance);
    }
    this.#join(joining);
    this.#roster.note(listed);
  }

  add(instance: T): void {
    checkWeight(instance);
    const slot = this.#roster.slotOf(instance.key);
    if (slot !== undefined) {
      if (instance.weight === 0) this.#leave([slot]);
      else this.#replace(slot, instance);
    } else if (instance.weight > 0) {
      const joiner = this.#roster.joinerOf(instance);
      this.#join([joiner]);
      this.#roster.note([joiner]);
    }
  }

  remove(key: string): void {
    const slot = this.#roster.slotOf(key);
    if (slot !== undefined) this.#leave([slot]);
  }

  pick(excluded?: ReadonlySet<string>): T | undefined {
    const slot =
      excluded === undefined || excluded.size === 0
        ? this.#policy.pick()
        : this.#policy.pickExcept(this.#roster.slotsOf(excluded));
    return slot < 0 ? undefined : this.#roster.at(slot);
  }

  ended(instance: T, outcome: PickOutcome): void {
    const slot = this.#roster.slotOf(instance.key);
    if (slot !== undefined) this.#policy.ended(slot, outcome);
  }

  #replace(slot: number, instance: T): void {
    this.#roster.replace(slot, instance);
    if (instance.weight !== this.#policy.weightOf(slot)) {
      this.#policy.reweigh(slot, instance.weight);
    }
  }

  #leave(slots: readonly number[]): void {
    this.#policy.leave(slots);
    this.#roster.leave(slots);
  }

  #join(joiners: readonly Joiner<T>[]): void {
    const entered: SlotJoiner[] = [];
    for (const joiner of joiners) {
      const slot = this.#roster.enter(joiner);
      entered.push({ slot, weight: joiner.instance.weight, rank: joiner.rank });
    }
    this.#policy.join(entered);
  }
}
