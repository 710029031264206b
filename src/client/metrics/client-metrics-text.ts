import type { MetricsPage } from "../../metrics/metrics-page.js";
import { createMetricsWriter } from "../../metrics/metrics-writer.js";
import { clientFamilies } from "./client-families.js";
import type { ClientMetrics } from "./client-metrics.js";
import { serviceLabel } from "./service-label.js";

export type { MetricsPage };

/** What tells its numbers: a channel, a `PredictClient`. */
export interface MetricsTeller {
  metrics(): ClientMetrics;
}

const write = createMetricsWriter(clientFamilies);

/**
 * Writes one page of the numbers of several clients in Prometheus's text format. Those of the same service are shown as one: counts
 * are added up, of their lists the oldest counts.
 *
 * @example
 * ```ts
 * const { contentType, text } = await clientMetricsText([channelOf(sentiment), predictClient]);
 * ```
 */
export function clientMetricsText(tellers: readonly MetricsTeller[]): Promise<MetricsPage> {
  const readings = tellers.map((teller) => teller.metrics());
  return write(readings.map((each) => ({ ...each, service: serviceLabel(each.service) })));
}
