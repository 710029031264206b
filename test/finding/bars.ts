import type { Bar } from "../../src/cli/chaos/report.js";
import { median, quantile } from "../support/figures.js";

/** A figure in milliseconds whose 99th percentile must be below a bar. */
export function p99BelowMs(what: string, limitMs: number, values: readonly number[]): Bar {
  const bar = `p99 below ${limitMs} ms`;
  if (values.length === 0) return { what, bar, figure: "none seen", met: false };
  const p99 = quantile(values, 0.99);
  const rest = `median ${median(values).toFixed(1)}, worst ${Math.max(...values).toFixed(1)}`;
  const figure = `${p99.toFixed(1)} ms (${rest}, of ${values.length})`;
  return { what, bar, figure, met: p99 < limitMs };
}
