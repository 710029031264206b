import { type Instance, instanceOf } from "../../core/instance.js";
import { seen } from "../../core/options.js";
import { servingError } from "../../core/serving-error.js";
import type { SnapshotChange } from "../../core/snapshot.js";
import type { AddressFamily, EndpointSlice } from "../../wire/endpoint-slice.js";
import type { LearnedList } from "../snapshot-keeper.js";

/** How many ports an error names. */
const SHOWN_PORTS = 10;

/** Of a service in all: as many as a directory of the kit takes. */
const MAX_ENDPOINTS = 100_000;

/** What a cache has to tell since it was asked last. */
export type SliceNews =
  /** The whole list: the first, or one that has little to do with the one before. */
  | { readonly kind: "list"; readonly list: LearnedList }
  | {
      readonly kind: "change";
      readonly change: SnapshotChange & Pick<LearnedList, "rejected" | "firstProblem">;
    }
  /** Slices there are, but none has the port. */
  | { readonly kind: "no-port"; readonly problem: string };

/** Slices of one list, as `replace` takes them. */
export type ReplacedSlices = Pick<LearnedList, "rejected" | "firstProblem"> & {
  readonly slices: readonly EndpointSlice[];
};

type Tier = "ready" | "draining";

interface Held {
  readonly slice: EndpointSlice;
  /** The asked port as this slice has it; undefined when it has none. */
  readonly port: number | undefined;
}

interface Named {
  readonly instance: Instance;
  /** Slices that name it: while endpoints move from one to another there are two. */
  count: number;
}

/**
 * The slices of a service, and the instances that they make together. An event costs what its slice holds, whatever the others do.
 *
 * Instances are the endpoints that are ready; when none is, those that end and still serve, as kube-proxy does. A service of two
 * IP families lists each pod twice: only one family counts, IPv4 unless IPv6 has more than twice as many (the slices of one family
 * change a moment before those of the other, and nobody should reconnect to everybody for that).
 */
export class SliceCache {
  readonly #port: number | string;
  readonly #slices = new Map<string, Held>();
  readonly #named: Readonly<Record<AddressFamily, Readonly<Record<Tier, Map<string, Named>>>>> = {
    IPv4: { ready: new Map(), draining: new Map() },
    IPv6: { ready: new Map(), draining: new Map() },
  };
  #size = 0;
  /** Slices with the asked port, and those with others only. */
  #fitting = 0;
  #unfitting = 0;
  readonly #problems = new Map<string, string>();
  #rejectedInSlices = 0;
  /** What could not even be told from other slices. */
  #loose: Pick<LearnedList, "rejected" | "firstProblem"> = { rejected: 0 };
  /** The map that the list told last was made from. */
  #told: Map<string, Named> | undefined;
  #toldSize = 0;
  /** Keys that joined or left that map since; in it now or not. */
  readonly #touched = new Set<string>();

  /** @param port - number or name as slices list it */
  constructor(port: number | string) {
    this.#port = port;
  }

  /** Takes a whole list of slices, no longer than `checkSize` allows: those that it lacks are gone. */
  replace({ slices, rejected, firstProblem }: ReplacedSlices): void {
    const names = new Set(slices.map(({ name }) => name));
    for (const slice of slices) this.#put(slice);
    for (const name of [...this.#slices.keys()]) if (!names.has(name)) this.remove(name);
    this.#loose = { rejected, firstProblem };
  }

  /**
   * Takes a slice that is new, or has changed.
   *
   * @throws DiscoveryError `UPSTREAM_MALFORMED` when there would be more endpoints than any service has; all is as it was then.
   */
  put(slice: EndpointSlice): void {
    const older = this.#slices.get(slice.name)?.slice;
    checkSize(this.#size + sizeOf(slice) - sizeOf(older));
    this.#put(slice);
  }

  #put(slice: EndpointSlice): void {
    const held = { slice, port: portOf(slice, this.#port) };
    const older = this.#slices.get(slice.name);
    this.#slices.set(slice.name, held);
    // Counted before the older one is left out, so that who is in both is not touched.
    const [fresh, past] = older === undefined ? [held, undefined] : differing(held, older);
    this.#count(fresh, 1);
    if (past !== undefined) this.#count(past, -1);
    if (slice.firstProblem === undefined) this.#problems.delete(slice.name);
    else this.#problems.set(slice.name, slice.firstProblem);
    this.#size += sizeOf(slice) - sizeOf(older?.slice);
  }

  /** A slice is gone. */
  remove(name: string): void {
    const older = this.#slices.get(name);
    if (older === undefined) return;
    this.#size -= sizeOf(older.slice);
    this.#slices.delete(name);
    this.#problems.delete(name);
    this.#count(older, -1);
  }

  /** Counts something that could not be told from other slices, until the next whole list. */
  reject(problem: string): void {
    const { rejected, firstProblem = problem } = this.#loose;
    this.#loose = { rejected: rejected + 1, firstProblem };
  }

  /** Whether there is no slice at all, as there is none of a service that does not exist. */
  get isEmpty(): boolean {
    return this.#slices.size === 0;
  }

  /** Whether telling now would leave nobody of those who were told last: a moment's patience may show that they only move. */
  get drastic(): boolean {
    const told = this.#told;
    if (told === undefined || this.#toldSize === 0) return false;
    return this.#chosen() !== told || told.size === 0;
  }

  /** What there is to tell since this was asked last. */
  take(): SliceNews {
    if (this.#fitting === 0 && this.#unfitting > 0) {
      // The list that stays with the listener has nothing to do with what comes next.
      this.#told = undefined;
      this.#touched.clear();
      return { kind: "no-port", problem: this.#portProblem() };
    }
    const named = this.#chosen();
    const touched = [...this.#touched];
    this.#touched.clear();
    const rejected = this.#rejectedInSlices + this.#loose.rejected;
    const [inSlices] = this.#problems.values();
    const faults = { rejected, firstProblem: this.#loose.firstProblem ?? inSlices };
    this.#toldSize = named.size;
    if (named !== this.#told) {
      this.#told = named;
      const instances = [...named.values()].map(({ instance }) => instance);
      return { kind: "list", list: { instances, ...faults } };
    }
    const changed: Instance[] = [];
    const removed: string[] = [];
    for (const key of touched) {
      const instance = named.get(key)?.instance;
      if (instance === undefined) removed.push(key);
      else changed.push(instance);
    }
    return { kind: "change", change: { changed, removed, ...faults } };
  }

  #chosen(): Map<string, Named> {
    const { IPv4, IPv6 } = this.#named;
    const tier: Tier = IPv4.ready.size + IPv6.ready.size > 0 ? "ready" : "draining";
    return IPv6[tier].size > 2 * IPv4[tier].size ? IPv6[tier] : IPv4[tier];
  }

  #count({ slice, port }: Held, by: 1 | -1): void {
    this.#rejectedInSlices += by * slice.rejected;
    if (port !== undefined) {
      this.#fitting += by;
      const { ready, draining } = this.#named[slice.family];
      this.#countAddresses(ready, slice.ready, port, by);
      this.#countAddresses(draining, slice.draining, port, by);
    } else if (!isEmpty(slice)) this.#unfitting += by;
  }

  #countAddresses(
    named: Map<string, Named>,
    addresses: readonly string[],
    port: number,
    by: 1 | -1,
  ): void {
    for (const host of addresses) {
      const instance = instanceOf({ host, port });
      const { key } = instance;
      const known = named.get(key);
      const count = (known?.count ?? 0) + by;
      if (known !== undefined && count > 0) {
        known.count = count;
        continue;
      }
      if (count > 0) named.set(key, { instance, count });
      else named.delete(key);
      if (named === this.#told) this.#touched.add(key);
    }
  }

  #portProblem(): string {
    const ports = new Set<string>();
    for (const { slice } of this.#slices.values()) {
      for (const { name, port = "any" } of slice.ports) {
        ports.add(name === "" ? String(port) : `${name}=${port}`);
      }
    }
    const shown = [...ports].slice(0, SHOWN_PORTS).join(", ");
    const more = ports.size > SHOWN_PORTS ? ` and ${ports.size - SHOWN_PORTS} more` : "";
    return `no endpoint has the port ${seen(this.#port)}, expected one of the pods' own: ${shown || "there are none"}${more}`;
  }
}

/** Two versions of a slice without those at both ends of their lists who are the same: mostly that leaves next to nobody. */
function differing(a: Held, b: Held): readonly [Held, Held] {
  if (a.port === undefined || a.port !== b.port || a.slice.family !== b.slice.family) return [a, b];
  const [ready, wasReady] = differingPart(a.slice.ready, b.slice.ready);
  const [draining, wasDraining] = differingPart(a.slice.draining, b.slice.draining);
  return [
    { port: a.port, slice: { ...a.slice, ready, draining } },
    { port: b.port, slice: { ...b.slice, ready: wasReady, draining: wasDraining } },
  ];
}

function differingPart(
  a: readonly string[],
  b: readonly string[],
): readonly [readonly string[], readonly string[]] {
  const least = Math.min(a.length, b.length);
  let from = 0;
  while (from < least && a[from] === b[from]) from += 1;
  let behind = 0;
  while (behind < least - from && a[a.length - 1 - behind] === b[b.length - 1 - behind])
    behind += 1;
  return [a.slice(from, a.length - behind), b.slice(from, b.length - behind)];
}

/** A controller's place holder, which says nothing of ports. */
function isEmpty({ ports, ready, draining }: EndpointSlice): boolean {
  return ports.length === 0 && ready.length === 0 && draining.length === 0;
}

function portOf(slice: EndpointSlice, asked: number | string): number | undefined {
  const { ports } = slice;
  if (typeof asked === "string") {
    return ports.find(({ name, port }) => name === asked && port !== undefined)?.port;
  }
  // A headless service may have no ports at all; whoever asks for its pods says which one.
  if (ports.length === 0) return isEmpty(slice) ? undefined : asked;
  return ports.some(({ port }) => port === undefined || port === asked) ? asked : undefined;
}

/** What a slice counts for: its endpoints, or whatever else it has more of. */
export function sizeOf(slice: EndpointSlice | undefined): number {
  if (slice === undefined) return 0;
  const { ports, ready, draining } = slice;
  return Math.max(1, ports.length, ready.length + draining.length);
}

/**
 * Refuses what would fill the memory of whoever follows it.
 *
 * @throws DiscoveryError `UPSTREAM_MALFORMED`
 */
export function checkSize(endpoints: number): void {
  if (endpoints <= MAX_ENDPOINTS) return;
  const expected = `expected ${MAX_ENDPOINTS} at most`;
  throw servingError("UPSTREAM_MALFORMED", `the slices list ${endpoints} endpoints, ${expected}`);
}
