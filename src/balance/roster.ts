import { weightProblem } from "../core/instance.js";
import type { Weighted } from "./picker.js";
import { tieRank } from "./tie-rank.js";

/** An instance with a weight that is not known yet. */
export interface Joiner<T extends Weighted> {
  readonly instance: T;
  /** Orders those that join together, and breaks ties. */
  readonly rank: number;
  /** -1 until it {@link Roster.enter}s. */
  slot: number;
}

/** What a list means for those that are known. */
export interface ListChange<T extends Weighted> {
  /** Slots of those that are missing or have weight 0 now. */
  readonly leaving: readonly number[];
  /** By slot: the object that is to be returned from now on, of those that stay. */
  readonly staying: readonly (T | undefined)[];
  /** By rank, so that what becomes of them does not depend on the order of the list. */
  readonly joining: readonly Joiner<T>[];
  /** The same as they were listed. */
  readonly listed: readonly Joiner<T>[];
}

/** Who has which slot: small integers that go from one instance to another. */
export class Roster<T extends Weighted> {
  readonly #slots = new Map<string, number>();
  /** By slot; undefined where the slot is free. */
  readonly #instances: (T | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #seed: number;

  /** @param seed - an unsigned 32-bit integer, from which ranks follow */
  constructor(seed: number) {
    this.#seed = seed;
  }

  /** The slot of a key; undefined when it is not known. */
  slotOf(key: string): number | undefined {
    return this.#slots.get(key);
  }

  /** Who has a slot. */
  at(slot: number): T | undefined {
    return this.#instances[slot];
  }

  /** The slots of those of these keys that are known. */
  slotsOf(keys: ReadonlySet<string>): readonly number[] {
    const slots: number[] = [];
    for (const key of keys) {
      const slot = this.#slots.get(key);
      if (slot !== undefined) slots.push(slot);
    }
    return slots;
  }

  /**
   * Compares a list with those that are known, and changes nothing.
   *
   * @throws RangeError for a key that occurs twice and for a weight that cannot be used
   */
  compare(instances: readonly T[]): ListChange<T> {
    // By slot, so that what follows goes in the order of slots whatever the order of the list.
    const staying = new Array<T | undefined>(this.#instances.length);
    const unknown: T[] = [];
    for (const instance of instances) {
      checkWeight(instance);
      const slot = this.#slots.get(instance.key);
      if (slot === undefined) unknown.push(instance);
      else if (staying[slot] === undefined) staying[slot] = instance;
      else throw listedTwice(instance);
    }
    const joiners = unknown.map((instance) => this.joinerOf(instance));
    const ranked = joiners.toSorted(byRank);
    let before: T | undefined;
    for (const { instance } of ranked) {
      if (instance.key === before?.key) throw listedTwice(instance);
      before = instance;
    }
    const leaving: number[] = [];
    for (let slot = 0; slot < staying.length; slot++) {
      if ((staying[slot]?.weight ?? 0) > 0) continue;
      staying[slot] = undefined;
      if (this.#instances[slot] !== undefined) leaving.push(slot);
    }
    return { leaving, staying, joining: ranked.filter(hasWeight), listed: joiners };
  }

  /** What one instance is as a joiner. */
  joinerOf(instance: T): Joiner<T> {
    return { instance, rank: tieRank(instance.key, this.#seed), slot: -1 };
  }

  /** Gives a joiner a slot; its key is known only after {@link Roster.note}. */
  enter(joiner: Joiner<T>): number {
    const slot = this.#free.pop() ?? this.#instances.length;
    this.#instances[slot] = joiner.instance;
    joiner.slot = slot;
    return slot;
  }

  /** Notes the keys of those that have entered. In the order of the list, their keys lie side by side in memory. */
  note(joiners: readonly Joiner<T>[]): void {
    for (const { instance, slot } of joiners) if (slot >= 0) this.#slots.set(instance.key, slot);
  }

  /** Swaps the object of a slot. */
  replace(slot: number, instance: T): void {
    this.#instances[slot] = instance;
  }

  /** Frees slots. */
  leave(slots: readonly number[]): void {
    for (const slot of slots) {
      const instance = this.#instances[slot];
      if (instance !== undefined) this.#slots.delete(instance.key);
      this.#instances[slot] = undefined;
      this.#free.push(slot);
    }
  }
}

function hasWeight({ instance }: Joiner<Weighted>): boolean {
  return instance.weight > 0;
}

/** In the order of ranks; those of the same key follow each other. */
function byRank(a: Joiner<Weighted>, b: Joiner<Weighted>): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  return a.instance.key < b.instance.key ? -1 : Number(a.instance.key > b.instance.key);
}

function listedTwice({ key }: Weighted): RangeError {
  return new RangeError(`instance ${key} is listed twice`);
}

/**
 * Refuses a weight that is neither 0 nor within the bounds in which sums of weights and products with counters stay exact enough.
 *
 * @throws RangeError
 */
export function checkWeight({ key, weight }: Weighted): void {
  const problem = weightProblem(weight);
  if (problem !== undefined) throw new RangeError(`instance ${key}: ${problem}`);
}
