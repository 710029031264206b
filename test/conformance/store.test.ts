import { join } from "node:path";
import { silentLogger } from "../../src/core/ports.js";
import { openFileStore } from "../../src/directory/journal/file-store.js";
import { createMemoryStore } from "../../src/directory/memory-store.js";
import type { DirectoryStore } from "../../src/directory/store.js";
import type { Lease } from "../../src/wire/upstream-registration.js";
import { createFakeClock, type FakeClock } from "../support/fake-clock.js";
import { emptyFolder } from "../support/folders.js";
import { type CreateStoreDriver, describeStore, type StoreDriver } from "./store-suite.js";

/** Lets time pass until a lease ends that is not renewed as the others are. */
async function outlive(
  clock: FakeClock,
  store: DirectoryStore,
  lease: Lease,
  others: readonly Lease[],
): Promise<void> {
  for (let half = 0; half < 2; half++) {
    for (const { id } of others) await store.keepAlive(id).catch(() => {});
    clock.advance(lease.ttlMs / 2);
  }
}

const createMemory: CreateStoreDriver = async (options) => {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock, logger: silentLogger, ...options });
  return {
    store,
    expire: (lease, others) => outlive(clock, store, lease, others),
    close: () => store.close(),
  };
};

const createFile: CreateStoreDriver = async (options) => {
  const path = join(emptyFolder(), "journal");
  const clock = createFakeClock();

  async function open(): Promise<StoreDriver> {
    const store = await openFileStore({ path, clock, logger: silentLogger, ...options });
    return {
      store,
      expire: (lease, others) => outlive(clock, store, lease, others),
      async reopen() {
        await store.close();
        return open();
      },
      close: () => store.close(),
    };
  }
  return open();
};

describeStore("memory", createMemory);
describeStore("file", createFile, { keeps: true });
