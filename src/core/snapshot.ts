import type { Instance } from "./instance.js";

/** The instances of a service at one moment; never changed, only replaced. */
export interface Snapshot {
  /** Grows by one with every snapshot of a source; 1 is the first. */
  readonly version: number;
  /** What is listed, as the target names it. */
  readonly service: string;
  /** Where the list came from, for people: `static`, `http://...`, `directory://...`. */
  readonly source: string;
  /** When the source last confirmed the list, in milliseconds since 1970. */
  readonly confirmedAtMs: number;
  /** True when the source has failed since: the list is the last good one. */
  readonly stale: boolean;
  /** In no particular order; weight 0 included; keys are unique. */
  readonly instances: readonly Instance[];
  /** Items that the source sent and that made no sense; they are left out. */
  readonly rejected: number;
}

/** What led from the snapshot before to a snapshot: those who know that one need not compare the lists. */
export interface SnapshotChange {
  /** Who is new, or has another weight, name or app. */
  readonly changed: readonly Instance[];
  /** Keys of those who are gone. */
  readonly removed: readonly string[];
}
