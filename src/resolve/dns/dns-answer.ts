import { type ServingError, servingError } from "../../core/serving-error.js";
import { noneMakesSense } from "../../wire/left-out.js";
import { takeUpstreamItems, type UpstreamItem } from "../../wire/upstream-item.js";
import type { LearnedList } from "../snapshot-keeper.js";

const SHORTEST_REFRESH_MS = 1_000;
const LONGEST_REFRESH_MS = 60_000;

/** Instances that DNS names. */
export interface DnsList extends LearnedList {
  /** When to ask again: after the time to live, 1 s to 60 s. */
  readonly nextMs: number;
  /** Why something could not be learned, and is what it was. */
  readonly doubt?: ServingError | undefined;
}

/** DNS says with authority that there is none. */
export interface DnsNobody {
  /** How it says so. */
  readonly nobody: string;
}

/** What one name stands for. */
export type DnsAnswer = DnsList | DnsNobody;

/** Makes the item of an address. */
export function itemAt(ip: string, port: number | undefined, weight: number): UpstreamItem {
  return { ip, port, weight, name: undefined, app: undefined };
}

/**
 * Makes the list of addresses.
 *
 * @throws DiscoveryError `UPSTREAM_MALFORMED` when none of them makes sense.
 */
export function dnsListOf(items: readonly UpstreamItem[], ttlSeconds: number): DnsList {
  const taken = takeUpstreamItems(items);
  const { instances, rejected, firstProblem } = taken;
  if (instances.length === 0) throw senseless(rejected, firstProblem);
  const nextMs = Math.min(LONGEST_REFRESH_MS, Math.max(SHORTEST_REFRESH_MS, ttlSeconds * 1_000));
  return { ...taken, nextMs };
}

/** Makes the error of records of which none can be used. */
export function senseless(rejected: number, firstProblem: string | undefined): Error {
  return servingError("UPSTREAM_MALFORMED", noneMakesSense({ rejected, firstProblem }, "records"));
}
