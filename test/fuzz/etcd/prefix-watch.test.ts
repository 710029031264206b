import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEtcdClient } from "../../../src/etcd/etcd-client.js";
import { watchPrefix } from "../../../src/etcd/prefix-watch.js";
import { FakeEtcd } from "../../support/etcd-fake-transport.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { fuzz } from "../balance/fuzz-settings.js";

/** What happens to an etcd, and how much time passes then. */
interface Mishap {
  readonly happen: (etcd: FakeEtcd) => void;
  readonly thenMs: number;
}

const key = fc.constantFrom("svc/a", "svc/b", "svc/c", "svc/d/e", "svc2/a");
const writes = fc.dictionary(key, fc.option(fc.string({ maxLength: 2 }), { nil: undefined }), {
  minKeys: 1,
});
const happening: fc.Arbitrary<Mishap["happen"]> = fc.oneof(
  { weight: 6, arbitrary: writes.map((some) => (etcd: FakeEtcd) => etcd.write(some)) },
  fc.constant((etcd: FakeEtcd) => etcd.drop()),
  fc.constant((etcd: FakeEtcd) => {
    etcd.refusal = {};
    etcd.drop();
  }),
  fc.constant((etcd: FakeEtcd) => {
    etcd.refusal = undefined;
  }),
  fc.constant((etcd: FakeEtcd) => {
    etcd.silent = true;
  }),
  fc.constant(awake),
  fc.constant((etcd: FakeEtcd) => etcd.compact(etcd.revision)),
  fc.constant((etcd: FakeEtcd) => etcd.watches.at(-1)?.garbage()),
  fc.constant((etcd: FakeEtcd) => etcd.watches.at(-1)?.answer({ canceled: true })),
  writes.map((some) => (etcd: FakeEtcd) => {
    etcd.raftTerm += 1n;
    etcd.clusterId += 1n;
    etcd.drop();
    etcd.restore(some, 3n);
  }),
);
const mishap = fc.record<Mishap>({
  happen: happening,
  thenMs: fc.constantFrom(0, 0, 1, 100, 500, 3_000, 7_000),
});

function awake(etcd: FakeEtcd): void {
  etcd.silent = false;
  for (const watch of etcd.watches) watch.catchUp();
}

/** Follows a prefix as a listener does, applying what it is told. */
function follower(etcd: FakeEtcd, clock: FakeClock): ReadonlyMap<string, string> {
  const known = new Map<string, string>();
  const client = createEtcdClient({
    members: [
      { host: "one", port: 2379 },
      { host: "two", port: 2379 },
    ],
    tls: undefined,
    clock,
    random: () => 0.5,
    connect: etcd.connect,
  });
  const text = (value: Uint8Array): string => Buffer.from(value).toString();
  watchPrefix(
    "svc/",
    { client, clock, random: () => 0.5 },
    {
      onSync(entries) {
        known.clear();
        for (const entry of entries) known.set(entry.key, text(entry.value));
      },
      onChanges(changes) {
        for (const change of changes) {
          if (change.entry === undefined) known.delete(change.key);
          else known.set(change.key, text(change.entry.value));
        }
      },
      onConfirmed() {},
      onError() {},
    },
  );
  return known;
}

describe("watchPrefix", () => {
  it("knows in the end what stands there, whatever has happened to etcd", async () => {
    const property = fc.asyncProperty(fc.array(mishap, { maxLength: 20 }), async (mishaps) => {
      const etcd = new FakeEtcd();
      const clock = createFakeClock();
      const known = follower(etcd, clock);
      for (const { happen, thenMs } of mishaps) {
        happen(etcd);
        await clock.settle(thenMs);
      }
      etcd.refusal = undefined;
      awake(etcd);
      await clock.settle(20_000);
      expect(Object.fromEntries(known)).toEqual(etcd.below("svc/"));
    });
    await fc.assert(property, fuzz(200));
  });
});
