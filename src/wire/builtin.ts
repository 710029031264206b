import {
  BuiltinServiceDefinition,
  type MonitorRequest,
  type MonitorResponse,
  type PingRequest,
  type PingResponse,
  type TermRequest,
  type TermResponse,
} from "../../gen/inferwire/builtin/v1/builtin.js";
import type { RpcDefinition, RpcHead } from "../core/rpc-definition.js";
import { rpcDefinition } from "./rpc.js";

const { methods } = BuiltinServiceDefinition;

/** `BuiltinService.Ping`. */
export const pingRpc: RpcDefinition<PingRequest, PingResponse> = rpcDefinition(
  BuiltinServiceDefinition,
  methods.ping,
);

/** `BuiltinService.Monitor`. */
export const monitorRpc: RpcDefinition<MonitorRequest, MonitorResponse> = rpcDefinition(
  BuiltinServiceDefinition,
  methods.monitor,
);

/** `BuiltinService.Term`. */
export const termRpc: RpcDefinition<TermRequest, TermResponse> = rpcDefinition(
  BuiltinServiceDefinition,
  methods.term,
);

/** The methods that this version answers with NOT_IN_THIS_VERSION. */
export const laterBuiltinRpcs: readonly RpcHead[] = [
  rpcDefinition(BuiltinServiceDefinition, methods.prop),
  rpcDefinition(BuiltinServiceDefinition, methods.setProperties),
  rpcDefinition(BuiltinServiceDefinition, methods.recordMetrics),
  rpcDefinition(BuiltinServiceDefinition, methods.realtimeMetrics),
  rpcDefinition(BuiltinServiceDefinition, methods.call),
  rpcDefinition(BuiltinServiceDefinition, methods.tell),
  rpcDefinition(BuiltinServiceDefinition, methods.eastool),
];

/** The methods that change a host's state. */
export const adminBuiltinPaths: readonly string[] = [
  rpcDefinition(BuiltinServiceDefinition, methods.setProperties),
  rpcDefinition(BuiltinServiceDefinition, methods.call),
  rpcDefinition(BuiltinServiceDefinition, methods.tell),
  termRpc,
  rpcDefinition(BuiltinServiceDefinition, methods.eastool),
].map((definition) => definition.path);
