import { balanceNames } from "../balance/create-picker.js";
import {
  checkBoolean,
  checkNumber,
  checkOneOf,
  fillOptions,
  type NumberRange,
} from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import { clientRanges } from "./check-options.js";
import {
  ejectionDefaults,
  type PoolOptions,
  type ResolvedEjection,
  type ResolvedPoolPolicy,
} from "./pool-options.js";

/** What the numbers of {@link PoolOptions} may be. */
const ranges = {
  slowStartMs: { min: 0, max: 2 ** 31 - 1, integer: false },
  subsetSize: { min: 1, max: 1_000_000, orInfinity: true },
  idleTimeoutMs: { min: 1_000, max: 2 ** 31 - 1, orInfinity: true },
};

/** What the numbers of {@link EjectionOptions} may be; times end, so that nobody is out for ever. */
const ejectionRanges: { readonly [K in keyof ResolvedEjection]: NumberRange } = {
  consecutiveFailures: { min: 1, max: 1_000, orInfinity: true },
  failureRatio: { min: 0.01, max: 1, integer: false, orInfinity: true },
  slowerThan: { min: 1.5, max: 1_000, integer: false, orInfinity: true },
  baseMs: { min: 1, max: 2 ** 31 - 1, integer: false },
  maxMs: { min: 1, max: 2 ** 31 - 1, integer: false },
  maxRatio: { min: 0, max: 0.5, integer: false },
};

/** {@link PoolOptions} with every key; unchecked. */
type FilledPoolOptions = { readonly [K in keyof PoolOptions]-?: NonNullable<PoolOptions[K]> };

/** What {@link PoolOptions} say, checked. */
export type ResolvedPoolOptions = Omit<ResolvedPoolPolicy, "healthCheck">;

/**
 * Checks how a pool chooses and watches its instances.
 *
 * @throws ConfigError naming the option, what was seen and what was expected.
 */
export function resolvePoolOptions(
  filled: FilledPoolOptions & Pick<ResolvedPoolPolicy, "connectTimeoutMs">,
): ResolvedPoolOptions {
  const { balance, slowStartMs, subsetSize, loadReports, idleTimeoutMs } = filled;
  const { connectTimeoutMs } = filled;
  return {
    balance: checkOneOf(balance, "balance", balanceNames),
    ejection: filled.ejection === false ? undefined : resolveEjection(filled.ejection),
    slowStartMs: checkNumber(slowStartMs, "slowStartMs", ranges.slowStartMs),
    subsetSize: checkNumber(subsetSize, "subsetSize", ranges.subsetSize),
    loadReports: checkBoolean(loadReports, "loadReports"),
    idleTimeoutMs: checkNumber(idleTimeoutMs, "idleTimeoutMs", ranges.idleTimeoutMs),
    connectTimeoutMs: checkNumber(connectTimeoutMs, "connectTimeoutMs", clientRanges.connecting),
  };
}

function resolveEjection(options: Exclude<PoolOptions["ejection"], false>): ResolvedEjection {
  const filled = fillOptions<ResolvedEjection>(options, ejectionDefaults, "ejection");
  const check = (name: keyof ResolvedEjection): number =>
    checkNumber(filled[name], `ejection.${name}`, ejectionRanges[name]);
  const baseMs = check("baseMs");
  const maxMs = check("maxMs");
  if (baseMs > maxMs) {
    throw servingError("INVALID_OPTION", `ejection.baseMs is ${baseMs}, above maxMs, ${maxMs}`);
  }
  return {
    consecutiveFailures: check("consecutiveFailures"),
    failureRatio: check("failureRatio"),
    slowerThan: check("slowerThan"),
    baseMs,
    maxMs,
    maxRatio: check("maxRatio"),
  };
}
