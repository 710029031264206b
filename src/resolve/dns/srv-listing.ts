import { DEFAULT_WEIGHT } from "../../core/instance.js";
import type { Clock } from "../../core/ports.js";
import { ServingError } from "../../core/serving-error.js";
import type { UpstreamItem } from "../../wire/upstream-item.js";
import { type DnsAnswer, dnsListOf, itemAt, senseless } from "./dns-answer.js";
import { addressesAmong, addressesOf, type DnsAddresses, type DnsLookup } from "./dns-lookup.js";
import type { DnsService } from "./dns-message.js";
import { comparableName } from "./dns-name.js";
import type { DnsAbsence, DnsFinding } from "./dns-resolver.js";
import { saysNotAvailable, sharedWeight, sortServices, weightsOf } from "./srv-records.js";

/** Targets whose addresses the server did not send along and that are asked for in one poll, at most: the zone chooses their names. */
const MAX_LOOKUPS = 100;

/** An address that was asked for is not asked for again for so long, however soon its records want that. */
const SHORTEST_KEPT_SECONDS = 5;

const LOOKUPS_AT_A_TIME = 8;

type ByName = Map<string, DnsAddresses>;

/** Addresses that were asked for. */
interface Kept {
  readonly ips: readonly string[];
  readonly untilMs: number;
}

/** Turns the SRV records of a name into instances: of the lowest priority number under which any target has an address. */
export class SrvListing {
  readonly #clock: Clock;
  /** By target, as they were last answered; also those that are too old, for when no answer comes. */
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Asks once.
   *
   * @throws DiscoveryError when the records cannot be learned, or the addresses of all those that count.
   */
  async ask(name: string, lookup: DnsLookup): Promise<DnsAnswer | DnsAbsence> {
    const found = await lookup(name, "SRV");
    if (typeof found === "string") return found;
    const services = found.records.flatMap((record) => (record.type === "SRV" ? record.data : []));
    if (saysNotAvailable(services)) return { nobody: 'its SRV record says "."' };
    const { priorities, rejected, firstProblem } = sortServices(services);
    if (priorities.length === 0) throw senseless(rejected, firstProblem);
    const lookups = new Lookups();
    try {
      let left: Left = { rejected, firstProblem };
      for (const alike of priorities) {
        const placed = await this.#place(alike, found, lookups, lookup);
        left = sum(left, placed);
        if (placed.items.length > 0) {
          const list = dnsListOf(placed.items, placed.ttlSeconds);
          return { ...list, ...sum(left, list), doubt: placed.failure };
        }
        // Less wanted ones must not get the traffic because of an error.
        if (placed.failure !== undefined) throw placed.failure;
      }
    } finally {
      for (const kept of this.#kept.keys()) if (!lookups.has(kept)) this.#kept.delete(kept);
    }
    return { nobody: "no target of its SRV records has an address" };
  }

  /** Finds the addresses of records of one priority. */
  async #place(
    services: readonly DnsService[],
    { additionals, ttlSeconds }: DnsFinding,
    lookups: Lookups,
    lookup: DnsLookup,
  ): Promise<Placed> {
    const sent = addressesAmong(additionals);
    const names = new Set(services.map(({ target }) => comparableName(target)));
    const missing = [...names].filter((name) => !sent.has(name));
    const { asked, problems } = await this.#lookUp(lookups.begin(missing), lookup);
    const weights = weightsOf(services);
    const items: UpstreamItem[] = [];
    const lost: string[] = [];
    let shortest = ttlSeconds;
    services.forEach(({ target, port }, index) => {
      const name = comparableName(target);
      const addresses = sent.get(name) ?? asked.get(name);
      if (addresses === undefined) {
        lost.push(problems.get(name)?.message ?? lookups.whyLost(name));
        return;
      }
      const { ips } = addresses;
      shortest = Math.min(shortest, addresses.ttlSeconds);
      const weight = sharedWeight(weights[index] ?? DEFAULT_WEIGHT, ips.length);
      for (const ip of ips) items.push(itemAt(ip, port, weight));
    });
    const [failure] = problems.values();
    return { items, ttlSeconds: shortest, failure, rejected: lost.length, firstProblem: lost[0] };
  }

  /**
   * Asks for the addresses of targets, but of those that are new enough; those of one that cannot be learned stay what they were.
   *
   * @returns Them, and what went wrong, by target.
   */
  async #lookUp(names: readonly string[], lookup: DnsLookup): Promise<LookedUp> {
    const asked: ByName = new Map();
    const problems = new Map<string, ServingError>();
    const nowMs = this.#clock.now();
    const lookUpOne = async (name: string): Promise<void> => {
      try {
        const found = await addressesOf(name, lookup);
        if (typeof found === "string") return;
        const ttlSeconds = Math.max(SHORTEST_KEPT_SECONDS, found.ttlSeconds);
        asked.set(name, { ips: found.ips, ttlSeconds });
        this.#kept.set(name, { ips: found.ips, untilMs: nowMs + ttlSeconds * 1_000 });
      } catch (thrown) {
        problems.set(name, ServingError.from(thrown));
        const last = this.#kept.get(name);
        if (last !== undefined) asked.set(name, { ips: last.ips, ttlSeconds: 0 });
      }
    };
    const due: string[] = [];
    for (const name of names) {
      const kept = this.#kept.get(name);
      const leftMs = (kept?.untilMs ?? 0) - nowMs;
      if (kept === undefined || leftMs <= 0) due.push(name);
      else asked.set(name, { ips: kept.ips, ttlSeconds: leftMs / 1_000 });
    }
    for (let at = 0; at < due.length; at += LOOKUPS_AT_A_TIME) {
      await Promise.all(due.slice(at, at + LOOKUPS_AT_A_TIME).map(lookUpOne));
    }
    return { asked, problems };
  }
}

interface LookedUp {
  readonly asked: ByName;
  readonly problems: ReadonlyMap<string, ServingError>;
}

/** The targets that one poll looks up. */
class Lookups {
  readonly #names = new Set<string>();
  readonly #leftOut = new Set<string>();

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** @returns those that may be looked up: of too many the same ones each time, in whatever order a server lists them. */
  begin(names: readonly string[]): readonly string[] {
    const begun = names.toSorted().slice(0, MAX_LOOKUPS - this.#names.size);
    for (const name of begun) this.#names.add(name);
    for (const name of names) if (!this.#names.has(name)) this.#leftOut.add(name);
    return begun;
  }

  whyLost(name: string): string {
    if (!this.#leftOut.has(name)) return `target ${name} has no address`;
    return `target ${name} is one of more than ${MAX_LOOKUPS} that the server sent no address of`;
  }
}

/** What is left out of a list. */
interface Left {
  readonly rejected: number;
  readonly firstProblem?: string | undefined;
}

/** What records of one priority stand for. */
interface Placed extends Left {
  readonly items: readonly UpstreamItem[];
  readonly ttlSeconds: number;
  /** Why the addresses of a target could not be learned. */
  readonly failure: ServingError | undefined;
}

function sum(a: Left, b: Left): Left {
  return { rejected: a.rejected + b.rejected, firstProblem: a.firstProblem ?? b.firstProblem };
}
