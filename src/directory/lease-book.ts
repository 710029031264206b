import type { Clock } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import type { Lease, Registration } from "../wire/upstream-registration.js";
import { createLeaseExpiry, type Expiring } from "./lease-expiry.js";
import { registrationEvent } from "./registration-event.js";
import type { HeldRegistration } from "./service-entry.js";
import type { ServiceTable } from "./service-table.js";

/** A registration under a lease. */
export interface HeldLease extends HeldRegistration, Expiring {
  /** Secret of the lease. */
  readonly id: string;
  /** Secret of the registrant; empty when it has none. */
  readonly holder: string;
  readonly ttlMs: number;
}

/** Keeps the leases of the registrations in a table. */
export interface LeaseBook {
  /** Lists an instance; under a lease of the id that is given, unless the same holder has one already. */
  register(registration: Registration, newId: string): Lease;
  /** @throws HostError `LEASE_UNKNOWN` */
  keepAlive(id: string): Lease;
  /** A lease that holds. */
  held(id: string): HeldLease | undefined;
  /** Ends a lease; false when there is none of that id. */
  end(id: string, how: "expired" | "deregistered"): boolean;
  /** Lets every lease hold for its whole time from now on. */
  renewAll(): void;
  /** Waits again for the end of a lease that was due. */
  wait(lease: HeldLease): void;
  /** Waits for no more. */
  close(): void;
}

/** What a book is made of. */
export interface LeaseBookOptions {
  readonly table: ServiceTable<HeldLease>;
  readonly clock: Clock;
  /** Told of what happens to registrations, renewals aside. */
  readonly onEvent: (lease: HeldLease, event: string) => void;
  /** Told of a lease that has not been renewed in time, once; it holds until it is ended. */
  readonly onDue: (lease: HeldLease) => void;
  /** Told that nobody could renew for so long, so that all leases hold that much longer. */
  readonly onStall: (stallMs: number) => void;
}

/** Makes a book without leases. */
export function createLeaseBook(options: LeaseBookOptions): LeaseBook {
  const { table, clock, onEvent, onDue, onStall } = options;
  const leases = new Map<string, HeldLease>();
  const expiry = createLeaseExpiry<HeldLease>(clock, { onExpired: onDue, onStall });

  function leaseOf({ id, ttlMs, service, instance }: HeldLease): Lease {
    return { id, ttlMs, weight: table.weight(service, instance.name) ?? instance.weight };
  }

  function forget(lease: HeldLease): void {
    lease.gone = true;
    leases.delete(lease.id);
  }

  return {
    register({ service, instance, ttlMs, holder }, newId) {
      const before = table.registration(service, instance.name);
      const same = before !== undefined && isSameHolder(before, holder);
      const id = same ? before.id : newId;
      const expiresMs = clock.now() + ttlMs;
      const lease: HeldLease = { id, service, instance, ttlMs, holder, expiresMs, gone: false };
      table.register(lease);
      if (before !== undefined) forget(before);
      leases.set(id, lease);
      expiry.add(lease);
      const event = registrationEvent(before, lease, same);
      if (event !== undefined) onEvent(lease, event);
      return leaseOf(lease);
    },
    keepAlive(id) {
      const lease = leases.get(id);
      if (lease === undefined) {
        throw servingError(
          "LEASE_UNKNOWN",
          "the lease ended, or the directory restarted; register",
        );
      }
      lease.expiresMs = clock.now() + lease.ttlMs;
      return leaseOf(lease);
    },
    held: (id) => leases.get(id),
    end(id, how) {
      const lease = leases.get(id);
      if (lease === undefined) return false;
      forget(lease);
      table.remove(lease.service, lease.instance.name);
      onEvent(lease, how);
      return true;
    },
    renewAll() {
      const now = clock.now();
      for (const lease of leases.values()) lease.expiresMs = now + lease.ttlMs;
    },
    wait: (lease) => expiry.add(lease),
    close: () => expiry.close(),
  };
}

/** Whether a registration comes from who holds the name already. */
export function isSameHolder(held: { readonly holder: string }, holder: string): boolean {
  return holder !== "" && held.holder === holder;
}
