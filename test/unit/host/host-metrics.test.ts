import { describe, expect, it } from "vitest";
import type { HostLoad } from "../../../src/builtin/host-view.js";
import { servingError } from "../../../src/core/serving-error.js";
import { createCallMetrics } from "../../../src/host/call-metrics.js";
import { createHostMetrics } from "../../../src/host/host-metrics.js";
import { metricFamilies } from "../../../src/host/metric-families.js";
import { endedCall } from "../../support/ended-call.js";
import { createFakeClock } from "../../support/fake-clock.js";
import { parsePrometheus } from "../../support/prometheus.js";

const load: HostLoad = {
  methods: [],
  queueLength: 2,
  queueBytes: 10,
  inFlight: 1,
  lanes: [{ kind: "inline", index: 0, state: "busy", inFlight: 1, calls: 9, restarts: 4 }],
  connections: 3,
  eventLoopDelayP99Ms: Number.NaN,
};

function createMetrics(service = "echo") {
  const clock = createFakeClock(1_000_004);
  const calls = createCallMetrics(clock);
  const page = createHostMetrics({
    view: { service, version: "1.2.3", state: "ready", load: () => load },
    calls,
    rpcHeads: [{ path: "/p.S/Many", requestStream: false, responseStream: true }],
    samples: () => new Map([["tokens", 7]]),
  });
  return { calls, page, read: async () => parsePrometheus((await page()).text) };
}

describe("createHostMetrics", () => {
  it("writes every family with its help and type, and no other", async () => {
    const { read } = createMetrics();
    const families = [...(await read()).families];
    expect(families).toEqual(metricFamilies.map(({ name, type, help }) => [name, { type, help }]));
  });

  it("counts RPCs by the labels that gRPC dashboards look for", async () => {
    const { calls, read } = createMetrics();
    const series = calls.series("grpc", "/p.S/Many");
    series.started();
    series.received();
    for (let i = 0; i < 3; i++) series.sent();
    series.ended(endedCall(), "DEADLINE_EXCEEDED", servingError("DEADLINE_EXCEEDED", "late"));
    const { value } = await read();
    const labels = { grpc_type: "server_stream", grpc_service: "p.S", grpc_method: "Many" };
    expect(value("grpc_server_started_total", labels)).toBe(1);
    expect(value("grpc_server_msg_received_total", labels)).toBe(1);
    expect(value("grpc_server_msg_sent_total", labels)).toBe(3);
    const handled = (grpc_code: string) =>
      value("grpc_server_handled_total", { ...labels, grpc_code });
    expect(["OK", "DeadlineExceeded"].map(handled)).toEqual([0, 1]);
    const bucket = (le: string) => value("grpc_server_handling_seconds_bucket", { ...labels, le });
    expect(["0.003", "0.004", "100", "+Inf"].map(bucket)).toEqual([0, 1, 1, 1]);
    expect(value("grpc_server_handling_seconds_sum", labels)).toBe(0.004);
    expect(value("grpc_server_handling_seconds_count", labels)).toBe(1);
  });

  it("adds a method's doors up, over all statuses", async () => {
    const { calls, read } = createMetrics();
    for (const door of ["grpc", "grpc-web"]) {
      const series = calls.series(door, "/p.S/One");
      series.started();
      series.ended(endedCall(), "OK", undefined);
    }
    const { value } = await read();
    const labels = { grpc_type: "unary", grpc_service: "p.S", grpc_method: "One" };
    expect(value("grpc_server_started_total", labels)).toBe(2);
    expect(value("grpc_server_handling_seconds_count", labels)).toBe(2);
  });

  it("counts calls over HTTP by route, verb and status", async () => {
    const { calls, read } = createMetrics();
    calls.series("eas", "POST /api/predict").ended(endedCall(), "450", undefined);
    const { value } = await read();
    const labels = { route: "/api/predict", method: "POST" };
    expect(value("inferwire_http_requests_total", { ...labels, code: "450" })).toBe(1);
    expect(value("inferwire_http_request_duration_seconds_count", labels)).toBe(1);
  });

  it("tells refusals, and Triton's reasons of failures", async () => {
    const { calls, read } = createMetrics();
    const series = calls.series("grpc", "/p.S/One");
    const reasons = ["QUEUE_FULL", "CANCELLED", "PROCESSOR_THREW", "DEADLINE_EXCEEDED"] as const;
    for (const reason of reasons) series.ended(endedCall(), "X", servingError(reason, "why"));
    series.ended(endedCall(), "OK", undefined);
    calls.refused(endedCall(), "/x/y", "X", servingError("QUEUE_FULL", "why"));
    calls.queued(2);
    calls.ran(3);
    const { value } = await read();
    const model = { model: "echo", version: "1" };
    for (const reason of ["REJECTED", "CANCELED", "BACKEND", "OTHER"]) {
      expect(value("nv_inference_request_failure", { ...model, reason })).toBe(1);
    }
    expect(value("nv_inference_request_success", model)).toBe(1);
    expect(value("nv_inference_request_duration_us", model)).toBe(4_000);
    expect(value("nv_inference_queue_duration_us", model)).toBe(2_000);
    expect(value("nv_inference_compute_infer_duration_us", model)).toBe(3_000);
    expect(value("nv_inference_pending_request_count", model)).toBe(2);
    expect(value("request_predict_seconds_sum", { model_name: "echo" })).toBe(0.003);
    expect(value("inferwire_refusals_total", { reason: "QUEUE_FULL" })).toBe(2);
    expect(value("inferwire_refusals_total", { reason: "CANCELLED" })).toBeUndefined();
  });

  it("shows load, state, lanes, versions and samples", async () => {
    const { value } = await createMetrics("").read();
    expect(value("inferwire_queue_length", {})).toBe(2);
    expect(value("inferwire_queue_bytes", {})).toBe(10);
    expect(value("inferwire_calls_in_flight", {})).toBe(1);
    expect(value("inferwire_connections", {})).toBe(3);
    expect(value("inferwire_event_loop_delay_p99_seconds", {})).toBe(0);
    expect(value("inferwire_host_state", { state: "ready" })).toBe(1);
    expect(value("inferwire_host_state", { state: "draining" })).toBe(0);
    expect(value("inferwire_lane_state", { lane: "0", state: "busy" })).toBe(1);
    expect(value("inferwire_lane_state", { lane: "0", state: "dead" })).toBe(0);
    expect(value("inferwire_lane_restarts_total", { lane: "0" })).toBe(4);
    expect(value("inferwire_lane_calls_total", { lane: "0" })).toBe(9);
    expect(value("inferwire_sample", { name: "tokens" })).toBe(7);
    expect(value("request_predict_seconds_count", { model_name: "default" })).toBe(0);
    expect(value("inferwire_build_info", { version: "1.2.3", node: process.version })).toBe(1);
    expect(value("process_start_time_seconds", {})).toBeGreaterThan(1_600_000_000);
  });

  it("of two hosts in one process do not know of each other", async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.calls.series("grpc", "/p.S/One").started();
    await one.read();
    expect((await other.page()).text).not.toContain('grpc_method="One"');
  });
});
