import type { BucketCount } from "./latency-histogram.js";

/** Values of a family's labels, in their order. */
export type LabelTexts = readonly string[];

/** One number of a family. */
export type NumberSample = readonly [labels: LabelTexts, value: number];

/** How long things took, as far as a page shows it; a `LatencyHistogram` is one. */
export interface Durations {
  readonly count: number;
  readonly sumMs: number;
  /** For every bound of the latency buckets, ascending, how many took no longer. */
  cumulative(): readonly BucketCount[];
}

/** One histogram of a family. */
export type HistogramSample = readonly [labels: LabelTexts, durations: Durations];

interface FamilyHead {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** A family of numbers, read from an `R`; samples with the same labels are added up. */
export interface NumberFamily<R> extends FamilyHead {
  readonly type: "counter" | "gauge";
  readonly read: (reading: R) => Iterable<NumberSample>;
}

/** A family of histograms of seconds, read from an `R`; samples with the same labels are added up. */
export interface HistogramFamily<R> extends FamilyHead {
  readonly type: "histogram";
  readonly read: (reading: R) => Iterable<HistogramSample>;
}

/** What is shown under one name. */
export type MetricFamily<R> = NumberFamily<R> | HistogramFamily<R>;
