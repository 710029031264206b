import type { HostLoad, HostView } from "./host-view.js";

/** Counters of a host and what its process uses. */
export interface MonitorResult extends HostLoad {
  /** CPU time since the process started, in milliseconds. */
  readonly cpuMs: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
}

/** Reads every counter at this moment. */
export function monitor(host: HostView): MonitorResult {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    ...host.load(),
    cpuMs: (user + system) / 1_000,
    residentBytes: rss,
    heapBytes: heapUsed,
  };
}
