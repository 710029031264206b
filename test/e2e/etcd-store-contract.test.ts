import { afterAll, beforeAll, describe } from "vitest";
import { etcdLeaseIdFromText } from "../../src/directory/etcd/etcd-lease-id.js";
import type { TableBounds } from "../../src/directory/table-bounds.js";
import { describeStore, type StoreDriver } from "../conformance/store-suite.js";
import { type EtcdServer, etcdTool, startEtcd } from "../support/etcd-server.js";
import { endAtEtcd, openStoreOver } from "../support/etcd-store.js";
import { until } from "../support/until.js";

describe.skipIf(etcdTool.missing)(`over etcd${etcdTool.note}`, () => {
  let etcd: EtcdServer;
  let prefixes = 0;

  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterAll(() => etcd?.[Symbol.asyncDispose]());

  async function open(
    prefix: string,
    options: { readonly bounds?: TableBounds } | undefined,
  ): Promise<StoreDriver> {
    const store = await openStoreOver(etcd, { prefix, ...options });
    return {
      store,
      async expire({ id }) {
        await endAtEtcd(etcd, id);
        const { service = "", name } = etcdLeaseIdFromText(id) ?? {};
        await until(() => store.list(service).instances.every((one) => one.name !== name));
      },
      async reopen() {
        await store.close();
        return open(prefix, options);
      },
      engine: {
        async lose() {
          await etcd.kill();
          await until(() => store.list("mnist").stale);
        },
        async regain() {
          await etcd.start();
          await until(() => !store.list("mnist").stale);
        },
      },
      close: () => store.close(),
    };
  }

  describeStore(
    "etcd",
    (options) => {
      prefixes += 1;
      return open(`p${prefixes}/`, options);
    },
    { keeps: true, loses: true, runs: 3 },
  );
});
