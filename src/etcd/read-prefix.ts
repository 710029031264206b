import type { Clock } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import {
  type EtcdEntry,
  etcdEntry,
  keyBehind,
  type RangeResponse,
  rangeOfPrefix,
  rangeRpc,
} from "../wire/etcd.js";
import type { EtcdClient } from "./etcd-client.js";

const PAGE_KEYS = 1_000n;
const PAGE_TIMEOUT_MS = 5_000;
const TIMEOUT_MS = 30_000;

/** More than a directory that is full to its own bounds has: registrations, weights, services, groups. */
const MAX_KEYS = 250_000;

/** Bytes of keys and values that are read or joined at most: what claims to be etcd must not fill the memory. */
export const MAX_READ_BYTES: number = 64 * 1024 * 1024;

/** A moment in the life of a cluster. */
export interface EtcdMoment {
  readonly clusterId: bigint;
  readonly revision: bigint;
  /** Grows with every election; one that has shrunk is that of a cluster which began anew. */
  readonly raftTerm: bigint;
}

/** What stands below a prefix at one moment. */
export interface PrefixContent {
  readonly entries: readonly EtcdEntry[];
  readonly moment: EtcdMoment;
}

/** What reading a prefix needs. */
export interface ReadPrefixOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A page has come. */
  onPage(): void;
}

/**
 * Reads all that stands below a prefix, page by page, all of them at the revision of the first.
 *
 * @throws CallError of the page that failed, or DiscoveryError `UPSTREAM_MALFORMED` for answers that make no sense or are too
 * many.
 */
export async function readPrefix(
  prefix: string,
  { client, clock, signal, onPage }: ReadPrefixOptions,
): Promise<PrefixContent> {
  const endMs = clock.now() + TIMEOUT_MS;
  const entries: EtcdEntry[] = [];
  let request = { ...rangeOfPrefix(prefix), limit: PAGE_KEYS };
  let moment: EtcdMoment | undefined;
  let bytes = 0;
  for (;;) {
    const timeoutMs = Math.min(PAGE_TIMEOUT_MS, endMs - clock.now());
    const page = await client.call(rangeRpc, request, { repeatable: true, timeoutMs, signal });
    onPage();
    moment = momentOf(page, moment);
    for (const kv of page.kvs) {
      bytes += kv.key.length + kv.value.length;
      const entry = etcdEntry(kv);
      if (entry.key.startsWith(prefix)) entries.push(entry);
    }
    if (!page.more) return { entries, moment };
    if (bytes > MAX_READ_BYTES || entries.length > MAX_KEYS) {
      const most = `${MAX_KEYS} keys and ${MAX_READ_BYTES} bytes`;
      throw malformed(`more than ${most} stand below ${JSON.stringify(prefix)}`);
    }
    const last = page.kvs.at(-1)?.key;
    if (last === undefined || Buffer.compare(last, request.key) < 0) {
      throw malformed("a page is not followed by greater keys");
    }
    request = { ...request, key: keyBehind(last), revision: moment.revision };
  }
}

function momentOf({ header }: RangeResponse, first: EtcdMoment | undefined): EtcdMoment {
  if (header === undefined || header.revision < 1n) throw malformed("an answer has no revision");
  if (first === undefined) return header;
  if (header.clusterId !== first.clusterId) throw malformed("two pages are of two clusters");
  return first;
}

/** The error of an etcd whose answers make no sense. */
export function malformed(what: string): Error {
  return servingError("UPSTREAM_MALFORMED", `etcd: ${what}`);
}
