import { DEFAULT_WEIGHT } from "../../core/instance.js";
import { servingError } from "../../core/serving-error.js";
import { createPolledSource, type PollAnswer, type PolledList } from "../polled-source.js";
import type { Source } from "../source.js";
import type { SourceOptions } from "../source-options.js";
import type { DnsTarget } from "../target/target-kind.js";
import { type DnsAnswer, type DnsNobody, dnsListOf, itemAt } from "./dns-answer.js";
import { addressesOf, type DnsLookup } from "./dns-lookup.js";
import { namesToTry } from "./dns-name.js";
import { askDns, type DnsAsk } from "./dns-query.js";
import { type DnsAbsence, DnsResolver } from "./dns-resolver.js";
import { type DnsWays, systemDns } from "./dns-system.js";
import { SrvListing } from "./srv-listing.js";

/** For all questions of one poll: less than callers wait for a first list, so that they hear why there is none. */
const POLL_TIMEOUT_MS = 4_500;

/**
 * So long after a poll for each question of it the next one comes at the earliest: a zone says how many questions it takes, and whom
 * they go to in the end.
 */
const QUESTION_MS = 50;

/** What the DNS source needs. */
export interface DnsSourceOptions extends SourceOptions {
  /** How one question is asked; over UDP and TCP unless a test says otherwise. */
  readonly ask?: DnsAsk;
  /** What the system is set to, for targets that name no server. */
  readonly system?: () => Promise<DnsWays>;
}

/**
 * Makes the source of a name in DNS, asked for again when its records' time to live is over.
 *
 * Of `dns:` the A records, or the AAAA records where there are none: a machine with both would else be listed twice. Of
 * `srv:` the SRV records, see {@link SrvListing}.
 */
export function createDnsSource(target: DnsTarget, options: DnsSourceOptions): Source {
  const listing = new DnsListing(target, options);
  const { text: name, service } = target;
  return createPolledSource({ name, service, ask: (signal) => listing.ask(signal) }, options);
}

class DnsListing {
  readonly #target: DnsTarget;
  readonly #options: DnsSourceOptions;
  readonly #resolver: DnsResolver;
  readonly #srv: SrvListing;
  /** Which of the completed names was there last. */
  #found: string | undefined;
  #lastNobody: string | undefined;

  constructor(target: DnsTarget, options: DnsSourceOptions) {
    this.#target = target;
    this.#options = options;
    const { clock, ask = askDns } = options;
    this.#resolver = new DnsResolver({ ask, clock });
    this.#srv = new SrvListing(clock);
  }

  async ask(closing: AbortSignal): Promise<PollAnswer> {
    const { clock, system = systemDns } = this.#options;
    const { servers } = this.#target;
    const limit = new AbortController();
    const giveUp = (): void => limit.abort(servingError("CANCELLED", "given up"));
    closing.addEventListener("abort", giveUp);
    const cancelTimer = clock.after(
      POLL_TIMEOUT_MS,
      () => limit.abort(servingError("DEADLINE_EXCEEDED", `all took over ${POLL_TIMEOUT_MS} ms`)),
      { background: true },
    );
    try {
      const ways = servers.length > 0 ? { servers, search: [], ndots: 1 } : await system();
      let questions = 0;
      const answer = await this.#askFor(this.#names(ways), (name, type) => {
        questions += 1;
        return this.#resolver.find({ name, type }, ways.servers, limit.signal);
      });
      return this.#paced(this.#heard(answer), questions);
    } finally {
      cancelTimer();
      closing.removeEventListener("abort", giveUp);
    }
  }

  /** First the one that was there last: with search domains every other would be a question in vain, each time. */
  #names(ways: DnsWays): readonly string[] {
    const names = namesToTry(this.#target.name, ways);
    const found = this.#found;
    if (found === undefined || !names.includes(found)) return names;
    return [found, ...names.filter((name) => name !== found)];
  }

  async #askFor(names: readonly string[], lookup: DnsLookup): Promise<DnsAnswer> {
    let nobody: DnsNobody = { nobody: "there is no such name" };
    for (const name of names) {
      const answer =
        this.#target.kind === "srv"
          ? await this.#srv.ask(name, lookup)
          : await this.#addresses(name, lookup);
      if (answer === "NXDOMAIN") continue;
      if (answer === "NODATA") {
        nobody = { nobody: "the name has no such records" };
        continue;
      }
      this.#found = name;
      return answer;
    }
    return nobody;
  }

  async #addresses(name: string, lookup: DnsLookup): Promise<DnsAnswer | DnsAbsence> {
    const found = await addressesOf(name, lookup);
    if (typeof found === "string") return found;
    const { port } = this.#target;
    const items = found.ips.map((ip) => itemAt(ip, port, DEFAULT_WEIGHT));
    return dnsListOf(items, found.ttlSeconds);
  }

  #paced(list: PolledList, questions: number): PolledList {
    const soonestMs = questions * QUESTION_MS;
    const { nextMs = this.#options.pollIntervalMs } = list;
    return nextMs >= soonestMs ? list : { ...list, nextMs: soonestMs };
  }

  #heard(answer: DnsAnswer): PolledList {
    if (!("nobody" in answer)) {
      this.#lastNobody = undefined;
      return answer;
    }
    const { nobody } = answer;
    // Once: an empty list alone does not tell a wrong name from a service that is down.
    if (this.#lastNobody !== nobody) {
      const { text: source, service } = this.#target;
      this.#options.logger.warn({ source, service }, `DNS lists nobody: ${nobody}`);
    }
    this.#lastNobody = nobody;
    return { instances: [], rejected: 0 };
  }
}
