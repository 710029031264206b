import { codeLabel } from "../../metrics/code-label.js";
import type {
  HistogramSample,
  LabelTexts,
  MetricFamily,
  NumberSample,
} from "../../metrics/metric-family.js";
import type { ClientMetrics, MethodMetrics } from "./client-metrics.js";

/** Clients whose numbers stand on one page. */
export type ClientsReading = readonly ClientMetrics[];

const methodLabels = ["service", "method"] as const;

/** Every family of a client's page, in its order; docs/metrics.md says the same. */
export const clientFamilies: readonly MetricFamily<ClientsReading>[] = [
  {
    name: "inferwire_client_started_total",
    help: "calls that have begun",
    type: "counter",
    labels: methodLabels,
    read: (all) => eachMethod(all, (labels, { started }) => [[labels, started]]),
  },
  {
    name: "inferwire_client_handled_total",
    help: "calls that have ended, by gRPC code and by reason",
    type: "counter",
    labels: [...methodLabels, "code", "reason"],
    read: (all) =>
      eachMethod(all, (labels, { ended }) =>
        ended.map(({ code, reason = "", count }) => [[...labels, codeLabel(code), reason], count]),
      ),
  },
  {
    name: "inferwire_client_handling_seconds",
    help: "time from the start of a call to its end, with all its attempts",
    type: "histogram",
    labels: methodLabels,
    read: (all) => eachMethod(all, durationsOf),
  },
  {
    name: "inferwire_client_attempts_total",
    help: "attempts that have ended, by what became of them",
    type: "counter",
    labels: [...methodLabels, "outcome"],
    read: (all) => eachMethod(all, (labels, { attempts }) => byOutcome(labels, attempts)),
  },
  {
    name: "inferwire_client_hedges_total",
    help: "of these, those that were begun while another one was under way",
    type: "counter",
    labels: [...methodLabels, "outcome"],
    read: (all) => eachMethod(all, (labels, { hedges }) => byOutcome(labels, hedges)),
  },
  {
    name: "inferwire_client_budget_refusals_total",
    help: "retries and hedges that the retry budget refused",
    type: "counter",
    labels: ["service"],
    read: (all) => all.map(({ service, retryBudget }) => [[service], retryBudget.refused]),
  },
  {
    name: "inferwire_client_budget_left",
    help: "retries and hedges that could be made now",
    type: "gauge",
    labels: ["service"],
    read: (all) => all.map(({ service, retryBudget }) => [[service], retryBudget.left]),
  },
  {
    name: "inferwire_client_ejections_total",
    help: "times that an instance was taken out of rotation, by why",
    type: "counter",
    labels: ["service", "cause"],
    read: (all) =>
      all.flatMap(({ service, ejections }) =>
        Object.entries(ejections).map(([cause, count]) => [[service, cause], count] as const),
      ),
  },
  {
    name: "inferwire_client_instances",
    help: "instances by what is true of them now; one may count in several states",
    type: "gauge",
    labels: ["service", "state"],
    read: (all) =>
      all.flatMap(({ service, instances }) =>
        Object.entries(instances).map(([state, count]) => [[service, state], count] as const),
      ),
  },
  {
    name: "inferwire_client_list_version",
    help: "version of the list of instances; 0 before the first",
    type: "gauge",
    labels: ["service"],
    read: (all) => worst(all, Math.min, ({ list }) => list.version),
  },
  {
    name: "inferwire_client_list_age_seconds",
    help: "time since the source of the list last confirmed it; not there before the first",
    type: "gauge",
    labels: ["service"],
    read: (all) =>
      worst(all, Math.max, ({ list: { ageMs } }) =>
        ageMs === undefined ? undefined : ageMs / 1_000,
      ),
  },
  {
    name: "inferwire_client_list_stale",
    help: "1 when the source of the list has failed since, and before the first; else 0",
    type: "gauge",
    labels: ["service"],
    read: (all) => worst(all, Math.max, ({ list }) => Number(list.stale)),
  },
];

function eachMethod<S>(
  all: ClientsReading,
  samples: (labels: LabelTexts, metrics: MethodMetrics) => readonly S[],
): readonly S[] {
  return all.flatMap(({ service, methods }) =>
    methods.flatMap((metrics) => samples([service, metrics.method], metrics)),
  );
}

function durationsOf(labels: LabelTexts, { durations }: MethodMetrics): HistogramSample[] {
  const { count, sumMs, buckets } = durations;
  return [[labels, { count, sumMs, cumulative: () => buckets }]];
}

function byOutcome(
  labels: LabelTexts,
  counts: Readonly<Record<string, number>>,
): readonly NumberSample[] {
  return Object.entries(counts).map(([outcome, count]) => [[...labels, outcome], count]);
}

/** Of clients of the same service the number that is least good. */
function worst(
  all: ClientsReading,
  choose: (one: number, other: number) => number,
  read: (metrics: ClientMetrics) => number | undefined,
): readonly NumberSample[] {
  const chosen = new Map<string, number>();
  for (const metrics of all) {
    const value = read(metrics);
    if (value === undefined) continue;
    const known = chosen.get(metrics.service) ?? value;
    chosen.set(metrics.service, choose(known, value));
  }
  return [...chosen].map(([service, value]) => [[service], value]);
}
