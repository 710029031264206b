import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { latencyBucketsMs } from "./latency-histogram.js";
import type {
  HistogramFamily,
  LabelTexts,
  MetricFamily,
  MetricsReading,
  NumberFamily,
} from "./metric-families.js";

/** A page in Prometheus's text format. */
export interface MetricsPage {
  readonly contentType: string;
  readonly text: string;
}

/** Writes readings as pages. */
export type MetricsRenderer = (reading: MetricsReading) => Promise<MetricsPage>;

/**
 * Makes the renderer of one host, over a registry of its own. prom-client counts nothing here: it is handed the numbers of
 * a reading and writes them.
 */
export function createMetricsRenderer(families: readonly MetricFamily[]): MetricsRenderer {
  return async (reading) => {
    const registry = new Registry();
    for (const family of families) addTo(registry, family, reading);
    return { contentType: registry.contentType, text: await registry.metrics() };
  };
}

function addTo(registry: Registry, family: MetricFamily, reading: MetricsReading): void {
  const { name, help } = family;
  const configuration = { name, help, labelNames: [...family.labels], registers: [registry] };
  switch (family.type) {
    case "histogram":
      new ReadHistogram(family, reading, registry);
      return;
    case "counter": {
      const counter = new Counter(configuration);
      for (const [labels, value] of family.read(reading))
        counter.inc(labelled(family, labels), value);
      return;
    }
    case "gauge": {
      const gauge = new Gauge(configuration);
      for (const [labels, value] of family.read(reading))
        gauge.inc(labelled(family, labels), value);
      return;
    }
  }
}

function labelled(
  family: NumberFamily | HistogramFamily,
  texts: LabelTexts,
): Record<string, string> {
  return Object.fromEntries(family.labels.map((label, index) => [label, texts[index] ?? ""]));
}

/** A line of a histogram. */
interface Line {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A histogram whose lines come from counts that were made elsewhere. */
class ReadHistogram extends Histogram {
  readonly #family: HistogramFamily;
  readonly #reading: MetricsReading;

  constructor(family: HistogramFamily, reading: MetricsReading, registry: Registry) {
    const { name, help, labels } = family;
    const buckets = latencyBucketsMs.map(secondsOf);
    super({ name, help, labelNames: [...labels], buckets, registers: [registry] });
    this.#family = family;
    this.#reading = reading;
  }

  /** What prom-client 15's registry asks a histogram for; its types do not say so. */
  getForPromString(): Promise<object> {
    const { name, help } = this.#family;
    return Promise.resolve({ name, help, type: "histogram", values: this.#lines() });
  }

  #lines(): readonly Line[] {
    const { name } = this.#family;
    return [...this.#family.read(this.#reading)].flatMap(([texts, histogram]) => {
      const labels = labelled(this.#family, texts);
      return [
        ...histogram.cumulative().map(({ upToMs, count }) => ({
          metricName: `${name}_bucket`,
          labels: { ...labels, le: secondsOf(upToMs) },
          value: count,
        })),
        { metricName: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: histogram.count },
        { metricName: `${name}_sum`, labels, value: histogram.sumMs / 1_000 },
        { metricName: `${name}_count`, labels, value: histogram.count },
      ];
    });
  }
}

function secondsOf(ms: number): number {
  return ms / 1_000;
}
