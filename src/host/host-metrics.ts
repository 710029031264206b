import type { HostView } from "../builtin/host-view.js";
import type { RpcHead } from "../core/rpc-definition.js";
import type { MetricsPage } from "../metrics/metrics-page.js";
import { createMetricsWriter } from "../metrics/metrics-writer.js";
import type { CallMetrics } from "./call-metrics.js";
import { type MetricsReading, metricFamilies } from "./metric-families.js";

/** What a host's metrics are read from. */
export interface HostMetricsSources {
  readonly view: Pick<HostView, "load" | "service" | "state" | "version">;
  readonly calls: CallMetrics;
  /** Paths and kinds of the gRPC methods that the host answers. */
  readonly rpcHeads: readonly RpcHead[];
  /** Samples of the processor's own, as last recorded: name to value. */
  samples(): ReadonlyMap<string, number>;
}

/** Writes a host's metrics whenever they are asked for. */
export type HostMetrics = () => Promise<MetricsPage>;

/** Makes the metrics of one host. What writes them is loaded when they are first asked for. */
export function createHostMetrics(sources: HostMetricsSources): HostMetrics {
  const write = createMetricsWriter(metricFamilies);
  return () => write(readingOf(sources));
}

function readingOf({ view, calls, rpcHeads, samples }: HostMetricsSources): MetricsReading {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    service: view.service,
    version: view.version,
    state: view.state,
    load: view.load(),
    totals: calls.totals(),
    rpcHeads,
    samples: samples(),
    process: {
      cpuSeconds: (user + system) / 1e6,
      residentBytes: rss,
      heapUsedBytes: heapUsed,
      startedAt: performance.timeOrigin / 1_000,
      nodeVersion: process.version,
    },
  };
}
