import { MIN_WEIGHT } from "../../core/instance.js";

/** Parts of a group's traffic in percent, by member; they add up to 100. */
export type Split = ReadonlyMap<string, number>;

/** What is to be reached. */
export interface ReleaseGoal {
  /** Whose share moves. */
  readonly member: string;
  /** To how much, in percent. */
  readonly percent: number;
  /** Who gets, evenly, what `member` leaves, where no other member has a share now. */
  readonly evenTo: readonly string[];
}

/** Turns shares, which are relative to each other, into percent. All 0 where nobody has one. */
export function splitOf(shares: ReadonlyMap<string, number>): Split {
  const total = [...shares.values()].reduce((sum, share) => sum + share, 0);
  return new Map(
    [...shares].map(([member, share]) => [member, total === 0 ? 0 : (share / total) * 100]),
  );
}

/**
 * Plans the way from one split to another: one member moves in even steps, the others share the rest in the proportions that they
 * have now, or evenly when none of them has anything.
 *
 * @param now - every member, in the order in which the steps have them; all 0 when the traffic is not shared out yet
 * @param steps - how many, at least 1
 * @returns the split after each step; the last one is the goal
 */
export function releasePlan(now: Split, goal: ReleaseGoal, steps: number): readonly Split[] {
  const start = startOf(now, goal);
  const end = endOf(start, goal);
  return Array.from({ length: steps }, (_, index) => {
    const done = (index + 1) / steps;
    return new Map(
      [...start].map(([member, from]) => {
        const to = end.get(member) ?? 0;
        return [member, settable(done === 1 ? to : from + (to - from) * done)];
      }),
    );
  });
}

/** How many steps of so many percent points at most lead from one share to another; at least one. */
export function stepsFor(from: number, to: number, points: number): number {
  // Rounding must not make a step of nothing.
  return Math.max(1, Math.ceil(Math.abs(to - from) / points - 1e-9));
}

/** Where the way begins: `now`, or, when nobody has anything, with everything at those that `evenTo` names. */
function startOf(now: Split, { member, evenTo }: ReleaseGoal): Split {
  if ([...now.values()].some((percent) => percent > 0)) return now;
  const rest = evenTo.length === 0 ? [member] : evenTo;
  return new Map(
    [...now.keys()].map((each) => [each, rest.includes(each) ? 100 / rest.length : 0]),
  );
}

function endOf(start: Split, { member, percent, evenTo }: ReleaseGoal): Split {
  const others = 100 - (start.get(member) ?? 0);
  const rest = 100 - percent;
  return new Map(
    [...start].map(([each, from]) => {
      if (each === member) return [each, percent];
      if (others > MIN_WEIGHT) return [each, (from / others) * rest];
      return [each, evenTo.includes(each) ? rest / evenTo.length : 0];
    }),
  );
}

/** A share that a directory takes, without the noise of fractions; what is too small for one is none. */
function settable(percent: number): number {
  const rounded = Number(percent.toFixed(9));
  return rounded < MIN_WEIGHT ? 0 : rounded;
}
