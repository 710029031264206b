import type { DnsRecord, DnsRecordType } from "./dns-message.js";
import type { DnsAbsence, DnsFinding } from "./dns-resolver.js";

/** Asks for the records of a name, within what is left of a poll's time. */
export type DnsLookup = (name: string, type: DnsRecordType) => Promise<DnsFinding | DnsAbsence>;

/** Addresses of one name. */
export interface DnsAddresses {
  /** As they were sent; nothing is checked. */
  readonly ips: readonly string[];
  readonly ttlSeconds: number;
}

/** Asks for the A records of a name, and for the AAAA records where it has none. */
export async function addressesOf(
  name: string,
  lookup: DnsLookup,
): Promise<DnsAddresses | DnsAbsence> {
  const four = await lookup(name, "A");
  const found = four === "NODATA" ? await lookup(name, "AAAA") : four;
  if (typeof found === "string") return found;
  const { records, ttlSeconds } = found;
  return { ips: records.map(({ data }) => String(data)), ttlSeconds };
}

/** The addresses among records, by name: A, or AAAA where there are none. */
export function addressesAmong(records: readonly DnsRecord[]): ReadonlyMap<string, DnsAddresses> {
  return new Map([...byName(records, "AAAA"), ...byName(records, "A")]);
}

function byName(
  records: readonly DnsRecord[],
  type: "A" | "AAAA",
): ReadonlyMap<string, DnsAddresses> {
  const names = new Map<string, { ips: string[]; ttlSeconds: number }>();
  for (const record of records) {
    if (record.type !== type) continue;
    const { name, data, ttlSeconds } = record;
    const known = names.get(name);
    if (known === undefined) {
      names.set(name, { ips: [data], ttlSeconds });
      continue;
    }
    known.ips.push(data);
    known.ttlSeconds = Math.min(known.ttlSeconds, ttlSeconds);
  }
  return names;
}
