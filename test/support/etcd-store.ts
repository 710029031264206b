import { type Logger, silentLogger, systemClock } from "../../src/core/ports.js";
import { type EtcdStoreOptions, openEtcdStore } from "../../src/directory/etcd/etcd-store.js";
import type { DirectoryStore } from "../../src/directory/store.js";
import { createEtcdClient } from "../../src/etcd/etcd-client.js";
import { leaseRevokeRpc } from "../../src/wire/etcd.js";
import type { EtcdServer } from "./etcd-server.js";

const ports = { clock: systemClock, random: Math.random, tls: undefined };

const membersOf = ({ port }: EtcdServer): EtcdStoreOptions["members"] => [
  { host: "127.0.0.1", port },
];

/** Opens a store over an etcd, silent unless a logger is given. */
export function openStoreOver(
  etcd: EtcdServer,
  options: Pick<EtcdStoreOptions, "prefix" | "bounds">,
  logger: Logger = silentLogger,
): Promise<DirectoryStore> {
  return openEtcdStore({ ...ports, ...options, members: membersOf(etcd), logger });
}

/** Ends a lease that a store has given out as etcd does when nobody renews it. */
export async function endAtEtcd(etcd: EtcdServer, leaseId: string): Promise<void> {
  const client = createEtcdClient({ members: membersOf(etcd), ...ports });
  const ID = BigInt(`0x${leaseId.split(".", 1)[0]}`);
  await client.call(leaseRevokeRpc, { ID });
  client.close();
}
