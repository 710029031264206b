import { MIN_WEIGHT } from "../core/instance.js";
import type { ListedInstance } from "../wire/upstream.js";

/** One member of a group. */
export interface GroupMember {
  /** Share of the group's traffic, relative to the other members'. */
  readonly share: number;
  readonly instances: readonly ListedInstance[];
}

const WHOLE = 100;

/**
 * The instances of a group: those of all members, their weights such that each member gets its share of the traffic and
 * shares it out as its own weights say. A weight is the instance's part of the group's traffic in percent, as long as
 * every member has an instance to send to; the share of one that has none goes to the others. What has a weight at all keeps
 * at least the smallest that readers take.
 */
export function groupInstances(members: Iterable<GroupMember>): readonly ListedInstance[] {
  const list = [...members];
  const shares = list.reduce((sum, { share }) => sum + share, 0);
  return list.flatMap(({ share, instances }) => {
    const weights = instances.reduce((sum, { weight }) => sum + weight, 0);
    const factor = weights > 0 ? (WHOLE * share) / shares / weights : 0;
    return instances.map((instance) => {
      const weight = instance.weight * factor;
      return { ...instance, weight: weight > 0 ? Math.max(MIN_WEIGHT, weight) : 0 };
    });
  });
}
