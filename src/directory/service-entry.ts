import type { Instance } from "../core/instance.js";
import type { ListedInstance } from "../wire/upstream.js";

/** A registration that holds. */
export interface HeldRegistration {
  readonly service: string;
  /** As it was registered, the operator's weight aside. */
  readonly instance: Instance;
}

/**
 * What is known of one service, and who is listed for it.
 *
 * Of several names at one address the greatest weight counts: the address can be called only once. A change costs what is
 * registered at its address, not what is listed.
 */
export class ServiceEntry<R extends HeldRegistration> {
  /** Whether an instance has ever registered. */
  known = false;
  /** Number of the last change of the list. */
  version: number;
  readonly #registrations = new Map<string, R>();
  readonly #weights = new Map<string, number>();
  readonly #namesAt = new Map<string, readonly string[]>();
  readonly #listed = new Map<string, ListedInstance>();

  constructor(version: number) {
    this.version = version;
  }

  /** By instance name. */
  get registrations(): ReadonlyMap<string, R> {
    return this.#registrations;
  }

  /** Operators' weights, by instance name; the instance need not be registered. */
  get weights(): ReadonlyMap<string, number> {
    return this.#weights;
  }

  /** With the weights in force, by address. */
  get listed(): ReadonlyMap<string, ListedInstance> {
    return this.#listed;
  }

  /** Registers, and returns the addresses whose listing has changed. */
  put(registration: R): readonly string[] {
    const { name, key } = registration.instance;
    const before = this.#registrations.get(name)?.instance.key;
    this.#registrations.set(name, registration);
    this.known = true;
    if (before === key) return this.#relisted(key);
    if (before !== undefined) this.#leave(before, name);
    this.#namesAt.set(key, [...(this.#namesAt.get(key) ?? []), name]);
    return before === undefined ? this.#relisted(key) : this.#relisted(before, key);
  }

  /** Ends a registration, and returns the addresses whose listing has changed. */
  remove(name: string): readonly string[] {
    const key = this.#registrations.get(name)?.instance.key;
    if (key === undefined) return [];
    this.#registrations.delete(name);
    this.#leave(key, name);
    return this.#relisted(key);
  }

  /** Sets or takes back an operator's weight, and returns the addresses whose listing has changed. */
  weigh(name: string, weight: number | undefined): readonly string[] {
    if (weight === undefined) this.#weights.delete(name);
    else this.#weights.set(name, weight);
    const key = this.#registrations.get(name)?.instance.key;
    return key === undefined ? [] : this.#relisted(key);
  }

  #leave(key: string, name: string): void {
    const names = this.#namesAt.get(key)?.filter((other) => other !== name) ?? [];
    if (names.length > 0) this.#namesAt.set(key, names);
    else this.#namesAt.delete(key);
  }

  #relisted(...keys: readonly string[]): readonly string[] {
    return keys.filter((key) => this.#relist(key));
  }

  #relist(key: string): boolean {
    let best: ListedInstance | undefined;
    for (const name of this.#namesAt.get(key) ?? []) {
      const candidate = this.#inForce(name);
      if (candidate !== undefined && !(best !== undefined && best.weight >= candidate.weight)) {
        best = candidate;
      }
    }
    if (best === undefined) return this.#listed.delete(key);
    if (sameListing(this.#listed.get(key), best)) return false;
    this.#listed.set(key, best);
    return true;
  }

  #inForce(name: string): ListedInstance | undefined {
    const instance = this.#registrations.get(name)?.instance;
    const weight = this.#weights.get(name) ?? instance?.weight;
    if (instance === undefined || weight === undefined || weight === instance.weight) {
      return instance;
    }
    return { ...instance, weight, registeredWeight: instance.weight };
  }
}

/** Of two instances at one address. */
function sameListing(a: ListedInstance | undefined, b: ListedInstance): boolean {
  return (
    a !== undefined &&
    a.name === b.name &&
    a.weight === b.weight &&
    a.app === b.app &&
    a.registeredWeight === b.registeredWeight
  );
}
