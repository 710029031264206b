import { checkOneOf } from "../../core/options.js";
import { servingError } from "../../core/serving-error.js";
import { timeoutOf } from "../channel-flags.js";
import { numberOf } from "../flag-values.js";
import type { BenchFlags } from "./flags.js";
import { type BenchSettings, benchDefaults, MOST_IN_FLIGHT } from "./settings.js";

/** What flags say of the load; `maxInFlight` is undefined in an open loop, where it depends on the request. */
export type LoadSettings = Omit<
  BenchSettings,
  "target" | "method" | "stream" | "requestBytes" | "maxInFlight"
> & { readonly maxInFlight: number | undefined };

/**
 * Reads what the flags say of the load.
 *
 * @throws ConfigError `INVALID_OPTION` with what was given and what can be.
 */
export function loadOf(flags: BenchFlags): LoadSettings {
  const { rate, closed, arrivals, duration, warmUp, connections, seed } = flags;
  const defaults = benchDefaults;
  if (closed !== undefined && (rate !== undefined || arrivals !== undefined)) {
    throw servingError("INVALID_OPTION", "--closed has no rate: leave out --rate and --arrivals");
  }
  const fraction = (text: string | undefined, flag: string, min: number, max: number) =>
    numberOf(text, flag, { min, max, integer: false });
  const whole = (text: string | undefined, flag: string, min: number, max: number) =>
    numberOf(text, flag, { min, max });
  return {
    loop: closed === undefined ? "open" : "closed",
    callsPerSecond:
      closed === undefined
        ? (fraction(rate, "--rate", 0.1, 100_000) ?? defaults.callsPerSecond)
        : 0,
    arrivals: arrivals === undefined ? "constant" : arrivalsOf(arrivals),
    maxInFlight: whole(closed, "--closed", 1, MOST_IN_FLIGHT),
    durationS: fraction(duration, "--duration", 0.1, 3_600) ?? defaults.durationS,
    warmUpS: fraction(warmUp, "--warm-up", 0, 600) ?? defaults.warmUpS,
    connections: whole(connections, "--connections", 1, 1_000) ?? defaults.connections,
    timeoutMs: timeoutOf(flags) ?? defaults.timeoutMs,
    seed: whole(seed, "--seed", 0, 2 ** 32 - 1) ?? defaults.seed,
  };
}

function arrivalsOf(text: string): BenchSettings["arrivals"] {
  return checkOneOf(text as BenchSettings["arrivals"], "--arrivals", ["constant", "poisson"]);
}
