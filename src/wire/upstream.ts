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

export type { WatchUpstreamsRequest };

const { methods } = UpstreamServiceDefinition;

/** Names of all services. */
export const listServicesRpc: RpcDefinition<ListServicesRequest, ListServicesResponse> =
  rpcDefinition(UpstreamServiceDefinition, methods.listServices);

/** The instances of a service, once. */
export const listUpstreamsRpc: RpcDefinition<ListUpstreamsRequest, ListUpstreamsResponse> =
  rpcDefinition(UpstreamServiceDefinition, methods.listUpstreams);

/** What holds of a watch that nobody changes anything of. Nothing else tells when the other side of a connection has vanished. */
export interface WatchRhythm {
  /** A directory says again after so long how things are. */
  readonly repeatMs: number;
  /** After so long a silence the list counts as stale. */
  readonly doubtMs: number;
  /** After so long a silence the directory is left. */
  readonly silenceMs: number;
}

/** Of a watch that takes whole lists; and of directories of the kit before they knew differences. */
export const wholeListRhythm: WatchRhythm = {
  repeatMs: 10_000,
  doubtMs: 25_000,
  silenceMs: 25_000,
};

/** Of a watch that takes differences, where "nothing has changed" is a few bytes: known by the first difference that comes. */
export const differenceRhythm: WatchRhythm = {
  repeatMs: 2_000,
  doubtMs: 5_000,
  silenceMs: 10_000,
};

/**
 * After so long every instance that still runs has registered again with a directory that started with an empty memory: hosts
 * renew every 5 s at least, however long their lease is, and try again every 6 s at least.
 */
export const SETTLE_MS = 15_000;

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

/** An instance as a directory lists it. */
export interface ListedInstance extends Instance {
  /** The weight that it registered with, where an operator has set `weight` to another one. */
  readonly registeredWeight?: number | undefined;
}

/** What leads from one version of a list to another. */
export interface UpstreamDifference {
  /** Who is new or changed. */
  readonly changed: readonly ListedInstance[];
  /** Keys of those who are gone. */
  readonly removed: readonly string[];
}

/** The instances of a service at one moment, as a directory knows them. */
export interface UpstreamList {
  readonly service: string;
  /** Changes whenever anything in the list does; compare for equality only. */
  readonly version: string;
  /** Weight 0 included. */
  readonly instances: readonly ListedInstance[];
  /** Names of the services that share the entry: the members of a group, else the service itself. */
  readonly correlative: readonly string[];
  /** False when the directory has never heard of the service. */
  readonly known: boolean;
  /** Of a group the traffic share of each member, by its name without the group; empty for a service. */
  readonly shares: ReadonlyMap<string, number>;
  /** True while the directory cannot reach what it learns from. */
  readonly stale: boolean;
  /** False while a directory that started with an empty memory may not have heard of every instance yet. */
  readonly settled: boolean;
}

/** A list that came over the wire, item by item. */
export interface ReceivedUpstreamList extends Omit<UpstreamList, "instances">, UpstreamItems {
  /** Set when `instances` and `removed` are what differs from the list of this version. */
  readonly baseVersion?: string | undefined;
  /** Of a difference: keys of those who are gone. */
  readonly removed: readonly string[];
}

/** An instance as a message. */
export function instanceToWire(instance: ListedInstance): WireInstance {
  const { name, host, port, weight, app, registeredWeight } = instance;
  return { name, ip: host, port, weight, app, registeredWeight };
}

/** What leads from a version of a list to another one, as an answer of a watch. */
export function upstreamDifferenceToWire(
  list: UpstreamList,
  baseVersion: string,
  { changed, removed }: UpstreamDifference,
): WatchUpstreamsResponse {
  return {
    ...headToWire(list),
    instances: changed.map(instanceToWire),
    baseVersion,
    removed: [...removed],
  };
}

/** A list as the answer of a watch; that of a single listing has some of the same fields. */
export function upstreamListToWire(list: UpstreamList): WatchUpstreamsResponse {
  return { ...headToWire(list), instances: list.instances.map(instanceToWire), removed: [] };
}

/** All but the instances: the same in a difference. */
function headToWire({
  service,
  version,
  correlative,
  known,
  shares,
  stale,
  settled,
}: UpstreamList): Omit<WatchUpstreamsResponse, "instances" | "removed" | "baseVersion"> {
  return {
    service,
    version,
    correlative: [...correlative],
    known,
    shares: new Map(shares),
    stale,
    settled,
  };
}

/** Reads a list or a difference; items that make no sense are counted and left out. */
export function upstreamListFromWire(message: WatchUpstreamsResponse): ReceivedUpstreamList {
  return { ...message, ...takeUpstreamItems(message.instances) };
}
