import {
  type Compare,
  Compare_CompareResult,
  Compare_CompareTarget,
  type DeleteRangeRequest,
  KVDefinition,
  LeaseDefinition,
  type LeaseGrantRequest,
  type LeaseGrantResponse,
  type LeaseKeepAliveRequest,
  type LeaseKeepAliveResponse,
  type LeaseRevokeRequest,
  type LeaseRevokeResponse,
  type PutRequest,
  type PutResponse,
  type RangeRequest,
  type RangeResponse,
  type RequestOp,
  type TxnRequest,
  type TxnResponse,
  WatchDefinition,
  type WatchRequest,
  type WatchResponse,
} from "../../gen/etcd/api/etcdserverpb/rpc.js";
import { type Event, Event_EventType, type KeyValue } from "../../gen/etcd/api/mvccpb/kv.js";
import { bufferOf } from "../core/bytes.js";
import type { RpcDefinition } from "../core/rpc-definition.js";
import { rpcDefinition } from "./rpc.js";

export type { RangeRequest, RangeResponse, RequestOp, TxnResponse, WatchRequest, WatchResponse };

/** Keys of a range, and what they hold. */
export const rangeRpc: RpcDefinition<RangeRequest, RangeResponse> = rpcDefinition(
  KVDefinition,
  KVDefinition.methods.range,
);

/** Sets one key. */
export const putRpc: RpcDefinition<PutRequest, PutResponse> = rpcDefinition(
  KVDefinition,
  KVDefinition.methods.put,
);

/** Several operations at once, if some comparisons hold. */
export const txnRpc: RpcDefinition<TxnRequest, TxnResponse> = rpcDefinition(
  KVDefinition,
  KVDefinition.methods.txn,
);

/** Changes of keys, from a revision on. */
export const etcdWatchRpc: RpcDefinition<WatchRequest, WatchResponse> = rpcDefinition(
  WatchDefinition,
  WatchDefinition.methods.watch,
);

/** A new lease. */
export const leaseGrantRpc: RpcDefinition<LeaseGrantRequest, LeaseGrantResponse> = rpcDefinition(
  LeaseDefinition,
  LeaseDefinition.methods.leaseGrant,
);

/** Ends a lease, and the keys under it. */
export const leaseRevokeRpc: RpcDefinition<LeaseRevokeRequest, LeaseRevokeResponse> = rpcDefinition(
  LeaseDefinition,
  LeaseDefinition.methods.leaseRevoke,
);

/** Renews a lease; a stream that may be used for one question, like a unary call. */
export const leaseKeepAliveRpc: RpcDefinition<LeaseKeepAliveRequest, LeaseKeepAliveResponse> =
  rpcDefinition(LeaseDefinition, LeaseDefinition.methods.leaseKeepAlive);

/** A key, and what it holds. */
export interface EtcdEntry {
  /** The whole key, prefix included. */
  readonly key: string;
  readonly value: Uint8Array;
  /** Revision of its last change. */
  readonly modRevision: bigint;
  /** The lease that it ends with; 0 for none. */
  readonly lease: bigint;
}

/** One key's change: what it holds now, or undefined when it is gone. */
export interface EtcdChange {
  readonly key: string;
  readonly entry: EtcdEntry | undefined;
  /** Revision of the change. */
  readonly revision: bigint;
}

/** A key as etcd has it. */
export function keyBytes(key: string): Uint8Array {
  return Buffer.from(key, "utf8");
}

/** What a key of etcd's says. */
function keyText(key: Uint8Array): string {
  return bufferOf(key).toString("utf8");
}

/** The first key behind those that begin with `prefix`, which is not empty and ASCII at its end. */
export function prefixEnd(prefix: string): Uint8Array {
  const end = Buffer.from(prefix, "utf8");
  const last = end.length - 1;
  end[last] = (end[last] ?? 0) + 1;
  return end;
}

/** The least key behind a key. */
export function keyBehind(key: Uint8Array): Uint8Array {
  return Buffer.concat([key, Buffer.alloc(1)]);
}

const noBytes = new Uint8Array(0);
const wholeRange = {
  limit: 0n,
  revision: 0n,
  serializable: false,
  keysOnly: false,
  countOnly: false,
};

/** Asks for one key, as the cluster has it now. */
export function rangeOfKey(key: string): RangeRequest {
  return { ...wholeRange, key: keyBytes(key), rangeEnd: noBytes };
}

/** Asks for all keys that begin with `prefix`, as the cluster has them now. */
export function rangeOfPrefix(prefix: string): RangeRequest {
  return { ...wholeRange, key: keyBytes(prefix), rangeEnd: prefixEnd(prefix) };
}

/** Sets a key; a lease of 0 is none. */
export function putOf(key: string, value: Uint8Array, lease = 0n): PutRequest {
  const flags = { prevKv: false, ignoreValue: false, ignoreLease: false };
  return { key: keyBytes(key), value, lease, ...flags };
}

/** Deletes a key. */
export function deletionOf(key: string): DeleteRangeRequest {
  return { key: keyBytes(key), rangeEnd: noBytes, prevKv: false };
}

/** {@link rangeOfKey} in a transaction. */
export function rangeOp(key: string): RequestOp {
  return { request: { $case: "requestRange", value: rangeOfKey(key) } };
}

/** {@link putOf} in a transaction. */
export function putOp(key: string, value: Uint8Array, lease = 0n): RequestOp {
  return { request: { $case: "requestPut", value: putOf(key, value, lease) } };
}

/** {@link deletionOf} in a transaction. */
export function deleteOp(key: string): RequestOp {
  return { request: { $case: "requestDeleteRange", value: deletionOf(key) } };
}

/** Holds when the key was last changed at this revision; 0: when there is no such key. */
export function modRevisionIs(key: string, revision: bigint): Compare {
  return {
    result: Compare_CompareResult.EQUAL,
    target: Compare_CompareTarget.MOD,
    key: keyBytes(key),
    targetUnion: { $case: "modRevision", value: revision },
  };
}

/** Opens a watch on all keys that begin with `prefix`, with the changes of revision `from` as the first ones. */
export function watchFrom(prefix: string, from: bigint): WatchRequest {
  return {
    requestUnion: {
      $case: "createRequest",
      value: {
        key: keyBytes(prefix),
        rangeEnd: prefixEnd(prefix),
        startRevision: from,
        progressNotify: true,
        prevKv: false,
        watchId: 0n,
        fragment: true,
      },
    },
  };
}

/** Asks a watch for a sign. */
export const watchProgress: WatchRequest = {
  requestUnion: { $case: "progressRequest", value: {} },
};

/** Takes a key of etcd's. */
export function etcdEntry(kv: KeyValue): EtcdEntry {
  const { modRevision, value, lease } = kv;
  return { key: keyText(kv.key), value, modRevision, lease };
}

/** Takes a change of etcd's; undefined when it names no key. */
export function etcdChange({ type, kv }: Event): EtcdChange | undefined {
  if (kv === undefined) return undefined;
  const entry = type === Event_EventType.DELETE ? undefined : etcdEntry(kv);
  return { key: keyText(kv.key), entry, revision: kv.modRevision };
}
