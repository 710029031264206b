import { textTable } from "../text-table.js";
import type { RunComparison } from "./judge.js";
import type { BenchResult } from "./result.js";
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

/** A run as a terminal shows it. */
export function resultText(result: BenchResult, comparison: RunComparison | undefined): string {
  const { settings, interrupted } = result;
  const parts = [
    section(`${settings.method} on ${settings.target}${interrupted ? " (ended early)" : ""}`, [
      ...settingRows(result).slice(2, 6),
      ...callRows(result),
    ]),
    section("latency of calls that succeeded", latencyRows(result), latencyHeads(result)),
    section("instances", instanceRows(result), ["calls", "share", "failed"]),
    section("errors", errorRows(result), ["calls", "first message"]),
    ...(comparison === undefined ? [] : [comparisonText(comparison)]),
    result.warnings.map((warning) => `warning: ${warning}`).join("\n"),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function comparisonText(comparison: RunComparison): string {
  const table = section("compared", comparisonRows(comparison), ["before", "now", "change", ""]);
  const differing = comparison.differing.map((each) => `  not the same: ${each}`);
  return [table, `  ${comparison.statement}`, ...differing].join("\n");
}

function section(title: string, rows: readonly Row[], heads: readonly string[] = []): string {
  if (rows.length === 0) return "";
  const table: readonly Row[] = heads.length === 0 ? rows : [["", ...heads], ...rows];
  const lines = textTable(table);
  return [title, ...lines.map((line) => `  ${line}`)].join("\n");
}
