import { randomUUID } from "node:crypto";
import { groupOf } from "../core/group-name.js";
import { servingError } from "../core/serving-error.js";
import type { UpstreamDifference, UpstreamList } from "../wire/upstream.js";
import type { TrafficSetting, WeightSetting } from "../wire/upstream-registration.js";
import { createChangeLog } from "./change-log.js";
import { groupInstances } from "./group-list.js";
import { type HeldRegistration, ServiceEntry } from "./service-entry.js";
import { type TableBounds, tableBounds } from "./table-bounds.js";
import { isIdle, TableRoom } from "./table-room.js";

/**
 * What a directory knows, and the lists that follow from it. It does nothing by itself: a store tells it what holds.
 *
 * What changes something does so at once and tells the listeners, or throws and changes nothing: HostError
 * `MALFORMED_REQUEST` when a service would be a group as well, `FORBIDDEN` (RESOURCE_EXHAUSTED) when there is no room. The `check`
 * methods throw the same and change nothing, for stores that write elsewhere first.
 */
export interface ServiceTable<R extends HeldRegistration> {
  /** As `DirectoryStore` has them. */
  services(): readonly string[];
  list(service: string): UpstreamList;
  difference(service: string, since: string): UpstreamDifference | undefined;
  onChange(listener: (service: string) => void): () => void;

  /** Who holds a name in a service. */
  registration(service: string, name: string): R | undefined;
  checkRegistration(service: string, name: string): void;
  /** Lists an instance in the place of whoever held its name, who is returned. */
  register(registration: R): R | undefined;
  /** Ends a registration, which is returned; undefined when there is none. */
  remove(service: string, name: string): R | undefined;

  /** The operator's weight of an instance, if there is one. */
  weight(service: string, name: string): number | undefined;
  checkWeight(setting: WeightSetting): void;
  /** Sets or takes back an operator's weight; false when it was so already. */
  setWeight(setting: WeightSetting): boolean;

  /** Whether the shares may be set, and those hold that the setting expects. */
  checkTraffic(setting: TrafficSetting): void;
  /** Whether the shares of a group are so already. */
  hasTraffic(setting: TrafficSetting): boolean;
  /** Sets the shares of a group; false when they were so already. */
  setTraffic(setting: TrafficSetting): boolean;
  /** Ends a group; false when there is none. */
  removeTraffic(group: string): boolean;

  /** Makes a service known although nobody is registered; false when it was already. */
  setKnown(service: string): boolean;

  /** Whether what all this was learned from cannot be reached now. A change of it changes every list. */
  setStale(stale: boolean): void;
  /** Whether who is missing from a list is gone. A change of it changes every list. */
  setSettled(settled: boolean): void;

  /** All of it, each in the order in which it came. */
  registrations(): Iterable<R>;
  weights(): Iterable<WeightSetting>;
  traffic(): Iterable<TrafficSetting>;
  knownServices(): Iterable<string>;

  /** Forgets the listeners. */
  close(): void;
}

/** What a table is made of. */
export interface ServiceTableOptions {
  readonly bounds?: TableBounds | undefined;
  /** @defaultValue true */
  readonly settled?: boolean;
  /** @defaultValue false */
  readonly stale?: boolean;
}

/**
 * Makes a table that knows nothing.
 *
 * Versions are a counter behind an id of the start, so that no list has the version of another one before a restart.
 */
export function createServiceTable<R extends HeldRegistration>(
  options: ServiceTableOptions = {},
): ServiceTable<R> {
  return new CountingTable<R>(options);
}

interface Group {
  readonly shares: ReadonlyMap<string, number>;
  version: number;
}

class CountingTable<R extends HeldRegistration> implements ServiceTable<R> {
  readonly #startId: string = randomUUID().slice(0, 8);
  readonly #entries = new Map<string, ServiceEntry<R>>();
  readonly #room: TableRoom;
  readonly #groups = new Map<string, Group>();
  readonly #lists = new Map<string, UpstreamList>();
  readonly #log = createChangeLog();
  readonly #listeners = new Set<(service: string) => void>();
  #settled: boolean;
  #stale: boolean;
  #changes = 0;
  /** Number of the last change of every list. */
  #changeOfAll = 0;

  constructor({ bounds = tableBounds, settled = true, stale = false }: ServiceTableOptions) {
    this.#room = new TableRoom(bounds, this.#entries);
    this.#settled = settled;
    this.#stale = stale;
  }

  services(): readonly string[] {
    const names = [...this.#entries].flatMap(([name, { registrations }]) =>
      registrations.size > 0 ? name : [],
    );
    const members = [...this.#groups].flatMap(([group, { shares }]) =>
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

  difference(service: string, since: string): UpstreamDifference | undefined {
    const entry = this.#groups.has(service) ? undefined : this.#entries.get(service);
    const [startId, count = ""] = since.split(".");
    if (entry === undefined || startId !== this.#startId || !/^\d+$/.test(count)) return undefined;
    const keys = this.#log.changedSince(service, Number(count));
    if (keys === undefined || keys.size > entry.listed.size) return undefined;
    const changed = [...keys].flatMap((key) => entry.listed.get(key) ?? []);
    return { changed, removed: [...keys].filter((key) => !entry.listed.has(key)) };
  }

  onChange(listener: (service: string) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  registration(service: string, name: string): R | undefined {
    return this.#entries.get(service)?.registrations.get(name);
  }

  checkRegistration(service: string, name: string): void {
    this.#checkNoGroup(service);
    this.#room.checkRegistration(service, name);
  }

  register(registration: R): R | undefined {
    const { service, instance } = registration;
    this.checkRegistration(service, instance.name);
    const entry = this.#entryFor(service);
    const before = entry.registrations.get(instance.name);
    if (before === undefined) this.#room.registrations += 1;
    this.#changed(service, entry, entry.put(registration));
    return before;
  }

  remove(service: string, name: string): R | undefined {
    const entry = this.#entries.get(service);
    const before = entry?.registrations.get(name);
    if (entry === undefined || before === undefined) return undefined;
    this.#room.registrations -= 1;
    this.#changed(service, entry, entry.remove(name));
    return before;
  }

  weight(service: string, name: string): number | undefined {
    return this.#entries.get(service)?.weights.get(name);
  }

  checkWeight({ service, instance, weight }: WeightSetting): void {
    if (weight === undefined) return;
    this.#checkNoGroup(service);
    this.#room.checkWeight(service, instance);
  }

  setWeight(setting: WeightSetting): boolean {
    const { service, instance, weight } = setting;
    this.checkWeight(setting);
    if (this.weight(service, instance) === weight) return false;
    const entry = this.#entryFor(service);
    const more = Number(weight !== undefined) - Number(entry.weights.has(instance));
    this.#addSettings(more, entry.known);
    this.#changed(service, entry, entry.weigh(instance, weight));
    if (isIdle(entry) && !entry.known) this.#drop(service);
    return true;
  }

  checkTraffic({ group, shares, expected }: TrafficSetting): void {
    if ((this.#entries.get(group)?.registrations.size ?? 0) > 0) {
      throw servingError(
        "MALFORMED_REQUEST",
        `group is "${group}", which is a service with instances of its own, not a group`,
      );
    }
    const before = this.#groups.get(group)?.shares;
    if (expected !== undefined) checkExpected(group, before ?? noShares, expected);
    if (before === undefined) this.#room.checkGroup(this.#groups.size);
    this.#room.checkSettings(shares.size - (before?.size ?? 0), true);
  }

  hasTraffic({ group, shares }: TrafficSetting): boolean {
    const before = this.#groups.get(group)?.shares;
    return before !== undefined && sameShares(before, shares);
  }

  setTraffic(setting: TrafficSetting): boolean {
    this.checkTraffic(setting);
    if (this.hasTraffic(setting)) return false;
    const { group, shares } = setting;
    const more = shares.size - (this.#groups.get(group)?.shares.size ?? 0);
    this.#addSettings(more, true);
    this.#groups.set(group, { shares, version: 0 });
    this.#groupChanged(group);
    return true;
  }

  removeTraffic(group: string): boolean {
    const before = this.#groups.get(group);
    if (before === undefined) return false;
    this.#room.settings -= before.shares.size;
    this.#groups.delete(group);
    this.#tell(group);
    return true;
  }

  setKnown(service: string): boolean {
    if (this.#entries.get(service)?.known === true) return false;
    this.#checkNoGroup(service);
    this.#room.checkService(service);
    const entry = this.#entryFor(service);
    entry.known = true;
    this.#nextVersion(service, entry, []);
    return true;
  }

  setStale(stale: boolean): void {
    if (this.#stale === stale) return;
    this.#stale = stale;
    this.#allChanged();
  }

  setSettled(settled: boolean): void {
    if (this.#settled === settled) return;
    this.#settled = settled;
    this.#allChanged();
  }

  *registrations(): Iterable<R> {
    for (const { registrations } of this.#entries.values()) yield* registrations.values();
  }

  *weights(): Iterable<WeightSetting> {
    for (const [service, { weights }] of this.#entries) {
      for (const [instance, weight] of weights) yield { service, instance, weight };
    }
  }

  *traffic(): Iterable<TrafficSetting> {
    for (const [group, { shares }] of this.#groups) yield { group, shares };
  }

  *knownServices(): Iterable<string> {
    for (const [service, { known }] of this.#entries) if (known) yield service;
  }

  close(): void {
    this.#listeners.clear();
  }

  #makeList(service: string): UpstreamList {
    const stale = this.#stale;
    const settled = this.#settled;
    const group = this.#groups.get(service);
    if (group !== undefined) {
      const { shares } = group;
      const correlative = [...shares.keys()].sort();
      const members = correlative.map((member) => ({
        share: shares.get(member) ?? 0,
        instances: this.list(`${service}.${member}`).instances,
      }));
      const instances = groupInstances(members);
      const version = this.#versionText(group.version);
      return { service, version, instances, correlative, known: true, shares, stale, settled };
    }
    const entry = this.#entries.get(service);
    const known = entry?.known ?? false;
    const version = entry?.known
      ? this.#versionText(entry.version)
      : `${this.#startId}.unknown.${this.#changeOfAll}`;
    const instances = [...(entry?.listed.values() ?? [])];
    const correlative = [service];
    return { service, version, instances, correlative, known, shares: noShares, stale, settled };
  }

  #versionText(version: number): string {
    return `${this.#startId}.${Math.max(version, this.#changeOfAll)}`;
  }

  #checkNoGroup(service: string): void {
    if (!this.#groups.has(service)) return;
    throw servingError(
      "MALFORMED_REQUEST",
      `service is "${service}", which is a group; its members are called "${service}.NAME"`,
    );
  }

  /** The entry of a service, made where there is none; there is room. */
  #entryFor(service: string): ServiceEntry<R> {
    let entry = this.#entries.get(service);
    if (entry === undefined) {
      const needless = this.#room.needlessService();
      if (needless !== undefined) this.#drop(needless);
      entry = new ServiceEntry<R>(this.#changes);
      this.#entries.set(service, entry);
    }
    return entry;
  }

  #addSettings(more: number, mayPush: boolean): void {
    for (const service of this.#room.givingWay(more, mayPush)) this.#drop(service);
    this.#room.settings += more;
  }

  #drop(service: string): void {
    const entry = this.#entries.get(service);
    if (entry === undefined) return;
    this.#room.settings -= entry.weights.size;
    this.#entries.delete(service);
    this.#log.drop(service);
    if (entry.known) this.#tell(service);
  }

  #changed(service: string, entry: ServiceEntry<R>, keys: readonly string[]): void {
    if (keys.length > 0) this.#nextVersion(service, entry, keys);
  }

  #nextVersion(service: string, entry: ServiceEntry<R>, keys: readonly string[]): void {
    const before = entry.version;
    this.#changes += 1;
    entry.version = this.#changes;
    this.#log.add(service, before, entry.version, keys);
    this.#tell(service);
    const group = groupOf(service);
    if (group !== undefined && this.#groups.has(group)) this.#groupChanged(group);
  }

  #groupChanged(name: string): void {
    const group = this.#groups.get(name);
    if (group === undefined) return;
    this.#changes += 1;
    group.version = this.#changes;
    this.#tell(name);
  }

  #allChanged(): void {
    this.#changes += 1;
    this.#changeOfAll = this.#changes;
    this.#lists.clear();
    for (const name of [...this.knownServices(), ...this.#groups.keys()]) this.#tell(name);
  }

  #tell(service: string): void {
    this.#lists.delete(service);
    for (const listener of this.#listeners) listener(service);
  }
}

const noShares: ReadonlyMap<string, number> = new Map();

function checkExpected(
  group: string,
  now: ReadonlyMap<string, number>,
  expected: ReadonlyMap<string, number>,
): void {
  const members = new Set([...now.keys(), ...expected.keys()]);
  const other = [...members].find(
    (member) => (now.get(member) ?? 0) !== (expected.get(member) ?? 0),
  );
  if (other === undefined) return;
  throw servingError(
    "SHARES_CHANGED",
    `the share of "${group}.${other}" is ${now.get(other) ?? 0}, expected ${expected.get(other) ?? 0}`,
  );
}

function sameShares(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([member, share]) => b.get(member) === share);
}
