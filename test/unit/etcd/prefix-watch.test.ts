import { describe, expect, it } from "vitest";
import type { ServingError } from "../../../src/core/serving-error.js";
import { Status } from "../../../src/core/status.js";
import { createEtcdClient } from "../../../src/etcd/etcd-client.js";
import { type PrefixWatch, watchPrefix } from "../../../src/etcd/prefix-watch.js";
import { rangeRpc } from "../../../src/wire/etcd.js";
import { FakeEtcd } from "../../support/etcd-fake-transport.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";

interface Fixture {
  readonly etcd: FakeEtcd;
  readonly clock: FakeClock;
  /** What the listener was told, in order: signs are left out. */
  readonly told: string[];
  readonly errors: ServingError[];
  readonly watch: PrefixWatch;
  confirmed(): number;
}

async function watched(etcd = new FakeEtcd(), members = ["one"]): Promise<Fixture> {
  const clock = createFakeClock();
  const told: string[] = [];
  const errors: ServingError[] = [];
  let confirmations = 0;
  const client = createEtcdClient({
    members: members.map((host) => ({ host, port: 2379 })),
    tls: undefined,
    clock,
    random: () => 0,
    connect: etcd.connect,
  });
  const watch = watchPrefix(
    "svc/",
    { client, clock, random: () => 0.5 },
    {
      onSync: (entries, revision) =>
        told.push(`sync@${revision} ${entries.map(({ key }) => key).join()}`),
      onChanges: (changes, revision) =>
        told.push(
          `changes@${revision} ${changes.map(({ key, entry }) => (entry === undefined ? "-" : "+") + key).join()}`,
        ),
      onConfirmed: () => confirmations++,
      onError: (error) => {
        told.push("error");
        errors.push(error);
      },
    },
  );
  await clock.settle();
  return { etcd, clock, told, errors, watch, confirmed: () => confirmations };
}

function etcdWith(...keys: readonly string[]): FakeEtcd {
  const etcd = new FakeEtcd();
  for (const key of keys) etcd.write({ [key]: "x" });
  return etcd;
}

describe("watchPrefix", () => {
  it("reads what stands there, and watches from the next revision on", async () => {
    const { etcd, told, watch } = await watched(etcdWith("svc/a", "svc/b", "svc2/c", "svc"));
    expect(told).toEqual(["sync@5 svc/a,svc/b"]);
    expect(etcd.last.from).toBe(6n);
    etcd.write({ "svc/c": "x" });
    etcd.write({ "svc/a": undefined, "svc/b": "y", "svc2/x": "x" });
    expect(told.slice(1)).toEqual(["changes@6 +svc/c", "changes@7 -svc/a,+svc/b"]);
    watch.close();
  });

  it("tells an empty prefix as an empty one", async () => {
    const { told, watch } = await watched();
    expect(told).toEqual(["sync@1 "]);
    watch.close();
  });

  it("reads long lists page by page, all at the revision of the first page", async () => {
    const etcd = etcdWith("svc/a", "svc/b", "svc/c", "svc/d", "svc/e");
    etcd.maxPageKeys = 2;
    const { told, watch } = await watched(etcd);
    expect(etcd.calls.filter((call) => call.endsWith("Range")).length).toBe(3);
    expect(told).toEqual(["sync@6 svc/a,svc/b,svc/c,svc/d,svc/e"]);
    watch.close();
  });

  it("asks for a sign every 300 ms and tells each one", async () => {
    const { clock, etcd, confirmed, watch } = await watched();
    await clock.settle(1_500);
    expect([etcd.last.asked, confirmed()]).toEqual([5, 5]);
    expect(clock.pending().every(({ background }) => background)).toBe(true);
    watch.close();
    expect(clock.pending()).toEqual([]);
  });

  it("resumes behind the last change, not behind a sign, which may overtake changes", async () => {
    const { clock, etcd, told, watch } = await watched(etcdWith("svc/a"));
    etcd.write({ "svc/b": "x" });
    for (let i = 0; i < 50; i++) etcd.write({ other: "x" });
    await clock.settle(1_000);
    etcd.drop();
    etcd.write({ "svc/c": "x" });
    await clock.settle(300);
    expect(etcd.last.from).toBe(54n);
    expect(told).toEqual(["sync@2 svc/a", "changes@3 +svc/b", "error", "changes@54 +svc/c"]);
    watch.close();
  });

  it("tells a change once, whatever is sent twice", async () => {
    const { etcd, told, watch } = await watched();
    etcd.write({ "svc/a": "x" });
    const [events = []] = etcd.since(1n);
    etcd.last.answer({ events: [...events] });
    expect(told).toEqual(["sync@1 ", "changes@2 +svc/a"]);
    watch.close();
  });

  it("joins the fragments of a revision, and takes no sign between them for one", async () => {
    const { etcd, told, confirmed, watch } = await watched();
    etcd.silent = true;
    etcd.write({ "svc/a": "x", "svc/b": "x" });
    const [[first, second] = []] = etcd.since(1n);
    if (first === undefined || second === undefined) throw new Error("two events are missing");
    etcd.last.answer({ events: [first], fragment: true });
    etcd.last.answer({ watchId: -1n });
    expect([told.length, confirmed()]).toEqual([1, 0]);
    etcd.last.answer({ events: [second] });
    expect(told).toEqual(["sync@1 ", "changes@2 +svc/a,+svc/b"]);
    watch.close();
  });

  it("reads anew when what has changed meanwhile is compacted, without an error", async () => {
    const { clock, etcd, told, errors, watch } = await watched(etcdWith("svc/a"));
    etcd.refusal = {};
    etcd.drop();
    etcd.write({ "svc/a": undefined });
    etcd.write({ "svc/b": "x" });
    etcd.compact(4n);
    etcd.refusal = undefined;
    await clock.settle(1_000);
    expect(told).toEqual(["sync@2 svc/a", "error", "sync@4 svc/b"]);
    expect(errors).toMatchObject([{ reason: "CONNECTION_LOST" }]);
    watch.close();
  });

  it("reads anew at once when what has changed in a long absence is compacted", async () => {
    const { clock, etcd, told, watch } = await watched(etcdWith("svc/a"));
    etcd.refusal = {};
    etcd.drop();
    await clock.settle(30_000);
    etcd.write({ "svc/b": "x" });
    etcd.write({ "svc/c": "x" });
    etcd.compact(4n);
    etcd.refusal = undefined;
    const opened = etcd.watches.length;
    while (etcd.watches.length === opened) await clock.settle(10);
    expect(told.slice(2)).toEqual(["sync@4 svc/a,svc/b,svc/c"]);
    watch.close();
  });

  it("reads anew when a page is compacted while the list is read", async () => {
    const etcd = etcdWith("svc/a", "svc/b");
    etcd.maxPageKeys = 1;
    const range = etcd.connect;
    let pages = 0;
    const answers = Object.assign(etcd, {
      connect: (instance: Parameters<typeof range>[0]) => {
        const transport = range(instance);
        return {
          ...transport,
          start: (...args: Parameters<typeof transport.start>) => {
            pages += 1;
            if (pages === 2) {
              etcd.write({ "svc/c": "x" });
              etcd.compact(4n);
            }
            return transport.start(...args);
          },
        };
      },
    });
    const { clock, told, watch } = await watched(answers);
    await clock.settle(1_000);
    expect(told).toEqual(["sync@4 svc/a,svc/b,svc/c"]);
    watch.close();
  });

  it.each<[string, (etcd: FakeEtcd) => void]>([
    ["to an earlier revision", (etcd) => etcd.restore({ "svc/z": "x" }, 2n)],
    [
      "of another cluster",
      (etcd) => {
        etcd.clusterId = 8n;
        etcd.restore({ "svc/z": "x" }, 90n);
      },
    ],
    [
      "to an earlier term",
      (etcd) => {
        etcd.raftTerm = 1n;
        etcd.restore({ "svc/z": "x" }, 90n);
      },
    ],
  ])("reads anew when etcd comes back with data %s", async (_name, restore) => {
    const { clock, etcd, told, watch } = await watched(etcdWith("svc/a", "svc/b"));
    etcd.drop();
    restore(etcd);
    await clock.settle(2_000);
    expect(told).toEqual(["sync@3 svc/a,svc/b", "error", `sync@${etcd.revision} svc/z`]);
    etcd.write({ "svc/y": "x" });
    expect(told.at(-1)).toBe(`changes@${etcd.revision} +svc/y`);
    watch.close();
  });

  it("says within 600 ms that etcd has fallen silent, once, and keeps the stream for a while", async () => {
    const { clock, etcd, told, errors, watch } = await watched(etcdWith("svc/a"));
    await clock.settle(300);
    etcd.silent = true;
    await clock.settle(599);
    expect(errors).toEqual([]);
    await clock.settle(1);
    expect(errors).toMatchObject([{ reason: "CONNECTION_LOST", code: Status.UNAVAILABLE }]);
    await clock.settle(3_000);
    expect([errors.length, etcd.watches.length]).toEqual([1, 1]);
    etcd.write({ "svc/b": "x" });
    etcd.silent = false;
    etcd.last.catchUp();
    expect(told).toEqual(["sync@2 svc/a", "error", "changes@3 +svc/b"]);
    etcd.silent = true;
    await clock.settle(1_000);
    expect(errors.length).toBe(2);
    watch.close();
  });

  it("leaves a member that has been silent for 5 s", async () => {
    const { clock, etcd, told, watch } = await watched(etcdWith("svc/a"), ["one", "two"]);
    etcd.silent = true;
    await clock.settle(5_200);
    expect(etcd.watches[0]?.open).toBe(false);
    etcd.silent = false;
    etcd.write({ "svc/b": "x" });
    await clock.settle(300);
    expect(etcd.watches.map(({ member }) => member)).toEqual(["one:2379", "two:2379"]);
    expect(told).toEqual(["sync@2 svc/a", "error", "changes@3 +svc/b"]);
    expect(etcd.openTransports).toBe(1);
    watch.close();
  });

  it("does not believe a sign of a member that has just taken the watch and has not caught up", async () => {
    const { clock, etcd, confirmed, watch } = await watched(etcdWith("svc/a"));
    etcd.drop();
    await clock.settle(200);
    expect(etcd.watches.length).toBe(2);
    await clock.settle(299);
    expect([etcd.last.asked, confirmed()]).toEqual([0, 0]);
    await clock.settle(1);
    expect(confirmed()).toBe(1);
    watch.close();
  });

  it("goes to another member when one has no leader, tells it once, and waits longer and longer", async () => {
    const { clock, etcd, errors, watch } = await watched(etcdWith("svc/a"), ["one", "two"]);
    etcd.refusal = { message: "etcdserver: no leader", remote: true, reason: "CALL_FAILED" };
    etcd.drop(etcd.refusal);
    const before = etcd.calls.length;
    await clock.settle(60_000);
    expect(errors.length).toBe(1);
    expect(errors[0]?.message).toContain("no leader");
    const tries = etcd.calls.slice(before);
    expect(tries.slice(0, 3)).toEqual(["two:2379 Watch", "one:2379 Watch", "two:2379 Watch"]);
    expect(tries.length).toBeLessThan(30);
    watch.close();
  });

  it.each<[string, (etcd: FakeEtcd) => void, string]>([
    ["drops each watch", (etcd) => etcd.drop(), "connection lost"],
    [
      "cancels each watch",
      (etcd) => etcd.last.answer({ created: true, canceled: true, cancelReason: "no permission" }),
      "no permission",
    ],
    [
      "cancels without a reason",
      (etcd) => etcd.last.answer({ canceled: true }),
      "without a reason",
    ],
    [
      "says that all is compacted",
      (etcd) => etcd.last.answer({ canceled: true, compactRevision: 9n }),
      "",
    ],
    [
      "drops a watch and says to the next that all is compacted",
      (etcd) => {
        if (etcd.watches.length % 2 === 1) etcd.drop();
        else etcd.last.answer({ canceled: true, compactRevision: 9n });
      },
      "connection lost",
    ],
    ["sends garbage", (etcd) => etcd.last.garbage(), "cannot be taken"],
    ["sends no header", (etcd) => etcd.last.answer({ header: undefined }), "no header"],
    [
      "ends each watch",
      (etcd) => etcd.last.end({ code: Status.OK, reason: undefined }),
      "ended the watch",
    ],
  ])("runs no busy loop when etcd %s", async (_name, misbehave, message) => {
    const { clock, etcd, errors, watch } = await watched(etcdWith("svc/a"));
    let known = 0;
    for (let ms = 0; ms < 60_000; ms += 50) {
      if (etcd.watches.length > known) misbehave(etcd);
      known = etcd.watches.length;
      await clock.settle(50);
    }
    expect(known).toBeGreaterThan(10);
    // Some two dozen waits, and at most two tries after each.
    expect(known).toBeLessThan(50);
    expect(errors[0]?.message).toContain(message);
    watch.close();
  });

  it.each<[string, Parameters<FakeEtcd["drop"]>[0]]>([
    [
      "auth is needed",
      { code: Status.INVALID_ARGUMENT, message: "etcdserver: user name is empty" },
    ],
    [
      "too many requests",
      { code: Status.RESOURCE_EXHAUSTED, message: "etcdserver: too many requests" },
    ],
  ])("tells once that %s, and goes on trying", async (_name, refusal) => {
    const etcd = etcdWith("svc/a");
    etcd.refusal = { remote: true, reason: "CALL_FAILED", ...refusal };
    const { clock, told, errors, watch } = await watched(etcd);
    await clock.settle(30_000);
    expect(told).toEqual(["error"]);
    expect(errors[0]?.message).toContain(refusal?.message);
    expect(etcd.calls.length).toBeLessThan(30);
    etcd.refusal = undefined;
    await clock.settle(4_000);
    expect(told).toEqual(["error", "sync@2 svc/a"]);
    watch.close();
  });

  it("starts over with short waits only when a watch has lasted", async () => {
    const { clock, etcd, watch } = await watched(etcdWith("svc/a"));
    const waited = async (): Promise<number> => {
      const before = etcd.watches.length;
      const start = clock.now();
      etcd.drop();
      while (etcd.watches.length === before) await clock.settle(10);
      return clock.now() - start;
    };
    expect([await waited(), await waited()]).toEqual([200, 320]);
    await clock.settle(900);
    expect(await waited()).toBe(520);
    await clock.settle(1_000);
    expect(await waited()).toBe(200);
    watch.close();
  });

  it.each<[string, Parameters<typeof rangeRpc.encodeResponse>[0], string]>([
    [
      "an answer without a header",
      { header: undefined, kvs: [], more: false, count: 0n },
      "revision",
    ],
    [
      "pages without an end",
      {
        header: { clusterId: 1n, memberId: 1n, revision: 5n, raftTerm: 1n },
        kvs: [],
        more: true,
        count: 9n,
      },
      "not followed by greater keys",
    ],
  ])("refuses %s", async (_name, answer, message) => {
    const etcd = new FakeEtcd();
    etcd.answerRange = () => rangeRpc.encodeResponse(answer);
    const { clock, errors, told, watch } = await watched(etcd);
    await clock.settle(10_000);
    expect(told).toEqual(["error"]);
    expect(errors[0]).toMatchObject({ reason: "UPSTREAM_MALFORMED" });
    expect(errors[0]?.message).toContain(message);
    expect(etcd.calls.length).toBeLessThan(20);
    watch.close();
  });

  it("refuses to join more than fits", async () => {
    const { etcd, errors, watch } = await watched();
    etcd.silent = true;
    etcd.write({ "svc/a": "x".repeat(20 * 1024 * 1024) });
    const [events = []] = etcd.since(1n);
    for (let i = 0; i < 4; i++) etcd.last.answer({ events: [...events], fragment: true });
    expect(errors).toMatchObject([{ reason: "UPSTREAM_MALFORMED" }]);
    expect(etcd.last.open).toBe(false);
    watch.close();
  });

  it("is silent after close, whatever was under way", async () => {
    const { clock, etcd, told, watch } = await watched(etcdWith("svc/a"));
    watch.close();
    watch.close();
    etcd.write({ "svc/b": "x" });
    await clock.settle(60_000);
    expect(told).toEqual(["sync@2 svc/a"]);
    expect(etcd.last.open).toBe(false);
    const slow = new FakeEtcd();
    slow.silent = true;
    const reading = await watched(slow);
    reading.watch.close();
    await reading.clock.settle(60_000);
    expect([reading.told, reading.clock.pending()]).toEqual([[], []]);
  });
});
