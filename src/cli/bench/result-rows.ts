import { bytesText, changeText, countText, timeText } from "./figures.js";
import type { Comparison, RunComparison } from "./judge.js";
import { type LatencySummary, percentiles } from "./latency.js";
import type { BenchResult } from "./result.js";

/** A row of a table: what it is, and what stands in its columns. */
export type Row = readonly [name: string, ...cells: readonly string[]];

/** What a run was asked for. */
export function settingRows({ settings, environment, startedAt }: BenchResult): readonly Row[] {
  const { callsPerSecond, arrivals, maxInFlight, loop, connections, timeoutMs } = settings;
  const load =
    loop === "open"
      ? `open loop, ${countText(callsPerSecond)} calls a second, ${arrivals} arrivals, seed ${settings.seed}`
      : `CLOSED loop, ${maxInFlight} calls in progress: waiting for a slow service is hidden`;
  return [
    ["target", settings.target],
    ["method", `${settings.method} (${settings.stream ? "server streaming" : "unary"})`],
    ["load", load],
    ["duration", `${settings.durationS} s behind ${settings.warmUpS} s of warm-up`],
    ["connections", `${connections}, timeout ${timeoutMs} ms`],
    ["request", bytesText(settings.requestBytes)],
    [
      "made with",
      `inferwire ${environment.inferwire}, Node ${environment.node}, ${environment.platform}`,
    ],
    ["made on", `${environment.cores} x ${environment.cpu}`],
    ["started", startedAt],
  ];
}

/** What became of the calls. */
export function callRows(result: BenchResult): readonly Row[] {
  const { calls, bytes, settings, messages, measuredS, succeededPerSecond } = result;
  return [
    [
      settings.loop === "open" ? "calls due" : "calls",
      `${countText(calls.scheduled)} in ${measuredS.toFixed(1)} s`,
    ],
    ["succeeded", `${countText(calls.succeeded)}, ${countText(succeededPerSecond)} a second`],
    ["failed", countText(calls.failed)],
    ["not sent", countText(calls.notSent)],
    ...(settings.stream ? [["messages", countText(messages)] as const] : []),
    ["sent", bytesText(bytes.sent)],
    ["received", bytesText(bytes.received)],
  ];
}

/** Heads of {@link latencyRows}. */
export function latencyHeads(result: BenchResult): readonly string[] {
  return latencyColumns(result).map(([head]) => head);
}

/** Times by percentile, of the calls that succeeded. */
export function latencyRows(result: BenchResult): readonly Row[] {
  if (result.calls.succeeded === 0) return [];
  const columns = latencyColumns(result);
  return percentiles.map(([key]) => [key, ...columns.map(([, column]) => timeText(column[key]))]);
}

function latencyColumns(
  result: BenchResult,
): readonly (readonly [head: string, column: LatencySummary])[] {
  const { latencyUs, firstMessageUs, fromSendUs, latenessUs, settings } = result;
  const first = firstMessageUs === null ? [] : [["to first message", firstMessageUs] as const];
  // In a closed loop a call is due when it is sent.
  if (settings.loop === "closed") return [["from send", latencyUs], ...first];
  return [
    ["from when due", latencyUs],
    ...first,
    ["from send", fromSendUs],
    ["generator late", latenessUs],
  ];
}

/** Why calls failed. */
export function errorRows({ errors, calls }: BenchResult): readonly Row[] {
  const rows = errors.map(
    ({ code, reason, message, calls: count }): Row => [
      code === reason ? reason : `${code} ${reason}`,
      countText(count),
      message,
    ],
  );
  if (calls.notSent === 0) return rows;
  const notSent = "too many calls were in progress when it was due";
  return [...rows, ["not sent", countText(calls.notSent), notSent]];
}

/** Who was called. */
export function instanceRows({ instances }: BenchResult): readonly Row[] {
  const all = instances.reduce((sum, { calls }) => sum + calls, 0);
  return instances.map(({ instance, calls, failed }) => [
    instance,
    countText(calls),
    `${((100 * calls) / all).toFixed(1)} %`,
    countText(failed),
  ]);
}

/** Two runs side by side: before, after, change, verdict. */
export function comparisonRows({ figures }: RunComparison): readonly Row[] {
  return figures.map((figure) => [
    figure.name,
    figureText(figure, figure.before),
    figureText(figure, figure.after),
    changeText(figure.change),
    figure.verdict === "not judged" ? "" : figure.verdict,
  ]);
}

function figureText({ unit }: Comparison, value: number): string {
  if (unit === "us") return timeText(value);
  return unit === "percent" ? `${value.toFixed(2)} %` : countText(value);
}
