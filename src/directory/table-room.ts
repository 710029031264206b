import type { HeldRegistration, ServiceEntry } from "./service-entry.js";
import { fullError, type TableBounds } from "./table-bounds.js";

type Entry = ServiceEntry<HeldRegistration>;

/** Counts what a table holds, and knows whether there is room for more. Changes nothing in the table. */
export class TableRoom {
  /** How many registrations there are. */
  registrations = 0;
  /** How many operators' weights and shares of groups there are. */
  settings = 0;
  readonly #bounds: TableBounds;
  readonly #entries: ReadonlyMap<string, Entry>;

  constructor(bounds: TableBounds, entries: ReadonlyMap<string, Entry>) {
    this.#bounds = bounds;
    this.#entries = entries;
  }

  checkRegistration(service: string, name: string): void {
    this.checkService(service);
    const registrations = this.#entries.get(service)?.registrations;
    if (registrations?.has(name) === true) return;
    const { maxInstances, maxInstancesPerService } = this.#bounds;
    if ((registrations?.size ?? 0) >= maxInstancesPerService) {
      throw fullError(`${maxInstancesPerService} instances of ${service}`);
    }
    if (this.registrations >= maxInstances) throw fullError(`${maxInstances} instances`);
  }

  checkWeight(service: string, name: string): void {
    this.checkService(service);
    const entry = this.#entries.get(service);
    if (entry?.weights.has(name) === true) return;
    const { maxInstancesPerService } = this.#bounds;
    if ((entry?.weights.size ?? 0) >= maxInstancesPerService) {
      throw fullError(`${maxInstancesPerService} operators' weights of ${service}`);
    }
    this.checkSettings(1, entry?.known === true);
  }

  /** Checks that there is a place for a service, or one that another service does not need. */
  checkService(service: string): void {
    const { maxServices } = this.#bounds;
    if (this.#entries.has(service) || this.#entries.size < maxServices) return;
    if (this.needlessService() === undefined) throw fullError(`${maxServices} services`);
  }

  /** The service that makes room for a new one; undefined when there is room, or all are needed. */
  needlessService(): string | undefined {
    if (this.#entries.size < this.#bounds.maxServices) return undefined;
    return this.#find(isIdle) ?? this.#find(isNeverKnown);
  }

  checkGroup(groups: number): void {
    const { maxServices } = this.#bounds;
    if (groups >= maxServices) throw fullError(`${maxServices} groups`);
  }

  /**
   * Checks that there is room for so many more weights or shares. Weights of services that never were give way; not to each
   * other, or anybody could push out everybody's.
   */
  checkSettings(more: number, mayPush: boolean): void {
    let { settings } = this;
    for (const service of this.givingWay(more, mayPush)) {
      settings -= this.#entries.get(service)?.weights.size ?? 0;
    }
    const { maxInstances } = this.#bounds;
    if (more > 0 && settings + more > maxInstances) {
      throw fullError(`${maxInstances} operators' weights and shares`);
    }
  }

  /** The services whose weights give way to so many more settings. */
  givingWay(more: number, mayPush: boolean): readonly string[] {
    const services: string[] = [];
    let over = more > 0 && mayPush ? this.settings + more - this.#bounds.maxInstances : 0;
    if (over <= 0) return services;
    for (const [service, entry] of this.#entries) {
      if (over <= 0) break;
      if (!isNeverKnown(entry)) continue;
      over -= entry.weights.size;
      services.push(service);
    }
    return services;
  }

  #find(fits: (entry: Entry) => boolean): string | undefined {
    for (const [name, entry] of this.#entries) if (fits(entry)) return name;
    return undefined;
  }
}

/** An entry that nobody uses: no registration, no operator's weight. */
export function isIdle({ registrations, weights }: Entry): boolean {
  return registrations.size + weights.size === 0;
}

/** An entry made by an operator's weight alone: no instance ever registered. */
function isNeverKnown({ known, registrations, weights }: Entry): boolean {
  return !known && registrations.size === 0 && weights.size > 0;
}
