import { createHash } from "node:crypto";
import { isServiceName } from "../../core/instance.js";
import { isInstanceName } from "../../wire/upstream-item.js";

/** What a lease that was given out says; any directory over the same etcd can read it. */
export interface EtcdLeaseId {
  /** etcd's own id of the lease. */
  readonly lease: bigint;
  readonly service: string;
  /** Name of the instance. */
  readonly name: string;
  /** Secret of the registrant; etcd has nothing but its {@link holderHash}. */
  readonly holder: string;
}

const FORM = /^([0-9a-f]{1,16})\.([A-Za-z0-9_-]{1,512})\.([\x21-\x7e]{1,128})$/;

/** Writes a lease id. */
export function etcdLeaseIdText({ lease, service, name, holder }: EtcdLeaseId): string {
  const instance = Buffer.from(`${service}/${name}`).toString("base64url");
  return `${lease.toString(16)}.${instance}.${holder}`;
}

/** Reads a lease id; undefined when no directory over etcd has given it out. */
export function etcdLeaseIdFromText(text: string): EtcdLeaseId | undefined {
  const [, lease, instance, holder] = FORM.exec(text) ?? [];
  if (lease === undefined || instance === undefined || holder === undefined) return undefined;
  const key = Buffer.from(instance, "base64url").toString("latin1");
  const slash = key.indexOf("/");
  const [service, name] = [key.slice(0, Math.max(0, slash)), key.slice(slash + 1)];
  if (!isServiceName(service) || !isInstanceName(name)) return undefined;
  return { lease: BigInt(`0x${lease}`), service, name, holder };
}

/** What etcd, which others may read, is told of a holder: who reads it there cannot renew the lease or give it back. */
export function holderHash(holder: string): string {
  return createHash("sha256").update(holder).digest("hex");
}
