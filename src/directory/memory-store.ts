import { randomUUID } from "node:crypto";
import type { Clock, Logger } from "../core/ports.js";
import type { UpstreamDifference, UpstreamList } from "../wire/upstream.js";
import type {
  Lease,
  Registration,
  TrafficSetting,
  WeightSetting,
} from "../wire/upstream-registration.js";
import { createLeaseBook, type HeldLease, type LeaseBook } from "./lease-book.js";
import { logRegistration } from "./registration-event.js";
import { createServiceTable, type ServiceTable } from "./service-table.js";
import { logTraffic, logWeight, weightOutcome } from "./setting-outcome.js";
import { createSettling, type Settling } from "./settling.js";
import type { DirectoryStore, WeightOutcome } from "./store.js";
import type { TableBounds } from "./table-bounds.js";

/** What a memory store is made of. */
export interface MemoryStoreOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bounds?: TableBounds;
}

/**
 * Makes a store in this process's memory: a restart forgets everything, and instances that run register anew. Until they have
 * had the time for it, the lists are not settled.
 */
export function createMemoryStore(options: MemoryStoreOptions): DirectoryStore {
  return new MemoryStore(options);
}

class MemoryStore implements DirectoryStore {
  readonly #table: ServiceTable<HeldLease>;
  readonly #leases: LeaseBook;
  readonly #logger: Logger;
  readonly #settling: Settling;

  constructor({ clock, logger, bounds }: MemoryStoreOptions) {
    const table = createServiceTable<HeldLease>({ bounds, settled: false });
    this.#table = table;
    this.#settling = createSettling(table, { clock, logger });
    this.#leases = createLeaseBook({
      table,
      clock,
      onEvent: (lease, event) => logRegistration(logger, lease, event),
      onDue: ({ id }) => this.#leases.end(id, "expired"),
      onStall: (stallMs) => this.#settling.onStall(stallMs),
    });
    this.#logger = logger;
    this.#settling.begin();
  }

  services(): readonly string[] {
    return this.#table.services();
  }

  list(service: string): UpstreamList {
    return this.#table.list(service);
  }

  difference(service: string, since: string): UpstreamDifference | undefined {
    return this.#table.difference(service, since);
  }

  async register(registration: Registration): Promise<Lease> {
    return this.#leases.register(registration, randomUUID());
  }

  async keepAlive(leaseId: string): Promise<Lease> {
    return this.#leases.keepAlive(leaseId);
  }

  async deregister(leaseId: string): Promise<void> {
    this.#leases.end(leaseId, "deregistered");
  }

  async setWeight(setting: WeightSetting): Promise<WeightOutcome> {
    if (this.#table.setWeight(setting)) logWeight(this.#logger, setting);
    return weightOutcome(this.#table, setting);
  }

  async setTraffic(setting: TrafficSetting): Promise<string> {
    if (this.#table.setTraffic(setting)) logTraffic(this.#logger, setting);
    return this.#table.list(setting.group).version;
  }

  onChange(listener: (service: string) => void): () => void {
    return this.#table.onChange(listener);
  }

  async close(): Promise<void> {
    this.#settling.close();
    this.#leases.close();
    this.#table.close();
  }
}
