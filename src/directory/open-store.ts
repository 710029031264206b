import { openEtcdStore } from "./etcd/etcd-store.js";
import { openFileStore } from "./journal/file-store.js";
import { createMemoryStore } from "./memory-store.js";
import type { DirectoryStore } from "./store.js";
import type { StoreKind, StorePorts } from "./store-kind.js";

/**
 * Opens a store: when it is there, it can be read and written.
 *
 * @throws HostError `STORE_FAILED`, `STORE_DAMAGED` or `STORE_IN_USE`.
 */
export async function openStore(store: StoreKind, ports: StorePorts): Promise<DirectoryStore> {
  switch (store.kind) {
    case "memory":
      return createMemoryStore(ports);
    case "file":
      return openFileStore({ ...ports, path: store.path });
    case "etcd":
      return openEtcdStore({ ...ports, members: store.members, prefix: store.prefix });
  }
}
