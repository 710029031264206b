import { MAX_WEIGHT } from "../core/instance.js";
import type { Weighted } from "./picker.js";
import { tieRank } from "./tie-rank.js";

/** One of those that a client uses, and the weight that keeps shares over all clients what the list says. */
export interface SubsetMember<T extends Weighted> {
  readonly instance: T;
  readonly weight: number;
}

/** Weights inside a subset are rounded to powers of this. */
const weightGrid = 1.01;

/**
 * Chooses `size` of the instances of a large service by weighted rendezvous hashing: each seed another choice, heavier ones
 * more often, and a change of the list changes no more of it than it must.
 *
 * Every instance draws a score from its key and the seed, -ln(u) / weight, and the lowest `size` of those with a weight are
 * taken. Who joins, leaves or is reweighed therefore changes at most one other member.
 *
 * A heavy instance is in more subsets than a light one, so its weight inside must be less than proportional to come to its share
 * over all: it is weight / p with p = 1 - exp(-weight * t), the probability to be under the lowest score t that was not taken.
 * These weights estimate the sums of the whole list without bias. They are multiplied by t, which makes the
 * lightest about 1, and rounded to 1 %: without that every change of t, by an instance that is not even a member, would reweigh
 * them all.
 *
 * Source: D. Thaler, C. Ravishankar, Using Name-Based Mappings to Increase Hit Rates (1998); E. Cohen, H. Kaplan, Summarizing
 * Data using Bottom-k Sketches (2007), for the weights.
 *
 * @param instances - keys must be distinct
 * @param size - at least 1; Infinity takes all
 * @param seed - who chooses; its lowest 32 bits count
 * @returns in the order of the list; all that have a weight, as they are listed, when there are not more than `size`
 */
export function subsetOf<T extends Weighted>(
  instances: readonly T[],
  size: number,
  seed: number,
): readonly SubsetMember<T>[] {
  const weighted = instances.filter(({ weight }) => weight > 0);
  if (weighted.length <= size) {
    return weighted.map((instance) => ({ instance, weight: instance.weight }));
  }
  const scores = Float64Array.from(weighted, (instance) => scoreOf(instance, seed));
  const lowestOut = scores.toSorted()[size] ?? 0;
  const members: SubsetMember<T>[] = [];
  for (const [at, instance] of weighted.entries()) {
    if ((scores[at] ?? 0) >= lowestOut) continue;
    members.push({ instance, weight: weightInside(instance.weight * lowestOut) });
  }
  return members;
}

/** 53 bits of the hash: scores of different keys are never the same in practice. */
function scoreOf({ key, weight }: Weighted, seed: number): number {
  return -Math.log((tieRank(key, seed) + 0.5) / 2 ** 53) / weight;
}

/** x / (1 - exp(-x)), on the grid; 1 for an instance so light that every member like it stands for as many others. */
function weightInside(x: number): number {
  const exact = x / -Math.expm1(-x);
  return Math.min(MAX_WEIGHT, weightGrid ** Math.round(Math.log(exact) / Math.log(weightGrid)));
}
