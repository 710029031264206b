import {
  type DeregisterRequest,
  type DeregisterResponse,
  type KeepAliveRequest,
  type KeepAliveResponse,
  type ListServicesRequest,
  type ListServicesResponse,
  type ListUpstreamsRequest,
  type ListUpstreamsResponse,
  type RegisterRequest,
  type RegisterResponse,
  type SetTrafficRequest,
  type SetTrafficResponse,
  type SetWeightRequest,
  type SetWeightResponse,
  UpstreamServiceDefinition,
  type WatchUpstreamsRequest,
  type WatchUpstreamsResponse,
  type Instance as WireInstance,
} from "../../gen/inferwire/upstream/v1/upstream.js";
import type { Instance } from "../core/instance.js";
import type { RpcDefinition } from "../core/rpc-definition.js";
import { rpcDefinition } from "./rpc.js";
import { takeUpstreamItems, type UpstreamItems } from "./upstream-item.js";

const { methods } = UpstreamServiceDefinition;

/** Names of all services. */
export const listServicesRpc: RpcDefinition<ListServicesRequest, ListServicesResponse> =
  rpcDefinition(UpstreamServiceDefinition, methods.listServices);

/** The instances of a service, once. */
export const listUpstreamsRpc: RpcDefinition<ListUpstreamsRequest, ListUpstreamsResponse> =
  rpcDefinition(UpstreamServiceDefinition, methods.listUpstreams);

/** A directory sends a watched list again after so long, changed or not. */
export const WATCH_REPEAT_MS = 10_000;

/**
 * A watch that has been silent for longer than two repeats is dead: nothing else tells when the other side of a connection
 * has vanished.
 */
export const WATCH_SILENCE_MS = 25_000;

/** The instances of a service, from now on. */
export const watchUpstreamsRpc: RpcDefinition<WatchUpstreamsRequest, WatchUpstreamsResponse> =
  rpcDefinition(UpstreamServiceDefinition, methods.watchUpstreams);

/** Registers an instance under a lease. */
export const registerRpc: RpcDefinition<RegisterRequest, RegisterResponse> = rpcDefinition(
  UpstreamServiceDefinition,
  methods.register,
);

/** Renews a lease. */
export const keepAliveRpc: RpcDefinition<KeepAliveRequest, KeepAliveResponse> = rpcDefinition(
  UpstreamServiceDefinition,
  methods.keepAlive,
);

/** Gives a lease back. */
export const deregisterRpc: RpcDefinition<DeregisterRequest, DeregisterResponse> = rpcDefinition(
  UpstreamServiceDefinition,
  methods.deregister,
);

/** Sets or takes back an operator's weight. */
export const setWeightRpc: RpcDefinition<SetWeightRequest, SetWeightResponse> = rpcDefinition(
  UpstreamServiceDefinition,
  methods.setWeight,
);

/** Sets the traffic shares of a group. */
export const setTrafficRpc: RpcDefinition<SetTrafficRequest, SetTrafficResponse> = rpcDefinition(
  UpstreamServiceDefinition,
  methods.setTraffic,
);

/** The instances of a service at one moment, as a directory knows them. */
export interface UpstreamList {
  readonly service: string;
  /** Changes whenever anything in the list does; compare for equality only. */
  readonly version: string;
  /** Weight 0 included. */
  readonly instances: readonly Instance[];
  /** Names of the services that share the entry: the members of a group, else the service itself. */
  readonly correlative: readonly string[];
  /** False when the directory has never heard of the service. */
  readonly known: boolean;
}

/** A list that came over the wire, item by item. */
export interface ReceivedUpstreamList extends UpstreamList, UpstreamItems {}

/** An instance as a message. */
export function instanceToWire({ name, host, port, weight, app }: Instance): WireInstance {
  return { name, ip: host, port, weight, app };
}

/** A list as the answer of a watch; that of a single listing has the same fields but `known`. */
export function upstreamListToWire(list: UpstreamList): WatchUpstreamsResponse {
  return {
    service: list.service,
    version: list.version,
    instances: list.instances.map(instanceToWire),
    correlative: [...list.correlative],
    known: list.known,
  };
}

/** Reads a list; items that make no sense are counted and left out. */
export function upstreamListFromWire(message: WatchUpstreamsResponse): ReceivedUpstreamList {
  return { ...message, ...takeUpstreamItems(message.instances) };
}
