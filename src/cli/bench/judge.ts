import { median } from "../median.js";
import type { BenchResult, BenchSecond, Measured } from "./result.js";

/** How two runs compare in one figure. */
export type Verdict = "within noise" | "better" | "worse" | "not judged";

/** One figure of two runs. */
export interface Comparison {
  readonly name: string;
  readonly unit: "us" | "per second" | "percent";
  readonly before: number;
  readonly after: number;
  /** Share by which it changed: 0.1 is a tenth more; undefined from 0. */
  readonly change: number | undefined;
  readonly verdict: Verdict;
}

/** Two runs side by side. */
export interface RunComparison {
  readonly figures: readonly Comparison[];
  /** In one sentence. */
  readonly statement: string;
  /** Settings in which they differ: where there are any, the difference may come from there. */
  readonly differing: readonly string[];
}

/** Seconds in which calls succeeded that either run needs. */
const LEAST_SECONDS = 8;
/** How unlikely it must be that the seconds of both runs are drawn from the same. */
const SIGNIFICANCE = 0.01;
/** What is less than this, machines do by themselves. */
const LEAST_CHANGE = 0.05;

/**
 * Compares two runs by their seconds: a figure differs when a rank test (Mann-Whitney, two-sided) over its values in every
 * second says so at 1 %, and the medians of these differ by 5 % or more.
 */
export function compareRuns(before: BenchResult, after: BenchResult): RunComparison {
  const judged = [
    latencyRow("p50", before, after, ({ p50 }) => p50),
    latencyRow("p99", before, after, ({ p99 }) => p99),
  ];
  const statement = statementOf(judged, before, after);
  const { latencyUs: old } = before;
  const { latencyUs: now } = after;
  return {
    figures: [
      ...judged,
      row("p99.9", "us", old["p99.9"], now["p99.9"]),
      row("max", "us", old.max, now.max),
      row(
        "succeeded per second",
        "per second",
        before.succeededPerSecond,
        after.succeededPerSecond,
      ),
      row("failed or not sent", "percent", failedPercent(before), failedPercent(after)),
    ],
    statement,
    differing: differingSettings(before, after),
  };
}

/** Calls of a hundred that did not succeed. */
function failedPercent({ calls }: Pick<Measured, "calls">): number {
  const { scheduled, succeeded } = calls;
  return scheduled === 0 ? 0 : (100 * (scheduled - succeeded)) / scheduled;
}

function row(
  name: string,
  unit: Comparison["unit"],
  before: number,
  after: number,
  verdict: Verdict = "not judged",
): Comparison {
  return { name, unit, before, after, change: changeOf(before, after), verdict };
}

function latencyRow(
  name: "p50" | "p99",
  before: BenchResult,
  after: BenchResult,
  of: (second: BenchSecond) => number,
): Comparison {
  const [old, now] = [secondsOf(before).map(of), secondsOf(after).map(of)];
  const verdict = judge(old, now);
  return row(name, "us", before.latencyUs[name], after.latencyUs[name], verdict);
}

function secondsOf({ seconds }: BenchResult): readonly BenchSecond[] {
  return seconds.filter(({ succeeded }) => succeeded > 0);
}

/** Judges figures of which less is better. */
export function judge(before: readonly number[], after: readonly number[]): Verdict {
  if (Math.min(before.length, after.length) < LEAST_SECONDS) return "not judged";
  const change = changeOf(median(before), median(after)) ?? 0;
  if (Math.abs(change) < LEAST_CHANGE || rankTest(before, after) >= SIGNIFICANCE) {
    return "within noise";
  }
  return change < 0 ? "better" : "worse";
}

function changeOf(before: number, after: number): number | undefined {
  return before === 0 ? undefined : (after - before) / before;
}

function statementOf(
  judged: readonly Comparison[],
  before: BenchResult,
  after: BenchResult,
): string {
  if (judged.some(({ verdict }) => verdict === "not judged")) {
    const seconds = Math.min(secondsOf(before).length, secondsOf(after).length);
    return `Too short to judge: ${seconds} seconds with calls that succeeded, ${LEAST_SECONDS} are needed of both runs.`;
  }
  const changed = judged.filter(({ verdict }) => verdict !== "within noise");
  if (changed.length === 0) return "p50 and p99 are within noise: no difference is shown.";
  const each = judged.map(({ name, verdict, change = 0 }) =>
    verdict === "within noise"
      ? `${name} is within noise`
      : `${name} is ${verdict} by ${Math.abs(change * 100).toFixed(1)} %, which is more than noise`,
  );
  return `${each.join("; ")}.`;
}

function differingSettings(before: BenchResult, after: BenchResult): readonly string[] {
  const old: Readonly<Record<string, unknown>> = { ...before.settings, ...before.environment };
  const now: Readonly<Record<string, unknown>> = { ...after.settings, ...after.environment };
  return Object.keys(now)
    .filter((key) => old[key] !== now[key])
    .map((key) => `${key}: ${String(old[key])}, now ${String(now[key])}`);
}

/**
 * How likely a difference in rank as large as this one is between two samples of the same (two-sided).
 *
 * Source: Mann and Whitney 1947, by its normal approximation with the correction for ties and continuity.
 */
export function rankTest(a: readonly number[], b: readonly number[]): number {
  const all = [
    ...a.map((value) => ({ value, first: true })),
    ...b.map((value) => ({ value, first: false })),
  ];
  all.sort((x, y) => x.value - y.value);
  const count = all.length;
  let rankSum = 0;
  let ties = 0;
  for (let start = 0; start < count; ) {
    let end = start;
    while (end < count && all[end]?.value === all[start]?.value) end++;
    const tied = end - start;
    // Ranks begin with 1; those of equal values are shared.
    rankSum += all.slice(start, end).filter(({ first }) => first).length * ((start + 1 + end) / 2);
    ties += tied ** 3 - tied;
    start = end;
  }
  const product = a.length * b.length;
  const statistic = rankSum - (a.length * (a.length + 1)) / 2;
  const variance = (product / 12) * (count + 1 - ties / (count * (count - 1)));
  if (!(variance > 0)) return 1;
  const distance = Math.max(0, Math.abs(statistic - product / 2) - 0.5);
  return 2 * upperTail(distance / Math.sqrt(variance));
}

/** Part of a normal distribution above z, for z of 0 and more. Source: Abramowitz and Stegun 26.2.17, within 7.5e-8. */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  const series =
    0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429)));
  return density * t * series;
}
