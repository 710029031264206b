import { seen } from "../../core/options.js";
import { servingError } from "../../core/serving-error.js";
import type { EtcdEntry, RequestOp } from "../../wire/etcd.js";
import type { ServiceTable } from "../service-table.js";
import type { TableBounds } from "../table-bounds.js";
import type { EtcdCalls } from "./etcd-calls.js";
import { etcdKeyText } from "./etcd-keys.js";
import type { EtcdMirror } from "./etcd-mirror.js";
import { type EtcdRegistration, registrationFromEntry } from "./etcd-registration.js";
import { weightFromValue } from "./etcd-settings.js";

/** Who has written reads what was written, unless the mirror hears of it later than this. */
export const OWN_WRITE_MS = 1_000;

/** So often somebody else may have been faster at the same keys. */
const MAX_ROUNDS = 8;

/** What a directory writes to etcd with. */
export interface EtcdWriting {
  /** Ends with a slash. */
  readonly prefix: string;
  readonly calls: EtcdCalls;
  readonly mirror: EtcdMirror;
  readonly table: ServiceTable<EtcdRegistration>;
  readonly bounds: TableBounds;
}

/** What a change depends on. */
export interface ChangeBasis {
  /** The keys that it depends on, and the revision of their last change; 0 for one that is not there. */
  readonly revisions: ReadonlyMap<string, bigint>;
}

/** What a change of an instance or of its operator's weight depends on. */
export interface InstanceBasis extends ChangeBasis {
  /** Who holds the name; undefined when nobody does, or nobody that makes sense. */
  readonly held: EtcdRegistration | undefined;
  /** The operator's weight. */
  readonly weight: number | undefined;
}

/** What follows from a basis. */
export interface PlannedChange<T> {
  readonly changes: readonly RequestOp[];
  /** What holds when they have been made. */
  readonly outcome: T;
}

/** How a change is found. */
export interface EtcdChangePlan<B extends ChangeBasis, T> {
  readonly keys: readonly string[];
  /** What the mirror knows of the keys. */
  readonly first: B;
  /** What etcd says of them, when the mirror did not know the newest. */
  readonly again: (
    revisions: ReadonlyMap<string, bigint>,
    entries: ReadonlyMap<string, EtcdEntry>,
  ) => B;
  /** May throw; is asked again when the basis was not true any more. */
  readonly plan: (basis: B) => Promise<PlannedChange<T>>;
}

/**
 * Makes a change that depends on what stands in etcd, in as many tries as it takes, and waits until the mirror shows it.
 *
 * @throws HostError `STORE_FAILED`, and what `plan` throws
 */
export async function changeEtcd<B extends ChangeBasis, T>(
  { calls, mirror }: EtcdWriting,
  { keys, first, again, plan }: EtcdChangePlan<B, T>,
): Promise<T> {
  let basis = first;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const { changes, outcome } = await plan(basis);
    const { revisions } = basis;
    const known = mirror.revision;
    const { revision, entries } = await calls.transact(revisions, changes);
    if (revision !== undefined) {
      // A revision that was known before it was made is another etcd's: the mirror has yet to begin anew.
      const anew = revision <= known;
      const shown = (): boolean => {
        if (changes.length === 0) return isShown(mirror, revisions);
        return mirror.revision >= revision && !(anew && mirror.revision >= known);
      };
      await mirror.until(shown, OWN_WRITE_MS);
      return outcome;
    }
    const byKey = new Map(entries.map((entry) => [entry.key, entry]));
    basis = again(new Map(keys.map((key) => [key, byKey.get(key)?.modRevision ?? 0n])), byKey);
  }
  throw servingError(
    "STORE_FAILED",
    `etcd: others changed ${seen(keys[0])} ${MAX_ROUNDS} times at the same moment`,
  );
}

function isShown(mirror: EtcdMirror, revisions: ReadonlyMap<string, bigint>): boolean {
  return [...revisions].every(([key, revision]) => mirror.revisionOf(key) >= revision);
}

/** Changes an instance or its operator's weight. */
export function changeInstance<T>(
  writing: EtcdWriting,
  { service, name }: { readonly service: string; readonly name: string },
  plan: (basis: InstanceBasis) => Promise<PlannedChange<T>>,
): Promise<T> {
  const { prefix, mirror, table } = writing;
  const instanceKey = etcdKeyText(prefix, { kind: "instance", service, name });
  const weightKey = etcdKeyText(prefix, { kind: "weight", service, name });
  const trafficKey = etcdKeyText(prefix, { kind: "traffic", group: service });
  const keys = [instanceKey, weightKey, trafficKey];
  return changeEtcd<InstanceBasis, T>(writing, {
    keys,
    first: {
      revisions: new Map(keys.map((key) => [key, mirror.revisionOf(key)])),
      held: table.registration(service, name),
      weight: table.weight(service, name),
    },
    again: (revisions, entries) => {
      const held = entries.get(instanceKey);
      const weight = entries.get(weightKey);
      return {
        revisions,
        held: held && registrationFromEntry(service, name, held).registration,
        weight: weight && weightFromValue(weight.value),
      };
    },
    plan: async (basis) => {
      const group = basis.revisions.get(trafficKey) ?? 0n;
      // A group since a moment ago: the table refuses what is asked as soon as it knows.
      await mirror.until(() => mirror.revisionOf(trafficKey) >= group, OWN_WRITE_MS);
      return plan(basis);
    },
  });
}
