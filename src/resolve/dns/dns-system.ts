import { getServers } from "node:dns";
import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { type Endpoint, parseEndpoint } from "../../core/endpoint.js";
import { type DnsSearch, isDnsName } from "./dns-name.js";

/** Where DNS servers listen. */
export const DNS_PORT = 53;

const RESOLV_CONF = "/etc/resolv.conf";

/** As many as one question may cost at most. */
const MAX_SEARCH_DOMAINS = 8;

/** More dots than the system's own resolver takes. */
const MAX_NDOTS = 15;

/** Whom to ask, and how to complete short names. */
export interface DnsWays extends DnsSearch {
  readonly servers: readonly Endpoint[];
}

/** The system's servers, and its search domains where it has a resolv.conf. */
export async function systemDns(): Promise<DnsWays> {
  const servers = getServers().flatMap((text) => dnsServer(text) ?? []);
  // Other systems keep their search domains elsewhere.
  const text = await readFile(RESOLV_CONF, "utf8").catch(() => "");
  return { servers, ...searchFromResolvConf(text) };
}

/** Reads `HOST`, `HOST:PORT`, `V6` or `[V6]:PORT`; undefined when it is none of these. */
export function dnsServer(text: string): Endpoint | undefined {
  const host = isIPv6(text) ? `[${text}]` : text;
  return parseEndpoint(host) ?? parseEndpoint(`${host}:${DNS_PORT}`);
}

/** Reads `search`, `domain` and `options ndots:N`; as with the system's own resolver the last line of each counts. */
export function searchFromResolvConf(text: string): DnsSearch {
  let search: readonly string[] = [];
  let ndots = 1;
  for (const line of text.split("\n")) {
    const [keyword = "", ...words] = line.trim().split(/\s+/);
    if (keyword === "search" || keyword === "domain") search = words.filter(isDnsName);
    if (keyword !== "options") continue;
    for (const word of words) {
      const given = /^ndots:(\d+)$/.exec(word)?.[1];
      if (given !== undefined) ndots = Math.min(MAX_NDOTS, Number(given));
    }
  }
  return { search: search.slice(0, MAX_SEARCH_DOMAINS), ndots };
}
