import type { HostLoad, HostState } from "../builtin/host-view.js";
import { errorCatalog, type Reason } from "../core/error-catalog.js";
import type { RpcHead } from "../core/rpc-definition.js";
import type { LaneState } from "../lane/lane-pool.js";
import { codeLabel } from "../metrics/code-label.js";
import { LatencyHistogram } from "../metrics/latency-histogram.js";
import type {
  HistogramSample,
  LabelTexts,
  MetricFamily,
  NumberSample,
} from "../metrics/metric-family.js";
import type { CallTotals, MethodTotals } from "./call-metrics.js";
import { hostTransitions } from "./host-state.js";

/** Everything that is shown of a host at one moment. */
export interface MetricsReading {
  /** Empty when the host serves no named service. */
  readonly service: string;
  readonly version: string;
  readonly state: HostState;
  readonly load: HostLoad;
  readonly totals: CallTotals;
  /** Paths and kinds of the gRPC methods that the host answers. */
  readonly rpcHeads: readonly RpcHead[];
  /** Samples of the processor's own: name to value. */
  readonly samples: ReadonlyMap<string, number>;
  readonly process: {
    readonly cpuSeconds: number;
    readonly residentBytes: number;
    readonly heapUsedBytes: number;
    /** Seconds since 1970. */
    readonly startedAt: number;
    readonly nodeVersion: string;
  };
}

const rpcLabels = ["grpc_type", "grpc_service", "grpc_method"] as const;
const modelLabels = ["model", "version"] as const;

/** What a model is called whose host serves no named service; the kit knows no versions of models. */
const UNNAMED_MODEL = "default";
const MODEL_VERSION = "1";

const laneStates: Readonly<Record<LaneState, true>> = {
  starting: true,
  ready: true,
  busy: true,
  mute: true,
  unready: true,
  stuck: true,
  dead: true,
};

/** Every family that `/metrics` shows, in its order; docs/host.md says the same. */
export const metricFamilies: readonly MetricFamily<MetricsReading>[] = [
  {
    name: "grpc_server_started_total",
    help: "RPCs that have come in",
    type: "counter",
    labels: rpcLabels,
    read: (r) => rpcMethods(r).map((m) => [m.labels, m.totals.started] as const),
  },
  {
    name: "grpc_server_handled_total",
    help: "RPCs that have ended, by gRPC code",
    type: "counter",
    labels: [...rpcLabels, "grpc_code"],
    read: (r) => rpcMethods(r).flatMap(handledByCode),
  },
  {
    name: "grpc_server_handling_seconds",
    help: "time from the headers of an RPC to its end",
    type: "histogram",
    labels: rpcLabels,
    read: (r) =>
      rpcMethods(r)
        .filter(({ totals: { own, byStatus } }) => !own || byStatus.size > 0)
        .flatMap(durations),
  },
  {
    name: "grpc_server_msg_received_total",
    help: "messages of RPCs that have arrived",
    type: "counter",
    labels: rpcLabels,
    read: (r) => rpcMethods(r).map((m) => [m.labels, m.totals.received] as const),
  },
  {
    name: "grpc_server_msg_sent_total",
    help: "messages of RPCs that have been sent",
    type: "counter",
    labels: rpcLabels,
    read: (r) => rpcMethods(r).map((m) => [m.labels, m.totals.sent] as const),
  },
  {
    name: "inferwire_http_requests_total",
    help: "calls over HTTP that have ended, by HTTP status",
    type: "counter",
    labels: ["route", "method", "code"],
    read: (r) => httpMethods(r).flatMap(countByStatus),
  },
  {
    name: "inferwire_http_request_duration_seconds",
    help: "time from the headers of a call over HTTP to its answer, of one in pieces to the first",
    type: "histogram",
    labels: ["route", "method"],
    read: (r) => httpMethods(r).flatMap(durations),
  },
  {
    name: "request_predict_seconds",
    help: "time that process() took, as KServe names it",
    type: "histogram",
    labels: ["model_name"],
    read: (r) => [[[modelOf(r)], r.totals.ran]],
  },
  {
    name: "nv_inference_request_success",
    help: "calls that ended without an error, as Triton names it",
    type: "counter",
    labels: modelLabels,
    read: (r) => processorMethods(r).map((m) => [modelTexts(r), m.succeeded] as const),
  },
  {
    name: "nv_inference_request_failure",
    help: "calls that ended with an error: REJECTED, CANCELED, BACKEND, OTHER",
    type: "counter",
    labels: [...modelLabels, "reason"],
    read: (r) => [
      ...failureKinds.map((kind) => [[...modelTexts(r), kind], 0] as const),
      ...processorMethods(r)
        .flatMap((m) => [...m.errors])
        .map(([reason, count]) => [[...modelTexts(r), failureKind(reason)], count] as const),
    ],
  },
  {
    name: "nv_inference_pending_request_count",
    help: "calls that wait for a place in a lane",
    type: "gauge",
    labels: modelLabels,
    read: (r) => [[modelTexts(r), r.load.queueLength]],
  },
  {
    name: "nv_inference_request_duration_us",
    help: "time of calls that ended without an error, together, in microseconds",
    type: "counter",
    labels: modelLabels,
    read: (r) => processorMethods(r).map((m) => [modelTexts(r), m.succeededMs * 1_000] as const),
  },
  {
    name: "nv_inference_queue_duration_us",
    help: "time that calls waited before they ran, together, in microseconds",
    type: "counter",
    labels: modelLabels,
    read: (r) => [[modelTexts(r), r.totals.queuedMs * 1_000]],
  },
  {
    name: "nv_inference_compute_infer_duration_us",
    help: "time that process() took, together, in microseconds",
    type: "counter",
    labels: modelLabels,
    read: (r) => [[modelTexts(r), r.totals.ran.sumMs * 1_000]],
  },
  {
    name: "inferwire_refusals_total",
    help: "requests that the host refused, by reason",
    type: "counter",
    labels: ["reason"],
    read: refusals,
  },
  {
    name: "inferwire_queue_length",
    help: "calls that wait",
    type: "gauge",
    labels: [],
    read: (r) => [[[], r.load.queueLength]],
  },
  {
    name: "inferwire_queue_bytes",
    help: "bytes that waiting calls hold",
    type: "gauge",
    labels: [],
    read: (r) => [[[], r.load.queueBytes]],
  },
  {
    name: "inferwire_calls_in_flight",
    help: "calls that run",
    type: "gauge",
    labels: [],
    read: (r) => [[[], r.load.inFlight]],
  },
  {
    name: "inferwire_lane_state",
    help: "1 for the state that a lane is in, 0 for the others",
    type: "gauge",
    labels: ["lane", "state"],
    read: (r) =>
      r.load.lanes.flatMap(({ index, state }) =>
        Object.keys(laneStates).map(
          (each) => [[String(index), each], each === state ? 1 : 0] as const,
        ),
      ),
  },
  {
    name: "inferwire_lane_restarts_total",
    help: "times that a lane was replaced",
    type: "counter",
    labels: ["lane"],
    read: (r) => r.load.lanes.map(({ index, restarts }) => [[String(index)], restarts] as const),
  },
  {
    name: "inferwire_lane_calls_total",
    help: "calls that a lane has begun",
    type: "counter",
    labels: ["lane"],
    read: (r) => r.load.lanes.map(({ index, calls }) => [[String(index)], calls] as const),
  },
  {
    name: "inferwire_host_state",
    help: "1 for the state that the host is in, 0 for the others",
    type: "gauge",
    labels: ["state"],
    read: (r) =>
      Object.keys(hostTransitions).map((each) => [[each], each === r.state ? 1 : 0] as const),
  },
  {
    name: "inferwire_connections",
    help: "open connections",
    type: "gauge",
    labels: [],
    read: (r) => [[[], r.load.connections]],
  },
  {
    name: "inferwire_event_loop_delay_p99_seconds",
    help: "99th percentile of the event loop's delay since the last look, monitor's looks included",
    type: "gauge",
    labels: [],
    read: (r) => [[[], finite(r.load.eventLoopDelayP99Ms) / 1_000]],
  },
  {
    name: "inferwire_sample",
    help: "samples that the processor has declared, as last recorded",
    type: "gauge",
    labels: ["name"],
    read: (r) => [...r.samples].map(([name, value]) => [[name], value] as const),
  },
  {
    name: "inferwire_build_info",
    help: "1; the versions stand in the labels",
    type: "gauge",
    labels: ["version", "node"],
    read: (r) => [[[r.version, r.process.nodeVersion], 1]],
  },
  {
    name: "process_cpu_seconds_total",
    help: "CPU time that the process has used",
    type: "counter",
    labels: [],
    read: (r) => [[[], r.process.cpuSeconds]],
  },
  {
    name: "process_resident_memory_bytes",
    help: "memory of the process",
    type: "gauge",
    labels: [],
    read: (r) => [[[], r.process.residentBytes]],
  },
  {
    name: "process_start_time_seconds",
    help: "when the process started, in seconds since 1970",
    type: "gauge",
    labels: [],
    read: (r) => [[[], r.process.startedAt]],
  },
  {
    name: "nodejs_heap_size_used_bytes",
    help: "JavaScript heap in use",
    type: "gauge",
    labels: [],
    read: (r) => [[[], r.process.heapUsedBytes]],
  },
];

interface LabelledMethod {
  readonly labels: LabelTexts;
  readonly totals: MethodTotals;
}

const isRpc = ({ method }: MethodTotals): boolean => method.startsWith("/");

/** A method that several doors answer stands there several times, with the same labels. */
function rpcMethods({ totals, rpcHeads }: MetricsReading): readonly LabelledMethod[] {
  const heads = new Map(rpcHeads.map((head) => [head.path, head]));
  return totals.methods.filter(isRpc).map((each) => {
    const [, service = "", method = ""] = each.method.split("/");
    return { labels: [typeOf(heads.get(each.method)), service, method], totals: each };
  });
}

function typeOf(head: RpcHead | undefined): string {
  if (head?.requestStream === true) return head.responseStream ? "bidi_stream" : "client_stream";
  return head?.responseStream === true ? "server_stream" : "unary";
}

function httpMethods({ totals }: MetricsReading): readonly LabelledMethod[] {
  return totals.methods
    .filter((each) => !isRpc(each))
    .map((each) => {
      const [verb = "", route = ""] = each.method.split(" ");
      return { labels: [route, verb], totals: each };
    });
}

function countByStatus({ labels, totals }: LabelledMethod): NumberSample[] {
  return [...totals.byStatus].map(([status, { count }]) => [[...labels, status], count]);
}

function handledByCode({ labels, totals }: LabelledMethod): NumberSample[] {
  return [
    [[...labels, "OK"], 0],
    ...[...totals.byStatus].map(
      ([status, { count }]) => [[...labels, codeLabel(status)], count] as const,
    ),
  ];
}

/** An empty one for those that have not been called yet. */
function durations({ labels, totals }: LabelledMethod): HistogramSample[] {
  const all = [new LatencyHistogram(), ...totals.byStatus.values()];
  return all.map((histogram) => [labels, histogram]);
}

function processorMethods({ totals }: MetricsReading): readonly MethodTotals[] {
  return totals.methods.filter(({ own }) => !own);
}

function modelOf({ service }: MetricsReading): string {
  return service === "" ? UNNAMED_MODEL : service;
}

function modelTexts(reading: MetricsReading): LabelTexts {
  return [modelOf(reading), MODEL_VERSION];
}

const failureKinds = ["REJECTED", "CANCELED", "BACKEND", "OTHER"] as const;

function failureKind(reason: Reason): (typeof failureKinds)[number] {
  if (reason === "CANCELLED") return "CANCELED";
  if (errorCatalog[reason].kind === "processor" || reason === "LANE_DIED") return "BACKEND";
  return isRefusal(reason) ? "REJECTED" : "OTHER";
}

/** The host's own errors by which it ends what it had let in. */
const notRefusals: ReadonlySet<Reason> = new Set(["ABORTED_BY_STOP", "INTERNAL", "LANE_DIED"]);

function isRefusal(reason: Reason): boolean {
  return errorCatalog[reason].kind === "host" && !notRefusals.has(reason);
}

function refusals({ totals }: MetricsReading): readonly NumberSample[] {
  const errors = [...totals.methods.flatMap((m) => [...m.errors]), ...totals.otherErrors];
  return errors
    .filter(([reason]) => isRefusal(reason))
    .map(([reason, count]) => [[reason], count] as const);
}

/** Without a single measurement, Node's histogram has no percentile. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
