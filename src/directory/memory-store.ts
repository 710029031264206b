import { randomUUID } from "node:crypto";
import { addressText, type Instance } from "../core/instance.js";
import type { Clock, Logger } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import { Status } from "../core/status.js";
import type { UpstreamList } from "../wire/upstream.js";
import type {
  Lease,
  Registration,
  TrafficSetting,
  WeightSetting,
} from "../wire/upstream-registration.js";
import { groupInstances } from "./group-list.js";
import { createLeaseExpiry, type LeaseExpiry } from "./lease-expiry.js";
import {
  createServiceEntry,
  type HeldLease,
  listedInstances,
  type ServiceEntry,
} from "./service-entry.js";
import type { DirectoryStore, WeightOutcome } from "./store.js";

/** How much a memory store takes, so that no caller can fill the machine. */
export interface MemoryStoreBounds {
  /** Services, and groups besides. */
  readonly maxServices: number;
  /** Registrations of one service; as many operators' weights besides. */
  readonly maxInstancesPerService: number;
  /** Registrations of all services; as many settings of operators (weights, and shares of groups) besides. */
  readonly maxInstances: number;
}

/** The bounds of a directory. */
const memoryStoreBounds: MemoryStoreBounds = Object.freeze({
  maxServices: 10_000,
  maxInstancesPerService: 10_000,
  maxInstances: 100_000,
});

/** What a memory store is made of. */
export interface MemoryStoreOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bounds?: MemoryStoreBounds;
}

/**
 * Makes a store in this process's memory: a restart forgets everything, and instances that run register anew.
 *
 * Versions are a counter behind an id of the start, so that no list has the version of another one before a restart.
 */
export function createMemoryStore(options: MemoryStoreOptions): DirectoryStore {
  return new MemoryStore(options);
}

class MemoryStore implements DirectoryStore {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #bounds: MemoryStoreBounds;
  readonly #startId: string = randomUUID().slice(0, 8);
  readonly #services = new Map<string, ServiceEntry>();
  readonly #groups = new Map<string, ReadonlyMap<string, number>>();
  readonly #leases = new Map<string, HeldLease>();
  readonly #lists = new Map<string, UpstreamList>();
  readonly #versions = new Map<string, number>();
  readonly #listeners = new Set<(service: string) => void>();
  readonly #expiry: LeaseExpiry<HeldLease>;
  /** How many operators' weights and shares of groups there are. */
  #settings = 0;
  #changes = 0;

  constructor({ clock, logger, bounds = memoryStoreBounds }: MemoryStoreOptions) {
    this.#clock = clock;
    this.#logger = logger;
    this.#bounds = bounds;
    this.#expiry = createLeaseExpiry(clock, (lease) => this.#end(lease, "expired"));
  }

  services(): readonly string[] {
    const names = [...this.#services].flatMap(([name, { leases }]) =>
      leases.size > 0 ? name : [],
    );
    const members = [...this.#groups].flatMap(([group, shares]) =>
      [...shares.keys()].map((member) => `${group}.${member}`),
    );
    return [...new Set([...names, ...members])].sort();
  }

  list(service: string): UpstreamList {
    let list = this.#lists.get(service);
    if (list === undefined) {
      list = this.#makeList(service);
      // Names that nobody has registered are not worth remembering, and anybody may ask for any number of them.
      if (list.known) this.#lists.set(service, list);
    }
    return list;
  }

  async register({ service, instance, ttlMs }: Registration): Promise<Lease> {
    const entry = this.#entryFor(service);
    const { name } = instance;
    const before = entry.leases.get(name);
    if (before === undefined) this.#makeRoomForLease(service, entry);
    else this.#forget(before);
    const id = randomUUID();
    const expiresMs = this.#clock.now() + ttlMs;
    const lease: HeldLease = { id, service, instance, ttlMs, expiresMs, gone: false };
    entry.leases.set(name, lease);
    entry.known = true;
    this.#leases.set(id, lease);
    this.#expiry.add(lease);
    if (before === undefined || !sameInstance(before.instance, instance)) this.#changed(service);
    this.#log(lease, before === undefined ? "registered" : "registered, taking over");
    return this.#leaseOf(lease);
  }

  async keepAlive(leaseId: string): Promise<Lease> {
    const lease = this.#leases.get(leaseId);
    if (lease === undefined) {
      throw servingError("LEASE_UNKNOWN", "the lease ended, or the directory restarted; register");
    }
    lease.expiresMs = this.#clock.now() + lease.ttlMs;
    return this.#leaseOf(lease);
  }

  async deregister(leaseId: string): Promise<void> {
    const lease = this.#leases.get(leaseId);
    if (lease !== undefined) this.#end(lease, "deregistered");
  }

  async setWeight({ service, instance, weight }: WeightSetting): Promise<WeightOutcome> {
    const entry = weight === undefined ? this.#services.get(service) : this.#entryFor(service);
    const before = entry?.weights.get(instance);
    if (entry !== undefined && before !== weight) {
      if (weight === undefined) this.#settings -= Number(entry.weights.delete(instance));
      else this.#setWeight(service, entry, instance, weight);
      this.#changed(service);
      this.#logger.info({ service, instance, weight: weight ?? "as registered" }, "weight set");
    }
    const registered = entry?.leases.has(instance) ?? false;
    return { registered, version: this.list(service).version };
  }

  async setTraffic({ group, shares }: TrafficSetting): Promise<string> {
    if ((this.#services.get(group)?.leases.size ?? 0) > 0) {
      throw servingError(
        "MALFORMED_REQUEST",
        `group is "${group}", which is a service with instances of its own, not a group`,
      );
    }
    if (!this.#groups.has(group) && this.#groups.size >= this.#bounds.maxServices) {
      throw this.#full(`${this.#bounds.maxServices} groups`);
    }
    const more = shares.size - (this.#groups.get(group)?.size ?? 0);
    this.#makeRoomForSettings(more, undefined);
    this.#settings += more;
    this.#groups.set(group, shares);
    this.#changed(group);
    this.#logger.info({ group, shares: Object.fromEntries(shares) }, "traffic shared out");
    return this.list(group).version;
  }

  onChange(listener: (service: string) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  async close(): Promise<void> {
    this.#expiry.close();
    this.#listeners.clear();
  }

  #makeList(service: string): UpstreamList {
    const version = `${this.#startId}.${this.#versions.get(service) ?? 0}`;
    const shares = this.#groups.get(service);
    if (shares !== undefined) {
      const correlative = [...shares.keys()].sort();
      const members = correlative.map((member) => ({
        share: shares.get(member) ?? 0,
        instances: this.list(`${service}.${member}`).instances,
      }));
      return { service, version, instances: groupInstances(members), correlative, known: true };
    }
    const entry = this.#services.get(service);
    const instances = entry === undefined ? [] : listedInstances(entry);
    const known = entry?.known ?? false;
    return { service, version, instances, correlative: [service], known };
  }

  /** The entry of a service that is about to be written. */
  #entryFor(service: string): ServiceEntry {
    if (this.#groups.has(service)) {
      throw servingError(
        "MALFORMED_REQUEST",
        `service is "${service}", which is a group; its members are called "${service}.NAME"`,
      );
    }
    let entry = this.#services.get(service);
    if (entry === undefined) {
      this.#makeRoomForService();
      entry = createServiceEntry();
      this.#services.set(service, entry);
    }
    return entry;
  }

  #makeRoomForService(): void {
    const { maxServices } = this.#bounds;
    if (this.#services.size < maxServices) return;
    const empty = this.#findService(({ leases, weights }) => leases.size + weights.size === 0);
    const name = empty ?? this.#findService(neverKnown);
    if (name === undefined) throw this.#full(`${maxServices} services`);
    this.#drop(name);
  }

  /** Room for so many more weights or shares; weights of services that never were are given up for it. */
  #makeRoomForSettings(more: number, of: ServiceEntry | undefined): void {
    const { maxInstances } = this.#bounds;
    while (more > 0 && this.#settings + more > maxInstances) {
      const name =
        of?.known === false
          ? undefined
          : this.#findService((entry) => entry !== of && neverKnown(entry));
      if (name === undefined) throw this.#full(`${maxInstances} operators' weights and shares`);
      this.#drop(name);
    }
  }

  #findService(fits: (entry: ServiceEntry) => boolean): string | undefined {
    for (const [name, entry] of this.#services) if (fits(entry)) return name;
    return undefined;
  }

  #drop(service: string): void {
    this.#settings -= this.#services.get(service)?.weights.size ?? 0;
    this.#services.delete(service);
    this.#versions.delete(service);
    this.#lists.delete(service);
  }

  #makeRoomForLease(service: string, { leases }: ServiceEntry): void {
    const { maxInstances, maxInstancesPerService } = this.#bounds;
    if (leases.size >= maxInstancesPerService) {
      throw this.#full(`${maxInstancesPerService} instances of ${service}`);
    }
    if (this.#leases.size >= maxInstances) throw this.#full(`${maxInstances} instances`);
  }

  #setWeight(service: string, entry: ServiceEntry, instance: string, weight: number): void {
    const { maxInstancesPerService } = this.#bounds;
    if (!entry.weights.has(instance)) {
      if (entry.weights.size >= maxInstancesPerService) {
        throw this.#full(`${maxInstancesPerService} operators' weights of ${service}`);
      }
      this.#makeRoomForSettings(1, entry);
      this.#settings += 1;
    }
    entry.weights.set(instance, weight);
  }

  #full(what: string): Error {
    const message = `the directory holds ${what}, as many as it takes`;
    return servingError("FORBIDDEN", message, { code: Status.RESOURCE_EXHAUSTED });
  }

  #end(lease: HeldLease, how: string): void {
    this.#forget(lease);
    this.#services.get(lease.service)?.leases.delete(lease.instance.name);
    this.#changed(lease.service);
    this.#log(lease, how);
  }

  #forget(lease: HeldLease): void {
    lease.gone = true;
    this.#leases.delete(lease.id);
  }

  #leaseOf({ id, ttlMs, service, instance }: HeldLease): Lease {
    const weight = this.#services.get(service)?.weights.get(instance.name) ?? instance.weight;
    return { id, ttlMs, weight };
  }

  #changed(service: string): void {
    this.#changes += 1;
    this.#versions.set(service, this.#changes);
    this.#lists.delete(service);
    for (const listener of this.#listeners) listener(service);
    const group = service.split(".", 1)[0] ?? service;
    if (group !== service && this.#groups.has(group)) this.#changed(group);
  }

  #log({ service, instance }: HeldLease, event: string): void {
    const { name, host, port, weight } = instance;
    this.#logger.info({ service, instance: name, address: addressText(host, port), weight }, event);
  }
}

/** An entry made by an operator's weight alone: no instance ever registered. */
function neverKnown({ known, leases, weights }: ServiceEntry): boolean {
  return !known && leases.size === 0 && weights.size > 0;
}

function sameInstance(a: Instance, b: Instance): boolean {
  return a.key === b.key && a.weight === b.weight && a.app === b.app;
}
