import type { HostLoad, HostView } from "../builtin/host-view.js";
import { type MonitorResult, monitor } from "../builtin/monitor.js";
import { ping } from "../builtin/ping.js";
import { builtins } from "../builtin/registry.js";
import { term } from "../builtin/term.js";
import type { RpcHead } from "../core/rpc-definition.js";
import { servingError } from "../core/serving-error.js";
import type { RpcRoute } from "../server/rpc.js";
import { endWithError } from "../server/rpc-errors.js";
import { unaryRoute } from "../server/typed-rpc.js";
import { builtinHead, monitorRpc, pingRpc, termRpc } from "../wire/builtin.js";
import { durationFromMs, durationToMs, timestampFromMs } from "../wire/time.js";

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
    unaryRoute(monitorRpc, () => monitorMessage(monitor(view))),
    unaryRoute(termRpc, ({ gracePeriod }) => {
      const asked = gracePeriod === undefined ? undefined : durationToMs(gracePeriod);
      return { gracePeriod: durationFromMs(term(view, asked).gracePeriodMs) };
    }),
    ...builtins
      .filter(({ available }) => !available)
      .flatMap((entry) => entry.methods)
      .map(({ name }) => laterRoute(builtinHead(name))),
  ];
}

function laterRoute(head: RpcHead): RpcRoute {
  return {
    ...head,
    accept(call) {
      endWithError(
        call,
        servingError("NOT_IN_THIS_VERSION", `${head.path} is not in this version`),
      );
      return { onMessage() {}, onHalfClose() {}, onClose() {} };
    },
  };
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
    lanes: result.lanes.map(laneMessage),
  };
}

function laneMessage(lane: HostLoad["lanes"][number]): {
  kind: string;
  index: number;
  state: string;
  inFlight: number;
  calls: bigint;
  restarts: number;
} {
  return { ...lane, calls: BigInt(lane.calls), restarts: 0 };
}
