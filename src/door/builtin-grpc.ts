import { callFunction } from "../builtin/call.js";
import { eastool } from "../builtin/eastool.js";
import type { HostView } from "../builtin/host-view.js";
import { type MonitorResult, monitor } from "../builtin/monitor.js";
import { ping } from "../builtin/ping.js";
import { readProperties, writeProperties } from "../builtin/prop.js";
import { recordSamples, streamedSeconds } from "../builtin/realtime-metrics.js";
import type { SampledSecond } from "../builtin/sample-store.js";
import { tell } from "../builtin/tell.js";
import { term } from "../builtin/term.js";
import { ServingError } from "../core/serving-error.js";
import type { RpcRoute } from "../server/rpc.js";
import { serverStreamRoute, unaryRoute } from "../server/typed-rpc.js";
import {
  callRpc,
  eastoolRpc,
  monitorRpc,
  pingRpc,
  propRpc,
  realtimeMetricsRpc,
  recordMetricsRpc,
  setPropertiesRpc,
  tellRpc,
  termRpc,
} from "../wire/builtin.js";
import { durationFromMs, durationToMs, timestampFromMs } from "../wire/time.js";
import { processorErrorStatus } from "./processor-error.js";

/** BuiltinService over gRPC: the same builtins as over HTTP. */
export function builtinRoutes(view: HostView): readonly RpcRoute[] {
  return [
    unaryRoute(pingRpc, ({ echo }) => {
      const { startedAtMs, uptimeMs, ...rest } = ping(view, echo);
      return {
        ...rest,
        startedAt: timestampFromMs(startedAtMs),
        uptime: durationFromMs(uptimeMs),
      };
    }),
    unaryRoute(propRpc, ({ names }) => ({ properties: [...readProperties(view, names)] })),
    unaryRoute(setPropertiesRpc, ({ values }) => ({
      properties: [...writeProperties(view, values)],
    })),
    unaryRoute(monitorRpc, () => monitorMessage(monitor(view))),
    unaryRoute(recordMetricsRpc, ({ samples }) => {
      recordSamples(view, samples);
      return {};
    }),
    serverStreamRoute(realtimeMetricsRpc, async function* ({ names }, { abort }) {
      for await (const second of streamedSeconds(view, names, abort)) yield secondMessage(second);
    }),
    callRoute(view),
    unaryRoute(tellRpc, ({ message }) => tell(view, message)),
    unaryRoute(termRpc, ({ gracePeriod }) => {
      const asked = gracePeriod === undefined ? undefined : durationToMs(gracePeriod);
      return { gracePeriod: durationFromMs(term(view, asked).gracePeriodMs) };
    }),
    unaryRoute(eastoolRpc, async ({ report, duration }, { abort }) => {
      const seconds = duration === undefined ? undefined : durationToMs(duration) / 1_000;
      const content = await eastool(view, { report, seconds, abort });
      return {
        contentType: "application/json; charset=utf-8",
        content: Buffer.from(JSON.stringify(content)),
      };
    }),
  ];
}

function callRoute(view: HostView): RpcRoute {
  return unaryRoute(
    callRpc,
    async (request, { door, metadata, peer, deadlineMs, abort }) => {
      const caller = { door, metadata, peer, deadlineMs, abort };
      return { data: await callFunction(view, request.function, request.data, caller) };
    },
    (thrown) => processorErrorStatus(ServingError.from(thrown)),
  );
}

function monitorMessage(result: MonitorResult): ReturnType<typeof monitorRpc.decodeResponse> {
  const { queueLength, inFlight, connections, eventLoopDelayP99Ms } = result;
  return {
    queueLength,
    inFlight,
    connections,
    eventLoopDelayP99Ms,
    queueBytes: BigInt(result.queueBytes),
    cpu: durationFromMs(result.cpuMs),
    residentBytes: BigInt(result.residentBytes),
    heapBytes: BigInt(result.heapBytes),
    methods: result.methods.map((m) => ({ ...m, count: BigInt(m.count) })),
    lanes: result.lanes.map((lane) => ({ ...lane, calls: BigInt(lane.calls) })),
  };
}

function secondMessage({
  second,
  points,
}: SampledSecond): ReturnType<typeof realtimeMetricsRpc.decodeResponse> {
  return {
    second: timestampFromMs(second * 1_000),
    samples: [],
    points: points.map(({ tags, count, ...point }) => ({
      ...point,
      tags: new Map(tags),
      count: BigInt(count),
    })),
  };
}
