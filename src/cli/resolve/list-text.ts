import type { Instance } from "../../core/instance.js";
import type { Snapshot } from "../../core/snapshot.js";
import { printableLine } from "../printable.js";
import { textTable } from "../text-table.js";
import { type ListHealth, servingCount } from "./ask-health.js";
import { HEALTH_LIMIT } from "./flags.js";
import type { InstanceHealth } from "./health.js";
import { type InstanceChange, sharesOf } from "./instance-changes.js";

/** A list with what is known of it at a moment. */
export interface ShownList {
  readonly snapshot: Snapshot;
  readonly nowMs: number;
  /** When it became stale; undefined while it is fresh, and when nobody saw it happen. */
  readonly staleSinceMs?: number | undefined;
  /** Undefined when nobody asked. */
  readonly health?: ListHealth | undefined;
}

/** A list as machines get it. */
export function listJson({ snapshot, nowMs, staleSinceMs, health }: ShownList): object {
  const { service, source, version, stale, rejected, instances } = snapshot;
  const shares = sharesOf(instances);
  return {
    service,
    source,
    version,
    ...stalenessJson({ snapshot, nowMs, staleSinceMs }),
    stale,
    rejected,
    instances: instances.map((instance) => ({
      ...instanceJson(instance, shares),
      ...(health === undefined ? {} : { health: healthJson(health.byKey.get(instance.key)) }),
    })),
  };
}

/** An instance as machines get it. */
export function instanceJson(instance: Instance, shares: ReadonlyMap<string, number>): object {
  const { key, name, host, port, weight, app } = instance;
  return { name, address: key, host, port, weight, sharePercent: shares.get(key), app };
}

/** A list as people get it. */
export function listText(list: ShownList): string {
  const { service, source, version, rejected, instances } = list.snapshot;
  const notes = [
    `version ${version}`,
    stalenessText(list),
    ...(rejected > 0 ? [`${rejected} items that made no sense left out`] : []),
  ].join(", ");
  const title = printableLine(
    `${service} from ${source}: ${instances.length} ${instances.length === 1 ? "instance" : "instances"} (${notes})`,
  );
  if (instances.length === 0) return title;
  const { health } = list;
  const shares = sharesOf(instances);
  const rows = instances.map(({ key, name, weight, app }) => [
    name,
    key,
    String(weight),
    `${shares.get(key)} %`,
    app,
    ...(health === undefined ? [] : [healthText(health.byKey.get(key))]),
  ]);
  const head = ["NAME", "ADDRESS", "WEIGHT", "SHARE", "APP"];
  const table = textTable([health === undefined ? head : [...head, "HEALTH"], ...rows]);
  return [title, ...table, ...(health === undefined ? [] : [healthSummary(health)])].join("\n");
}

/** How long ago the list was confirmed, and since when it is stale. */
export function stalenessText({ snapshot, nowMs, staleSinceMs }: ShownList): string {
  const age = ageMs(snapshot, nowMs);
  const confirmed = age === null ? "never confirmed" : `confirmed ${seconds(age)} ago`;
  if (!snapshot.stale) return `fresh, ${confirmed}`;
  if (staleSinceMs === undefined) return `stale: the source does not vouch for it, ${confirmed}`;
  return `stale since ${new Date(staleSinceMs).toISOString()}, ${confirmed}`;
}

/** The same for machines. */
export function stalenessJson({ snapshot, nowMs, staleSinceMs }: ShownList): object {
  return {
    ageMs: ageMs(snapshot, nowMs),
    staleSince: staleSinceMs === undefined ? null : new Date(staleSinceMs).toISOString(),
  };
}

function ageMs({ confirmedAtMs }: Snapshot, nowMs: number): number | null {
  return confirmedAtMs === 0 ? null : Math.max(0, Math.round(nowMs - confirmedAtMs));
}

/** A time in seconds, with one decimal. */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** What machines get of the health of an instance that was asked; null for one that was not. */
export function healthJson(health: InstanceHealth | undefined): object | null {
  if (health === undefined) return null;
  const { status, why, ms } = health;
  return { status, ...(why === undefined ? {} : { why }), ms };
}

/** What people get of it. */
export function healthText(health: InstanceHealth | undefined): string {
  if (health === undefined) return "not asked";
  const { status, why, ms } = health;
  return `${status}${why === undefined ? "" : `: ${printableLine(why)}`} (${Math.round(ms)} ms)`;
}

/** How many of those that were asked serve. */
export function healthSummary(health: ListHealth): string {
  const { byKey, leftOut } = health;
  const left =
    leftOut === 0 ? "" : `; ${leftOut} more were not asked: --all asks more than ${HEALTH_LIMIT}`;
  return `${servingCount(health)} of ${byKey.size} serving${left}`;
}

/** A change as machines get it. */
export function changeJson(
  at: string,
  change: InstanceChange,
  shares: ReadonlyMap<string, number>,
): object {
  if (!("instance" in change)) return { at, ...change };
  const { instance, ...rest } = change;
  return { at, ...rest, instance: instanceJson(instance, shares) };
}

/** A change of an instance as people get it. */
export function changeText(
  change: Extract<InstanceChange, { readonly instance: Instance }>,
  shares: ReadonlyMap<string, number>,
): string {
  const { key, name, weight } = change.instance;
  const who = printableLine(name === key ? key : `${name} ${key}`);
  switch (change.change) {
    case "added":
      return `added ${who}, weight ${weight}, ${shares.get(key)} %`;
    case "removed":
      return `removed ${who}`;
    case "weight":
      return `weight of ${who} ${change.before} -> ${weight}, ${shares.get(key)} %`;
    case "renamed":
      return `name of ${key} ${printableLine(`${change.before} -> ${name}`)}`;
  }
}
