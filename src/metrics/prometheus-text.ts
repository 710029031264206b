import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { latencyBucketsMs } from "./latency-histogram.js";
import type {
  Durations,
  HistogramFamily,
  HistogramSample,
  LabelTexts,
  MetricFamily,
} from "./metric-family.js";
import type { MetricsPage } from "./metrics-page.js";

/** Writes a reading, over a registry of its own. prom-client counts nothing here: it is handed numbers and writes them. */
export async function prometheusText<R>(
  families: readonly MetricFamily<R>[],
  reading: R,
): Promise<MetricsPage> {
  const registry = new Registry();
  for (const family of families) addTo(registry, family, reading);
  return { contentType: registry.contentType, text: await registry.metrics() };
}

function addTo<R>(registry: Registry, family: MetricFamily<R>, reading: R): void {
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
  { labels }: { readonly labels: readonly string[] },
  texts: LabelTexts,
): Record<string, string> {
  return Object.fromEntries(labels.map((label, index) => [label, texts[index] ?? ""]));
}

/** A line of a histogram. */
interface Line {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A histogram whose lines come from counts that were made elsewhere. */
class ReadHistogram<R> extends Histogram {
  readonly #family: HistogramFamily<R>;
  readonly #reading: R;

  constructor(family: HistogramFamily<R>, reading: R, registry: Registry) {
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
    return addedUp(this.#family.read(this.#reading)).flatMap(([texts, durations]) => {
      const labels = labelled(this.#family, texts);
      const { count, sumMs } = durations;
      return [
        ...durations.cumulative().map(({ upToMs, count }) => ({
          metricName: `${name}_bucket`,
          labels: { ...labels, le: secondsOf(upToMs) },
          value: count,
        })),
        { metricName: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: count },
        { metricName: `${name}_sum`, labels, value: secondsOf(sumMs) },
        { metricName: `${name}_count`, labels, value: count },
      ];
    });
  }
}

/** One for all that have the same labels. */
function addedUp(samples: Iterable<HistogramSample>): readonly HistogramSample[] {
  const byLabels = new Map<string, HistogramSample>();
  for (const [labels, durations] of samples) {
    const key = JSON.stringify(labels);
    const [, others] = byLabels.get(key) ?? [];
    byLabels.set(key, [labels, others === undefined ? durations : sumOf(others, durations)]);
  }
  return [...byLabels.values()];
}

function sumOf(one: Durations, other: Durations): Durations {
  return {
    count: one.count + other.count,
    sumMs: one.sumMs + other.sumMs,
    cumulative() {
      const counts = other.cumulative();
      return one
        .cumulative()
        .map(({ upToMs, count }, at) => ({ upToMs, count: count + (counts[at]?.count ?? 0) }));
    },
  };
}

function secondsOf(ms: number): number {
  return ms / 1_000;
}
