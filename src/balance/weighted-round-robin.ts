import { weightProblem } from "../core/instance.js";
import { drawPhase, leadIn, roundedPhase, zeroPhase } from "./phase.js";
import type { Picker, PickOutcome, Weighted } from "./picker.js";
import { Schedule } from "./schedule.js";
import { tieRank } from "./tie-rank.js";

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
  return new WeightedRoundRobin<T>(options.random ?? Math.random, options.phase ?? "random");
}

interface Joiner<T> {
  readonly instance: T;
  readonly weight: number;
  readonly rank: number;
  /** Given when it enters. */
  slot: number;
}

/** Keys and objects on top of a {@link Schedule}, which knows only slots. */
class WeightedRoundRobin<T extends Weighted> implements Picker<T> {
  readonly #schedule = new Schedule();
  readonly #slots = new Map<string, number>();
  /** By slot; undefined where the slot is free. */
  readonly #instances: (T | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #random: () => number;
  readonly #phase: "random" | "zero";
  readonly #seed: number;

  constructor(random: () => number, phase: "random" | "zero") {
    this.#random = random;
    this.#phase = phase;
    this.#seed = Math.floor(random() * 2 ** 32);
  }

  get size(): number {
    return this.#schedule.size;
  }

  update(instances: readonly T[]): void {
    // By slot, so that what follows goes in the order of slots whatever the order of the list.
    const known = new Array<T | undefined>(this.#instances.length);
    const unknown: T[] = [];
    for (const instance of instances) {
      checkWeight(instance);
      const slot = this.#slots.get(instance.key);
      if (slot === undefined) {
        unknown.push(instance);
      } else if (known[slot] === undefined) {
        known[slot] = instance;
      } else {
        throw listedTwice(instance);
      }
    }
    const joiners = unknown.map((instance) => this.#joinerOf(instance));
    const ranked = joiners.toSorted(byRank);
    let before: T | undefined;
    for (const { instance } of ranked) {
      if (instance.key === before?.key) throw listedTwice(instance);
      before = instance;
    }
    this.#keep(known);
    this.#join(ranked);
    // Not while they join: as they were listed, their keys lie side by side in memory.
    for (const { instance, slot } of joiners) if (slot >= 0) this.#slots.set(instance.key, slot);
  }

  add(instance: T): void {
    checkWeight(instance);
    const slot = this.#slots.get(instance.key);
    if (slot === undefined) this.#joinOne(instance);
    else if (instance.weight === 0) this.#leave([slot]);
    else this.#replace(slot, instance);
  }

  remove(key: string): void {
    const slot = this.#slots.get(key);
    if (slot !== undefined) this.#leave([slot]);
  }

  pick(excluded?: ReadonlySet<string>): T | undefined {
    if (excluded === undefined || excluded.size === 0) {
      const slot = this.#schedule.pick();
      return slot < 0 ? undefined : this.#instances[slot];
    }
    return this.#pickExcept(excluded);
  }

  ended(_instance: T, _outcome: PickOutcome): void {
    // Shares follow from the weights alone.
  }

  #pickExcept(excluded: ReadonlySet<string>): T | undefined {
    // Out of the heaps for this one pick, but still in the sums: nobody's share or lag moves.
    const hidden: number[] = [];
    for (const key of excluded) {
      const slot = this.#slots.get(key);
      if (slot !== undefined) hidden.push(slot);
    }
    for (const slot of hidden) this.#schedule.hide(slot);
    const picked = this.#schedule.pick();
    for (const slot of hidden) this.#schedule.show(slot);
    return picked < 0 ? undefined : this.#instances[picked];
  }

  /** Drops the instances that are not in the list any more and takes over the others. */
  #keep(known: readonly (T | undefined)[]): void {
    const leaving: number[] = [];
    for (let slot = 0; slot < known.length; slot++) {
      const weight = known[slot]?.weight ?? 0;
      if (weight === 0 && this.#instances[slot] !== undefined) leaving.push(slot);
    }
    if (leaving.length > 0) this.#leave(leaving);
    for (let slot = 0; slot < known.length; slot++) {
      const instance = known[slot];
      if (instance !== undefined && instance.weight > 0) this.#replace(slot, instance);
    }
  }

  #replace(slot: number, instance: T): void {
    this.#instances[slot] = instance;
    if (instance.weight !== this.#schedule.weightOf(slot)) {
      this.#schedule.reweigh(slot, instance.weight);
    }
  }

  #leave(slots: readonly number[]): void {
    this.#schedule.leave(slots);
    for (const slot of slots) {
      const instance = this.#instances[slot];
      if (instance !== undefined) this.#slots.delete(instance.key);
      this.#instances[slot] = undefined;
      this.#free.push(slot);
    }
  }

  #joinerOf(instance: T): Joiner<T> {
    const { key, weight } = instance;
    return { instance, weight, rank: tieRank(key, this.#seed), slot: -1 };
  }

  #joinOne(instance: T): void {
    const joiner = this.#joinerOf(instance);
    this.#join([joiner]);
    if (joiner.slot >= 0) this.#slots.set(instance.key, joiner.slot);
  }

  /**
   * Joins instances as a group whose lags sum to 0, so that virtual time stands still and nobody else notices.
   * Each group gets a phase of its own; in an empty schedule that phase becomes the virtual time. They get slots; whose
   * those are is for the caller to note.
   */
  #join(ranked: readonly Joiner<T>[]): void {
    const joiners = ranked.filter(({ weight }) => weight > 0);
    const first = this.size === 0;
    const drawn = this.#phase === "random" && joiners.length > 1;
    this.#schedule.reserve(this.size + joiners.length);
    if (first && drawn) {
      // The picks that lead in can be made where they are to lead: there is nobody else yet.
      this.#enterAll(joiners, roundedPhase(joiners, this.#random).served, 0);
      for (let count = 0; count < leadIn; count++) this.#schedule.pick();
      return;
    }
    const { picks, served } = drawn ? drawPhase(joiners, this.#random) : zeroPhase(joiners);
    let total = 0;
    for (const { weight } of joiners) total += weight;
    this.#enterAll(joiners, served, first ? 0 : this.#schedule.now - picks / total);
  }

  #enterAll(joiners: readonly Joiner<T>[], served: readonly number[], shift: number): void {
    for (const [index, joiner] of joiners.entries()) {
      this.#enter(joiner, (served[index] ?? 0) + joiner.weight * shift);
    }
  }

  #enter(joiner: Joiner<T>, served: number): void {
    const slot = this.#free.pop() ?? this.#instances.length;
    this.#schedule.join(slot, joiner.weight, joiner.rank, served);
    this.#instances[slot] = joiner.instance;
    joiner.slot = slot;
  }
}

/** In the order of ranks; those of the same key follow each other. */
function byRank(a: Joiner<Weighted>, b: Joiner<Weighted>): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  return a.instance.key < b.instance.key ? -1 : Number(a.instance.key > b.instance.key);
}

function listedTwice({ key }: Weighted): RangeError {
  return new RangeError(`instance ${key} is listed twice`);
}

/** Within these bounds sums of weights and products with counters stay exact enough. */
function checkWeight({ key, weight }: Weighted): void {
  const problem = weightProblem(weight);
  if (problem !== undefined) throw new RangeError(`instance ${key}: ${problem}`);
}
