import { channelDefaults } from "../../client/client-options.js";
import type { Arrivals } from "./schedule.js";

/** What a run was asked for; part of what is saved. */
export interface BenchSettings {
  readonly target: string;
  /** `package.Service/Method`. */
  readonly method: string;
  readonly stream: boolean;
  /** `open`: calls start by schedule. `closed`: a call starts when another one has ended. */
  readonly loop: "open" | "closed";
  /** Of an open loop; 0 of a closed one. */
  readonly callsPerSecond: number;
  /** Of an open loop. */
  readonly arrivals: Arrivals;
  /** Calls in progress at most: those of a closed loop, or the bound of an open one. */
  readonly maxInFlight: number;
  readonly durationS: number;
  readonly warmUpS: number;
  readonly connections: number;
  readonly timeoutMs: number;
  readonly requestBytes: number;
  readonly seed: number;
}

/** What a run takes when nothing is said; modest, for it may be pointed at a service in use. */
export const benchDefaults: Readonly<{
  callsPerSecond: number;
  durationS: number;
  warmUpS: number;
  connections: number;
  timeoutMs: number;
  seed: number;
}> = {
  callsPerSecond: 50,
  durationS: 10,
  warmUpS: 1,
  connections: 4,
  timeoutMs: channelDefaults.timeoutMs,
  seed: 1,
};

/** Calls in progress at most, in either loop. */
export const MOST_IN_FLIGHT = 10_000;
const MOST_REQUEST_BYTES = 256 * 1024 * 1024;

/** Calls of an open loop that may be in progress, so that a service that hangs does not fill the generator's memory. */
export function inFlightBound(requestBytes: number): number {
  return Math.max(1, Math.min(MOST_IN_FLIGHT, Math.floor(MOST_REQUEST_BYTES / (requestBytes + 1))));
}
