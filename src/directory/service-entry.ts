import type { Instance } from "../core/instance.js";
import type { Expiring } from "./lease-expiry.js";

/** A registration that holds. */
export interface HeldLease extends Expiring {
  readonly id: string;
  readonly service: string;
  /** As it was registered, the operator's weight aside. */
  readonly instance: Instance;
  readonly ttlMs: number;
}

/** What is known of one service. */
export interface ServiceEntry {
  /** By instance name. */
  readonly leases: Map<string, HeldLease>;
  /** Operators' weights, by instance name; the instance need not be registered. */
  readonly weights: Map<string, number>;
  /** Whether an instance has ever registered. */
  known: boolean;
}

/** Makes the entry of a service of which nothing is known yet. */
export function createServiceEntry(): ServiceEntry {
  return { leases: new Map(), weights: new Map(), known: false };
}

/**
 * The instances of a service with the weights in force. Of several names at one address the greatest weight counts: the
 * address can be called only once.
 */
export function listedInstances({ leases, weights }: ServiceEntry): readonly Instance[] {
  const byKey = new Map<string, Instance>();
  for (const { instance } of leases.values()) {
    const weight = weights.get(instance.name) ?? instance.weight;
    const known = byKey.get(instance.key);
    if (known === undefined || known.weight < weight) {
      byKey.set(instance.key, { ...instance, weight });
    }
  }
  return [...byKey.values()];
}
