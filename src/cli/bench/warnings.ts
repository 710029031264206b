import { timeText } from "./figures.js";
import type { Measured } from "./result.js";
import type { BenchSettings } from "./settings.js";

/** Lateness of the generator that is as good as none. */
const HARMLESS_US = 2_000;
/** Share of the latency that may be the generator's, and from which on it is more its own than the service's. */
const HARMLESS_SHARE = 0.1;
const LIMITING_SHARE = 0.5;
/** Calls above a percentile that make it mean something. */
const LEAST_ABOVE = 10;

/** What makes the figures of a run mean less than they seem to. */
export function warningsOf(measured: Measured, settings: BenchSettings): readonly string[] {
  const { calls, latencyUs, latenessUs } = measured;
  const warnings: string[] = [];
  const late = latenessUs.p99;
  if (late > HARMLESS_US && late > HARMLESS_SHARE * latencyUs.p99) {
    const what =
      late > LIMITING_SHARE * latencyUs.p99
        ? "it, and not the service, was the limit"
        : "a part of these latencies is its own";
    warnings.push(
      `the generator itself was late (p99 ${timeText(late)}): ${what}; lower the rate, or run it on a machine of its own`,
    );
  }
  if (calls.notSent > 0) {
    warnings.push(
      `${calls.notSent} calls were not sent, for ${settings.maxInFlight} were in progress when they were due; they are not in the latencies, which would be higher`,
    );
  }
  if (calls.failed > 0) {
    warnings.push(`${calls.failed} calls failed; they are not in the latencies`);
  }
  if (calls.succeeded > 0 && calls.succeeded < LEAST_ABOVE * 100) {
    const above = Math.floor(calls.succeeded / 100);
    warnings.push(
      `only ${calls.succeeded} calls succeeded: p99 stands on ${above} of them, p99.9 on fewer`,
    );
  }
  return warnings;
}
