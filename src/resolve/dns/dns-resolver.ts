import type { Endpoint } from "../../core/endpoint.js";
import { addressText } from "../../core/instance.js";
import type { Clock } from "../../core/ports.js";
import { ServingError, servingError } from "../../core/serving-error.js";
import type { DnsRecord, DnsRecordType, DnsReply } from "./dns-message.js";
import { comparableName } from "./dns-name.js";
import type { DnsAsk } from "./dns-query.js";

/** For each question to a server. */
const TIMEOUT_MS = 2_000;

/** With several servers: one that is silent must leave time for the next. */
const SHORTEST_TIMEOUT_MS = 1_000;

/** Aliases of aliases that are followed. */
const MAX_ALIASES = 16;

/** What is known of a name. */
export interface DnsFinding {
  /** Of the type that was asked for, the name's own or those of what it is an alias of. */
  readonly records: readonly DnsRecord[];
  /** The shortest of all records that led there. */
  readonly ttlSeconds: number;
  /** What the server sent besides. */
  readonly additionals: readonly DnsRecord[];
}

/** Says with authority that there is no such name, or none with such records. */
export type DnsAbsence = "NXDOMAIN" | "NODATA";

/** What the resolver needs. */
export interface DnsResolverOptions {
  readonly ask: DnsAsk;
  readonly clock: Clock;
}

/** Asks servers until one of them knows; begins with the one that knew last. */
export class DnsResolver {
  readonly #options: DnsResolverOptions;
  #first = "";

  constructor(options: DnsResolverOptions) {
    this.#options = options;
  }

  /**
   * Asks for the records of a name.
   *
   * @throws DiscoveryError `DIRECTORY_FAILED` when no server gave an answer that counts.
   */
  async find(
    question: { readonly name: string; readonly type: DnsRecordType },
    servers: readonly Endpoint[],
    signal: AbortSignal,
  ): Promise<DnsFinding | DnsAbsence> {
    const { name, type } = question;
    const { ask, clock } = this.#options;
    const timeoutMs = Math.max(SHORTEST_TIMEOUT_MS, TIMEOUT_MS / servers.length);
    const failures: string[] = [];
    for (const server of this.#inTurn(servers)) {
      try {
        const reply = await ask({ server, name, type, timeoutMs, clock, signal });
        const finding = findingFrom(reply, name, type);
        this.#first = textOf(server);
        return finding;
      } catch (thrown) {
        failures.push(`${textOf(server)}: ${ServingError.from(thrown).message}`);
        if (signal.aborted) break;
      }
    }
    const who = failures.join("; ") || "there is no server to ask";
    throw servingError("DIRECTORY_FAILED", `no DNS server tells ${type} of ${name}: ${who}`);
  }

  #inTurn(servers: readonly Endpoint[]): readonly Endpoint[] {
    const first = servers.find((server) => textOf(server) === this.#first);
    return first === undefined ? servers : [first, ...servers.filter((server) => server !== first)];
  }
}

function textOf({ host, port }: Endpoint): string {
  return addressText(host, port);
}

const NO_ERROR = 0;
const NX_DOMAIN = 3;

/** Of the codes beside these two, those that are met. */
const codeNames: Readonly<Record<number, string>> = {
  1: "FORMERR",
  2: "SERVFAIL",
  4: "NOTIMP",
  5: "REFUSED",
};

/** Follows the aliases within a reply. */
function findingFrom(
  { code, vouches, answers, additionals }: DnsReply,
  asked: string,
  type: DnsRecordType,
): DnsFinding | DnsAbsence {
  if (code !== NO_ERROR && code !== NX_DOMAIN) {
    throw servingError("DIRECTORY_FAILED", codeNames[code] ?? `RCODE ${code}`);
  }
  let name = comparableName(asked);
  let ttlSeconds = Number.POSITIVE_INFINITY;
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases++) {
    const own = answers.filter((record) => record.name === name);
    const records = own.filter((record) => record.type === type);
    if (records.length > 0) {
      return { records, ttlSeconds: shortest(records, ttlSeconds), additionals };
    }
    const alias = own.find((record) => record.type === "CNAME");
    if (alias === undefined) return absence(code, vouches);
    ttlSeconds = shortest([alias], ttlSeconds);
    name = comparableName(String(alias.data));
  }
  throw servingError("UPSTREAM_MALFORMED", `more than ${MAX_ALIASES} aliases, or a ring of them`);
}

function absence(code: number, vouches: boolean): DnsAbsence {
  if (!vouches) {
    throw servingError("DIRECTORY_FAILED", "refers to other servers, expected one that asks them");
  }
  return code === NX_DOMAIN ? "NXDOMAIN" : "NODATA";
}

function shortest(records: readonly DnsRecord[], ttlSeconds: number): number {
  return records.reduce((least, record) => Math.min(least, record.ttlSeconds), ttlSeconds);
}
