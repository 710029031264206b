import { type ChartLine, chartSvg } from "./chart.js";
import { countText, timeText } from "./figures.js";
import { escapeHtml } from "./html.js";
import type { RunComparison } from "./judge.js";
import type { BenchResult, BenchSecond } from "./result.js";
import {
  callRows,
  comparisonRows,
  errorRows,
  instanceRows,
  latencyHeads,
  latencyRows,
  type Row,
  settingRows,
} from "./result-rows.js";

/** A run that another one is compared with. */
export interface ReportComparison {
  readonly before: BenchResult;
  readonly comparison: RunComparison;
}

const style = `
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --ground: #fff; --rule: #dcdfe3;
  --k0: #0b68cb; --k1: #c2410c; --k2: #6d28d9; --k3: #b91c1c; }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --soft: #a5abb3; --ground: #16181b; --rule: #34383d;
  --k0: #6cb2ff; --k1: #ff9b5e; --k2: #b79bff; --k3: #ff7b7b; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 960px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .25rem .75rem .25rem 0;
  border-bottom: 1px solid var(--rule); vertical-align: top; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
th { font-weight: 500; color: var(--soft); } .warning { border-left: 4px solid var(--k1); padding-left: .75rem; }
figure { margin: 1.5rem 0; } figcaption { font-weight: 600; } svg { width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 12px; } .grid { stroke: var(--rule); }
.line { fill: none; stroke-width: 2; } .dot { opacity: 0; stroke: none; } .dot:hover, .alone { opacity: 1; }
.legend { list-style: none; display: flex; gap: 1.25rem; padding: 0; margin: .25rem 0; color: var(--soft); }
.key { display: inline-block; width: 1.5rem; border-top: 3px solid; margin-right: .4rem; vertical-align: middle; }
.key.dashed { border-top-style: dashed; } .line.dashed { stroke-dasharray: 6 4; }
.k0 { stroke: var(--k0); fill: var(--k0); border-color: var(--k0); } .k1 { stroke: var(--k1); fill: var(--k1); border-color: var(--k1); }
.k2 { stroke: var(--k2); fill: var(--k2); border-color: var(--k2); } .k3 { stroke: var(--k3); fill: var(--k3); border-color: var(--k3); }
polyline.line { fill: none; }
`;

/** Makes the page of a run: one file that needs no network and no script. */
export function reportHtml(result: BenchResult, compared: ReportComparison | undefined): string {
  const { settings } = result;
  const title = `${settings.method} on ${settings.target}`;
  const before = compared?.before;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
${result.interrupted ? paragraph("This run was ended before its time.") : ""}
${result.warnings.map(paragraph).join("\n")}
${compared === undefined ? "" : comparisonSection(compared.comparison)}
<h2>Calls</h2>
${table(callRows(result))}
<h2>Latency of calls that succeeded</h2>
${result.calls.succeeded === 0 ? "<p>None.</p>" : table(latencyRows(result), latencyHeads(result))}
${chartSvg({
  title: "Latency over time, by the second in which calls were due",
  lines: timeLines(result, before),
  xText: (x) => `${x} s`,
  yText: timeText,
  logarithmic: true,
})}
${chartSvg({
  title: "Latency by percentile, each nine as wide as the one before",
  lines: [
    { name: "this run", colour: 0, points: result.curve },
    ...(before === undefined
      ? []
      : [{ name: "before", colour: 1, dashed: true, points: before.curve }]),
  ],
  xText: percentileText,
  yText: timeText,
  logarithmic: false,
})}
<h2>Errors</h2>
${errorRows(result).length === 0 ? "<p>None.</p>" : table(errorRows(result), ["calls", "first message"])}
${chartSvg({
  title: "Calls by the second in which they were due",
  lines: [
    { name: "succeeded", colour: 0, points: overTime(result, ({ succeeded }) => succeeded) },
    {
      name: "failed or not sent",
      colour: 3,
      points: overTime(result, ({ failed, notSent }) => failed + notSent),
    },
  ],
  xText: (x) => `${x} s`,
  yText: countText,
  logarithmic: false,
})}
<h2>Instances</h2>
${table(instanceRows(result), ["calls", "share", "failed"])}
<h2>Settings</h2>
${table(settingRows(result))}
${before === undefined ? "" : `<h2>Settings of the run before</h2>${table(settingRows(before))}`}
</body>
</html>
`;
}

function comparisonSection(comparison: RunComparison): string {
  const { statement, differing } = comparison;
  return [
    "<h2>Compared with the run before</h2>",
    `<p><strong>${escapeHtml(statement)}</strong></p>`,
    table(comparisonRows(comparison), ["before", "now", "change", ""]),
    "<p>p50 and p99 are judged by their values in every second: a rank test (Mann-Whitney, two-sided) at 1 %, and a change of 5 % or more.</p>",
    ...differing.map((each) => paragraph(`Not the same in both runs: ${each}`)),
  ].join("\n");
}

function timeLines(result: BenchResult, before: BenchResult | undefined): readonly ChartLine[] {
  const lines: ChartLine[] = [
    { name: "p50", colour: 0, points: overTime(result, ({ p50 }) => p50) },
    { name: "p99", colour: 1, points: overTime(result, ({ p99 }) => p99) },
    { name: "max", colour: 2, points: overTime(result, ({ max }) => max) },
  ];
  if (before === undefined) return lines;
  return [
    ...lines,
    { name: "p50 before", colour: 0, dashed: true, points: overTime(before, ({ p50 }) => p50) },
    { name: "p99 before", colour: 1, dashed: true, points: overTime(before, ({ p99 }) => p99) },
  ];
}

function overTime(
  { seconds }: BenchResult,
  of: (second: BenchSecond) => number,
): ChartLine["points"] {
  return seconds.map((second) => [second.second, of(second)]);
}

/** `90 %` for one nine, `99.9 %` for three. */
function percentileText(nines: number): string {
  const percent = 100 * (1 - 10 ** -nines);
  return `${percent.toFixed(Math.max(0, Math.ceil(nines) - 2))} %`;
}

function paragraph(text: string): string {
  return `<p class="warning">${escapeHtml(text)}</p>`;
}

function table(rows: readonly Row[], heads: readonly string[] = []): string {
  const head = heads.map((text) => `<th>${escapeHtml(text)}</th>`).join("");
  const lines = rows.map(
    ([name, ...cells]) =>
      `<tr><th>${escapeHtml(name)}</th>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`,
  );
  const first = heads.length === 0 ? "" : `<tr><th></th>${head}</tr>`;
  return `<table>${first}${lines.join("\n")}</table>`;
}
