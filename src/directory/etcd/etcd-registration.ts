import { isIP } from "node:net";
import { appFromService, weightProblem } from "../../core/instance.js";
import { seen } from "../../core/options.js";
import { isRecord } from "../../core/record.js";
import type { EtcdEntry } from "../../wire/etcd.js";
import { namingItemFromValue, namingValueFromInstance } from "../../wire/etcd-naming.js";
import type { HeldRegistration } from "../service-entry.js";

/** A registration as it stands in etcd. */
export interface EtcdRegistration extends HeldRegistration {
  /** The weight that is written for those who read etcd themselves: an operator's, where there is one. */
  readonly weight: number;
  /** Of the holder's secret; empty when no directory has written it. */
  readonly holderHash: string;
  /** How long it was to hold, as the registrant wished; 0 when no directory has written it. */
  readonly ttlMs: number;
  /** The lease that it ends with; 0 for none. */
  readonly lease: bigint;
  /** As etcd has it. */
  readonly entry: EtcdEntry;
}

/** A registration, or why there is none. */
export type ReadRegistration =
  | { readonly registration: EtcdRegistration; readonly problem?: undefined }
  | { readonly registration?: undefined; readonly problem: string | undefined };

/**
 * Writes a registration in etcd's naming convention, with the weight in force where its readers look for it; what only
 * directories need stands beside it.
 */
export function registrationValue({
  instance,
  weight,
  holderHash,
  ttlMs,
}: Pick<EtcdRegistration, "instance" | "weight" | "holderHash" | "ttlMs">): Uint8Array {
  const registeredWeight = instance.weight;
  const metadata = { registeredWeight, holder: holderHash, ttlMs };
  return namingValueFromInstance({ ...instance, weight }, metadata);
}

/** Reads a registration: one that a directory has written, or anybody else in etcd's naming convention. */
export function registrationFromEntry(
  service: string,
  name: string,
  entry: EtcdEntry,
): ReadRegistration {
  const { value, lease } = entry;
  const item = namingItemFromValue(name, value);
  if (item.kind === "deleted") return { problem: undefined };
  if (item.kind === "rejected") return { problem: item.problem };
  const { host, weight, app } = item.instance;
  if (isIP(host) === 0) return { problem: `Addr is ${seen(host)}, expected an IP address` };
  const { holder, ttlMs, registeredWeight = weight } = isRecord(item.metadata) ? item.metadata : {};
  if (typeof registeredWeight !== "number") {
    return { problem: `registeredWeight is ${seen(registeredWeight)}, expected a number` };
  }
  const problem = weightProblem(registeredWeight);
  if (problem !== undefined) return { problem };
  const instance = {
    ...item.instance,
    weight: registeredWeight,
    app: app || appFromService(service),
  };
  const registration = { service, instance, weight, lease, entry };
  return typeof holder === "string" && typeof ttlMs === "number"
    ? { registration: { ...registration, holderHash: holder, ttlMs } }
    : { registration: { ...registration, holderHash: "", ttlMs: 0 } };
}
