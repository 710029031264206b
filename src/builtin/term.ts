import { servingError } from "../core/serving-error.js";
import type { HostView } from "./host-view.js";

/** What a stop was begun with. */
export interface TermResult {
  readonly gracePeriodMs: number;
}

const LONGEST_GRACE_MS = 24 * 60 * 60 * 1_000;

/**
 * Begins an orderly stop of the host; answers before the drain.
 *
 * @throws HostError `MALFORMED_REQUEST` when the grace period makes no sense.
 */
export function term(host: HostView, graceMs: number | undefined): TermResult {
  if (graceMs !== undefined && !(graceMs >= 0 && graceMs <= LONGEST_GRACE_MS)) {
    throw servingError(
      "MALFORMED_REQUEST",
      `the grace period is ${graceMs} ms, expected 0 to ${LONGEST_GRACE_MS}`,
    );
  }
  return { gracePeriodMs: host.stop(graceMs) };
}
