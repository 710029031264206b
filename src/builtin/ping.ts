import { servingError } from "../core/serving-error.js";
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

/** Largest echo, in bytes: a ping may be open to everybody. */
export const MAX_ECHO_BYTES = 65_536;

/**
 * Answers liveness and identity; echoes what it was given.
 *
 * @throws HostError `MESSAGE_TOO_LARGE` for more than {@link MAX_ECHO_BYTES}.
 */
export function ping(host: HostView, echo: Uint8Array): PingResult {
  if (echo.length > MAX_ECHO_BYTES) {
    throw servingError(
      "MESSAGE_TOO_LARGE",
      `the ping has ${echo.length} bytes, at most ${MAX_ECHO_BYTES} are echoed`,
    );
  }
  const { service, instance, version, state, startedAtMs } = host;
  const uptimeMs = Math.round(host.nowMs() - startedAtMs);
  return { service, instance, version, state, startedAtMs, uptimeMs, pid: process.pid, echo };
}
