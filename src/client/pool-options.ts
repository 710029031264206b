import type { BalanceName } from "../balance/create-picker.js";

export type { BalanceName };

/** When an instance that is listed and reachable is taken out of rotation for a while, by how attempts on it go. */
export interface EjectionOptions {
  /**
   * So many failures in a row, 1 to 1,000; Infinity = not by that. A failure is what the instance is to blame for: lost
   * connections, deadlines missed, statuses such as UNAVAILABLE and INTERNAL; a full queue is none.
   *
   * @defaultValue 5
   */
  readonly consecutiveFailures?: number | undefined;
  /**
   * So large a part of the attempts of the last ten seconds has failed, 0.01 to 1, of 20 or more; Infinity = not by
   * that.
   *
   * @defaultValue 0.5
   */
  readonly failureRatio?: number | undefined;
  /**
   * So many times as slow as the median of the instances, by its recent answers, 1.5 to 1,000; Infinity = not
   * by that.
   *
   * @defaultValue Infinity
   */
  readonly slowerThan?: number | undefined;
  /**
   * How long the first time, in milliseconds; twice, three times as long the next times, up to `maxMs`. 1 or more.
   *
   * @defaultValue 10000
   */
  readonly baseMs?: number | undefined;
  /**
   * Longest time out of rotation, in milliseconds; `baseMs` or more.
   *
   * @defaultValue 300000
   */
  readonly maxMs?: number | undefined;
  /**
   * How many of the instances may be out at once, as a part of those with a weight: 0 to 0.5. Never the only one.
   *
   * @defaultValue 0.5
   */
  readonly maxRatio?: number | undefined;
}

/** How instances are chosen and watched; the same for calls over gRPC and over HTTP. */
export interface PoolOptions {
  /**
   * How an instance is chosen: `weighted-round-robin` (exact shares by weight), `least-requests` (the less busy of two, by
   * attempts under way per weight), `peak-ewma` (the faster of two, by latency and attempts under way per weight).
   *
   * @defaultValue "weighted-round-robin"
   */
  readonly balance?: BalanceName | undefined;
  /** When an instance is taken out of rotation for a while; `false` = never. */
  readonly ejection?: EjectionOptions | false | undefined;
  /**
   * How long the share of an instance that comes (back) grows, in milliseconds, from a tenth to the whole; 0 or
   * more, 0 = at once.
   *
   * @defaultValue 0
   */
  readonly slowStartMs?: number | undefined;
  /**
   * How many instances of a very large service this client uses: each client another choice, by weight, that changes as
   * little as the list does. 1 to 1,000,000; Infinity = all.
   *
   * @defaultValue Infinity
   */
  readonly subsetSize?: number | undefined;
  /**
   * Whether load reports that instances send behind their answers (ORCA, `endpoint-load-metrics-bin`) shift shares from busy
   * instances to idle ones, between a tenth and ten times what the weight says.
   *
   * @defaultValue false
   */
  readonly loadReports?: boolean | undefined;
  /**
   * A connection without an attempt for so long is closed, in milliseconds, and opened again by the next one. Below what
   * servers and what stands between allow. 1,000 or more; Infinity = never.
   *
   * @defaultValue 240000
   */
  readonly idleTimeoutMs?: number | undefined;
}

/** Options of an ejection where every key is there. */
export type ResolvedEjection = { readonly [K in keyof Required<EjectionOptions>]: number };

/** Defaults of {@link EjectionOptions}. */
export const ejectionDefaults: ResolvedEjection = Object.freeze({
  consecutiveFailures: 5,
  failureRatio: 0.5,
  slowerThan: Number.POSITIVE_INFINITY,
  baseMs: 10_000,
  maxMs: 300_000,
  maxRatio: 0.5,
});

/** Defaults of {@link PoolOptions}. */
export const poolDefaults: { readonly [K in keyof PoolOptions]-?: NonNullable<PoolOptions[K]> } =
  Object.freeze({
    balance: "weighted-round-robin",
    ejection: ejectionDefaults,
    slowStartMs: 0,
    subsetSize: Number.POSITIVE_INFINITY,
    loadReports: false,
    idleTimeoutMs: 240_000,
  });

/** How a pool chooses and watches its instances, with nothing left out. */
export interface ResolvedPoolPolicy {
  readonly balance: BalanceName;
  /** Undefined for none. */
  readonly ejection: ResolvedEjection | undefined;
  readonly slowStartMs: number;
  readonly subsetSize: number;
  readonly loadReports: boolean;
  readonly idleTimeoutMs: number;
  readonly healthCheck: boolean;
  readonly connectTimeoutMs: number;
}
