import type { HostState, HostView } from "./host-view.js";

/** Who answered a ping. */
export interface PingResult {
  readonly service: string;
  readonly instance: string;
  readonly version: string;
  readonly state: HostState;
  readonly startedAtMs: number;
  readonly uptimeMs: number;
  readonly pid: number;
  /** What the request held. */
  readonly echo: Uint8Array;
}

/** Answers liveness and identity; echoes what it was given. */
export function ping(host: HostView, echo: Uint8Array): PingResult {
  const { service, instance, version, state, startedAtMs } = host;
  const uptimeMs = Math.round(host.nowMs() - startedAtMs);
  return { service, instance, version, state, startedAtMs, uptimeMs, pid: process.pid, echo };
}
