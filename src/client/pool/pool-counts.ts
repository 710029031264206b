import type { StandingTally } from "./standing.js";

/** How many instances of a pool are in which state; one may be in several. */
export interface PoolCounts {
  /** In the list; of a subset, in that. */
  readonly listed: number;
  /** Of these, with a weight above 0. */
  readonly weighted: number;
  /** Of these, in rotation: they can be picked. */
  readonly usable: number;
  readonly connected: number;
  /** They have joined while others served, and have not been reached yet. */
  readonly joining: number;
  /** Out of rotation by how attempts on them went. */
  readonly ejected: number;
  /** They say themselves that they are not serving. */
  readonly notServing: number;
  /** Their connection does not work. */
  readonly unreachable: number;
}

/** Puts what a pool counts together. */
export function poolCounts(
  tally: StandingTally,
  counted: Pick<PoolCounts, "listed" | "weighted" | "usable" | "connected">,
): PoolCounts {
  const { unproven: joining, ejected, unreachable, "not-serving": notServing } = tally;
  return { ...counted, joining, ejected, notServing, unreachable };
}

/** Why nothing can be picked though something is listed. */
export interface NoneReason {
  readonly reason: "CONNECT_FAILED" | "NOT_READY";
  /** How many there are of each kind, for people: `3 cannot be reached, 1 says that it is not serving`. */
  readonly text: string;
}

/**
 * Says what keeps those with a weight out; not ready is the word when all say so.
 *
 * @param kept - how many there are for each reason, each one counted by what weighs most
 */
export function whyNone(kept: StandingTally): NoneReason {
  const { unreachable, unproven, "not-serving": notServing, ejected } = kept;
  const says = notServing === 1 ? "says that it is" : "say that they are";
  const parts = [
    ...(unreachable > 0 ? [`${unreachable} cannot be reached`] : []),
    ...(unproven > 0 ? [`${unproven} not reached yet`] : []),
    ...(notServing > 0 ? [`${notServing} ${says} not serving`] : []),
    ...(ejected > 0 ? [`${ejected} ejected`] : []),
  ];
  const ready = unreachable + unproven + ejected > 0 || notServing === 0;
  return { reason: ready ? "CONNECT_FAILED" : "NOT_READY", text: parts.join(", ") };
}
