import type { Instance } from "../../src/core/instance.js";
import { silentLogger } from "../../src/core/ports.js";
import type { SnapshotChange } from "../../src/core/snapshot.js";
import type { Source } from "../../src/resolve/source.js";
import type { SourceOptions } from "../../src/resolve/source-options.js";
import type { FakeClock } from "../support/fake-clock.js";

/** A source, and what arrives for it. */
export interface OpenWay {
  readonly source: Source;
  /** The next answer as a whole list, in as many parts as are asked for one by one; not measured. */
  listBytes(instances: readonly Instance[]): readonly Uint8Array[];
  /** The next answer as a change; undefined for ways that know whole lists only. */
  readonly changeBytes: ((change: SnapshotChange) => Uint8Array) | undefined;
  /** Hands over a whole list; `begun` is called just before. */
  arrive(parts: readonly Uint8Array[], begun: () => void): Promise<void>;
  /** Hands over a change; `begun` is called just before. */
  change(bytes: Uint8Array, begun: () => void): Promise<void>;
}

/** One way in which lists reach a client. */
export interface SizeWay {
  readonly name: string;
  /** Whether what it lists has weights. */
  readonly weighs: boolean;
  open(): OpenWay;
}

/** The service that is listed. */
export const SIZE_SERVICE = "size";

/** Between two questions of a way that asks again and again. */
export const SIZE_POLL_MS = 5_000;

/** Options of a source on a clock. */
export function sizeOptions(clock: FakeClock): SourceOptions {
  return { clock, random: () => 0.5, logger: silentLogger, pollIntervalMs: SIZE_POLL_MS };
}
