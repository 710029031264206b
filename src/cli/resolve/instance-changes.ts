import type { Instance } from "../../core/instance.js";
import type { Snapshot } from "../../core/snapshot.js";

/** What has changed from one list of instances to the next. */
export type InstanceChange =
  | { readonly change: "added" | "removed"; readonly instance: Instance }
  | { readonly change: "weight"; readonly instance: Instance; readonly before: number }
  | { readonly change: "renamed"; readonly instance: Instance; readonly before: string }
  | { readonly change: "stale" | "fresh" };

/** The changes from one list to the next, by key; a first list is all additions. */
export function instanceChanges(
  before: Snapshot | undefined,
  after: Snapshot,
): readonly InstanceChange[] {
  const known = new Map(before?.instances.map((instance) => [instance.key, instance]));
  const changes: InstanceChange[] = [];
  for (const instance of after.instances) {
    const old = known.get(instance.key);
    known.delete(instance.key);
    if (old === undefined) changes.push({ change: "added", instance });
    else if (old.weight !== instance.weight) {
      changes.push({ change: "weight", instance, before: old.weight });
    } else if (old.name !== instance.name) {
      changes.push({ change: "renamed", instance, before: old.name });
    }
  }
  for (const instance of known.values()) changes.push({ change: "removed", instance });
  if ((before?.stale ?? false) !== after.stale) {
    changes.push({ change: after.stale ? "stale" : "fresh" });
  }
  return changes;
}

/** Share of the traffic of each instance, in percent with one decimal; 0 for all when all weights are 0. */
export function sharesOf(instances: readonly Instance[]): ReadonlyMap<string, number> {
  const total = instances.reduce((sum, { weight }) => sum + weight, 0);
  return new Map(
    instances.map(({ key, weight }) => [
      key,
      total === 0 ? 0 : Math.round((weight / total) * 1_000) / 10,
    ]),
  );
}
