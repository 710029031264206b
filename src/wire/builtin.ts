import {
  BuiltinServiceDefinition,
  type CallRequest,
  type CallResponse,
  type EastoolRequest,
  type EastoolResponse,
  type MonitorRequest,
  type MonitorResponse,
  type PingRequest,
  type PingResponse,
  type PropRequest,
  type PropResponse,
  type RealtimeMetricsRequest,
  type RealtimeMetricsResponse,
  type RecordMetricsRequest,
  type RecordMetricsResponse,
  type SetPropertiesRequest,
  type SetPropertiesResponse,
  type TellRequest,
  type TellResponse,
  type TermRequest,
  type TermResponse,
} from "../../gen/inferwire/builtin/v1/builtin.js";
import type { RpcDefinition, RpcHead } from "../core/rpc-definition.js";
import { rpcDefinition } from "./rpc.js";

const { methods } = BuiltinServiceDefinition;

/** `BuiltinService.Call`. */
export const callRpc: RpcDefinition<CallRequest, CallResponse> = rpcDefinition(
  BuiltinServiceDefinition,
  methods.call,
);

/** `BuiltinService.Eastool`. */
export const eastoolRpc: RpcDefinition<EastoolRequest, EastoolResponse> = rpcDefinition(
  BuiltinServiceDefinition,
  methods.eastool,
);

/** `BuiltinService.Monitor`. */
export const monitorRpc: RpcDefinition<MonitorRequest, MonitorResponse> = rpcDefinition(
  BuiltinServiceDefinition,
  methods.monitor,
);

/** `BuiltinService.Ping`. */
export const pingRpc: RpcDefinition<PingRequest, PingResponse> = rpcDefinition(
  BuiltinServiceDefinition,
  methods.ping,
);

/** `BuiltinService.Prop`. */
export const propRpc: RpcDefinition<PropRequest, PropResponse> = rpcDefinition(
  BuiltinServiceDefinition,
  methods.prop,
);

/** `BuiltinService.RealtimeMetrics`. */
export const realtimeMetricsRpc: RpcDefinition<RealtimeMetricsRequest, RealtimeMetricsResponse> =
  rpcDefinition(BuiltinServiceDefinition, methods.realtimeMetrics);

/** `BuiltinService.RecordMetrics`. */
export const recordMetricsRpc: RpcDefinition<RecordMetricsRequest, RecordMetricsResponse> =
  rpcDefinition(BuiltinServiceDefinition, methods.recordMetrics);

/** `BuiltinService.SetProperties`. */
export const setPropertiesRpc: RpcDefinition<SetPropertiesRequest, SetPropertiesResponse> =
  rpcDefinition(BuiltinServiceDefinition, methods.setProperties);

/** `BuiltinService.Tell`. */
export const tellRpc: RpcDefinition<TellRequest, TellResponse> = rpcDefinition(
  BuiltinServiceDefinition,
  methods.tell,
);

/** `BuiltinService.Term`. */
export const termRpc: RpcDefinition<TermRequest, TermResponse> = rpcDefinition(
  BuiltinServiceDefinition,
  methods.term,
);

const heads: Readonly<Record<string, RpcHead>> = Object.fromEntries(
  Object.entries(methods).map(([name, { requestStream, responseStream, name: onWire }]) => [
    name,
    { path: `/${BuiltinServiceDefinition.fullName}/${onWire}`, requestStream, responseStream },
  ]),
);

/** Path and kind of a method of BuiltinService, by the name that its definition has for it. */
export function builtinHead(method: string): RpcHead {
  const head = heads[method];
  if (head === undefined) throw new Error(`BuiltinService has no method ${method}`);
  return head;
}
