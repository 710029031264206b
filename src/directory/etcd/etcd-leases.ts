import { randomUUID } from "node:crypto";
import { servingError } from "../../core/serving-error.js";
import { deleteOp, putOp, type RequestOp } from "../../wire/etcd.js";
import { namingValueOfDeleted } from "../../wire/etcd-naming.js";
import type { Lease, Registration } from "../../wire/upstream-registration.js";
import { sameInstance } from "../registration-event.js";
import type { GrantedLease } from "./etcd-calls.js";
import { changeInstance, type EtcdWriting, OWN_WRITE_MS } from "./etcd-change.js";
import { etcdKeyText } from "./etcd-keys.js";
import {
  type EtcdLeaseId,
  etcdLeaseIdFromText,
  etcdLeaseIdText,
  holderHash,
} from "./etcd-lease-id.js";
import {
  type EtcdRegistration,
  registrationFromEntry,
  registrationValue,
} from "./etcd-registration.js";

/**
 * Registers an instance under a lease of etcd's; who holds the name already by the same secret keeps its lease, by whichever
 * directory it comes.
 */
export async function registerInEtcd(
  writing: EtcdWriting,
  { service, instance, ttlMs, holder: given }: Registration,
): Promise<Lease> {
  const { name } = instance;
  const holder = given || randomUUID();
  const hash = holderHash(holder);
  const { calls, prefix, table } = writing;
  const key = etcdKeyText(prefix, { kind: "instance", service, name });
  let granted: GrantedLease | undefined;

  /** The lease that the same holder has already, if it still holds. */
  async function kept(held: EtcdRegistration | undefined): Promise<GrantedLease | undefined> {
    if (held === undefined || held.lease === 0n) return undefined;
    if (held.holderHash !== hash || held.ttlMs !== ttlMs) return undefined;
    const leftMs = await calls.renew(held.lease);
    return leftMs === undefined ? undefined : { lease: held.lease, ttlMs: leftMs };
  }

  const { lease, before, weight } = await changeInstance(
    writing,
    { service, name },
    async (basis) => {
      table.checkRegistration(service, name);
      const { held: before, weight = instance.weight } = basis;
      let lease = await kept(before);
      if (lease === undefined) {
        granted ??= await calls.grant(ttlMs);
        lease = granted;
      }
      const outcome = { lease, before, weight };
      if (
        before?.lease === lease.lease &&
        before.weight === weight &&
        sameInstance(before.instance, instance)
      ) {
        return { changes: [], outcome };
      }
      const value = registrationValue({ instance, weight, holderHash: hash, ttlMs });
      return { changes: [putOp(key, value, lease.lease), ...makeKnown(writing, service)], outcome };
    },
  );
  const ours = before !== undefined && before.holderHash !== "";
  for (const old of new Set([granted?.lease, ours ? before.lease : undefined])) {
    if (old === undefined || old === 0n || old === lease.lease) continue;
    // Nothing stands under it any more: should this fail, nobody can renew it, and it ends by itself.
    await calls.revoke(old).catch(() => {});
  }
  return {
    id: etcdLeaseIdText({ lease: lease.lease, service, name, holder }),
    ttlMs: lease.ttlMs,
    weight,
  };
}

/**
 * Renews a lease that any directory over the same etcd has given out.
 *
 * @throws HostError `LEASE_UNKNOWN` or `STORE_FAILED`
 */
export async function renewInEtcd(writing: EtcdWriting, leaseId: string): Promise<Lease> {
  const id = etcdLeaseIdFromText(leaseId);
  const held = id && (await heldBy(writing, id));
  const ttlMs = held && (await writing.calls.renew(held.lease));
  if (held === undefined || ttlMs === undefined) {
    throw servingError(
      "LEASE_UNKNOWN",
      "the lease ended, or another holder has the name; register",
    );
  }
  const { service, instance } = held;
  return {
    id: leaseId,
    ttlMs,
    weight: writing.table.weight(service, instance.name) ?? instance.weight,
  };
}

/** Ends a lease that any directory over the same etcd has given out, and what stands under it. */
export async function endInEtcd(writing: EtcdWriting, leaseId: string): Promise<void> {
  const id = etcdLeaseIdFromText(leaseId);
  const held = id && (await heldBy(writing, id));
  if (held === undefined) return;
  const { calls, mirror, table } = writing;
  const { key, modRevision } = held.entry;
  mirror.leaves(held);
  if (mirror.holding) {
    // Those who have missed etcd as well would keep it listed, for it looks as if it had run out.
    const gone = putOp(key, namingValueOfDeleted(held.instance), held.lease);
    await calls.transact(new Map([[key, modRevision]]), [gone]);
  }
  await calls.revoke(held.lease);
  const { service, instance } = held;
  const ended = (): boolean => table.registration(service, instance.name)?.lease !== held.lease;
  await mirror.until(ended, OWN_WRITE_MS);
}

/** The registration that a lease id stands for; what the mirror does not know yet, etcd is asked. */
async function heldBy(
  { calls, prefix, table }: EtcdWriting,
  { lease, service, name, holder }: EtcdLeaseId,
): Promise<EtcdRegistration | undefined> {
  const hash = holderHash(holder);
  const fits = (held: EtcdRegistration | undefined): boolean =>
    held?.lease === lease && held.holderHash === hash;
  const known = table.registration(service, name);
  if (fits(known)) return known;
  const [entry] = await calls.read([etcdKeyText(prefix, { kind: "instance", service, name })]);
  const held = entry && registrationFromEntry(service, name, entry).registration;
  return fits(held) ? held : undefined;
}

/** What makes a service known from now on, at the cost of one without instances when there are too many. */
function makeKnown(
  { prefix, mirror, table, bounds }: EtcdWriting,
  service: string,
): readonly RequestOp[] {
  const key = etcdKeyText(prefix, { kind: "known", service });
  if (mirror.revisionOf(key) > 0n) return [];
  const full = mirror.count("known") >= bounds.maxServices;
  const idle = full
    ? mirror.findKnown((other) => table.list(other).instances.length === 0)
    : undefined;
  const forget =
    idle === undefined ? [] : [deleteOp(etcdKeyText(prefix, { kind: "known", service: idle }))];
  return [putOp(key, nothing), ...forget];
}

const nothing: Uint8Array = new Uint8Array(0);
