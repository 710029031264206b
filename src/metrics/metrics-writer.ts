import type { MetricFamily } from "./metric-family.js";
import type { MetricsPage } from "./metrics-page.js";

/** Writes a reading as a page. */
export type MetricsWriter<R> = (reading: R) => Promise<MetricsPage>;

/** Makes the writer of these families. What it writes with is loaded when it is first asked. */
export function createMetricsWriter<R>(families: readonly MetricFamily<R>[]): MetricsWriter<R> {
  return async (reading) => {
    const { prometheusText } = await import("./prometheus-text.js");
    return await prometheusText(families, reading);
  };
}
