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
