import type { Logger } from "../../core/ports.js";
import type { RpcDefinition } from "../../core/rpc-definition.js";
import { CallError, ServingError, servingError } from "../../core/serving-error.js";
import { Status } from "../../core/status.js";
import type { EtcdClient } from "../../etcd/etcd-client.js";
import {
  type EtcdEntry,
  etcdEntry,
  leaseGrantRpc,
  leaseKeepAliveRpc,
  leaseRevokeRpc,
  modRevisionIs,
  type RequestOp,
  rangeOp,
  type TxnResponse,
  txnRpc,
} from "../../wire/etcd.js";

/** Hosts wait no longer for an answer, and then try again. */
const CALL_TIMEOUT_MS = 3_000;

/** A lease of etcd's. */
export interface GrantedLease {
  readonly lease: bigint;
  /** How long it really holds: whole seconds, and not fewer than etcd allows. */
  readonly ttlMs: number;
}

/** What came of a transaction. */
export interface TransactionOutcome {
  /** The revision that it has made; undefined when something stood in its way, and nothing was done. */
  readonly revision: bigint | undefined;
  /** What stood in its way: the entries of all keys that it depended on. */
  readonly entries: readonly EtcdEntry[];
}

/**
 * What a directory asks of etcd. All of it may be asked twice: what was done already is found so, or is done again and
 * changes nothing.
 *
 * Each throws HostError `STORE_FAILED`, with etcd's own words, when etcd cannot be reached or refuses.
 */
export interface EtcdCalls {
  /** The entries of some keys, as the cluster has them now. */
  read(keys: readonly string[]): Promise<readonly EtcdEntry[]>;
  /**
   * Makes all changes at once, if no key that they depend on has changed since the revision that is given for it; 0 for a
   * key that was not there.
   */
  transact(
    dependsOn: ReadonlyMap<string, bigint>,
    changes: readonly RequestOp[],
  ): Promise<TransactionOutcome>;
  grant(ttlMs: number): Promise<GrantedLease>;
  /** Renews a lease, and says how long it holds from now on; undefined when it has ended. */
  renew(lease: bigint): Promise<number | undefined>;
  /** Ends a lease and what stands under it; one that has ended already is no error. */
  revoke(lease: bigint): Promise<void>;
}

/** What etcd itself says of a write that it does not make: out of quota, no right. */
const refusals: ReadonlySet<Status> = new Set([
  Status.RESOURCE_EXHAUSTED,
  Status.PERMISSION_DENIED,
  Status.UNAUTHENTICATED,
  Status.FAILED_PRECONDITION,
]);

/** Makes the calls of a client; the log is told when etcd begins to refuse writes, and when it takes them again. */
export function createEtcdCalls(client: EtcdClient, logger: Logger): EtcdCalls {
  let refusing = false;

  function noteWrite(refused: ServingError | undefined): void {
    if (refused === undefined && refusing) logger.info({}, "etcd takes writes again");
    if (refused !== undefined && !refusing) {
      logger.warn(
        { reason: refused.message },
        "etcd refuses writes: registrations that hold are renewed, nothing new is taken",
      );
    }
    refusing = refused !== undefined;
  }

  async function write<Req, Res>(definition: RpcDefinition<Req, Res>, request: Req): Promise<Res> {
    try {
      const answer = await call(definition, request);
      noteWrite(undefined);
      return answer;
    } catch (thrown) {
      const { cause } = ServingError.from(thrown);
      if (cause instanceof CallError && cause.remote && refusals.has(cause.code)) noteWrite(cause);
      throw thrown;
    }
  }

  async function call<Req, Res>(definition: RpcDefinition<Req, Res>, request: Req): Promise<Res> {
    try {
      const options = { timeoutMs: CALL_TIMEOUT_MS, repeatable: true };
      return await client.call(definition, request, options);
    } catch (thrown) {
      const cause = ServingError.from(thrown);
      throw servingError("STORE_FAILED", `etcd: ${cause.message}`, { cause });
    }
  }

  /** A call that names a lease: undefined when that has ended. */
  async function withLease<Res>(answer: Promise<Res>): Promise<Res | undefined> {
    try {
      return await answer;
    } catch (thrown) {
      if (ServingError.from(ServingError.from(thrown).cause).code === Status.NOT_FOUND)
        return undefined;
      throw thrown;
    }
  }

  async function read(keys: readonly string[]): Promise<readonly EtcdEntry[]> {
    const request = { compare: [], success: keys.map(rangeOp), failure: [] };
    return entriesOf(await call(txnRpc, request));
  }

  return {
    read,
    async transact(dependsOn, changes) {
      const keys = [...dependsOn.keys()];
      const request = {
        compare: keys.map((key) => modRevisionIs(key, dependsOn.get(key) ?? 0n)),
        success: [...changes],
        failure: keys.map(rangeOp),
      };
      // One without changes says nothing of whether writing works.
      const make = changes.length > 0 ? write : call;
      const answer = await withLease(make(txnRpc, request));
      if (answer === undefined) return { revision: undefined, entries: await read(keys) };
      if (answer.succeeded) return { revision: answer.header?.revision ?? 0n, entries: [] };
      return { revision: undefined, entries: entriesOf(answer) };
    },
    async grant(ttlMs) {
      const request = { TTL: BigInt(Math.ceil(ttlMs / 1_000)), ID: 0n };
      const answer = await write(leaseGrantRpc, request);
      if (answer.ID === 0n) throw servingError("STORE_FAILED", `etcd: no lease: ${answer.error}`);
      return { lease: answer.ID, ttlMs: Number(answer.TTL) * 1_000 };
    },
    async renew(lease) {
      const answer = await withLease(call(leaseKeepAliveRpc, { ID: lease }));
      return answer === undefined || answer.TTL <= 0n ? undefined : Number(answer.TTL) * 1_000;
    },
    async revoke(lease) {
      await withLease(call(leaseRevokeRpc, { ID: lease }));
    },
  };
}

function entriesOf({ responses }: TxnResponse): readonly EtcdEntry[] {
  return responses.flatMap(({ response }) =>
    response?.$case === "responseRange" ? response.value.kvs.map(etcdEntry) : [],
  );
}
