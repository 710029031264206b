import { describe, expect, it } from "vitest";
import { Status } from "../../../src/core/status.js";
import { createEtcdClient, type EtcdClient } from "../../../src/etcd/etcd-client.js";
import type { AttemptEnd } from "../../../src/transport/transport.js";
import { rangeOfPrefix, rangeRpc } from "../../../src/wire/etcd.js";
import { FakeEtcd } from "../../support/etcd-fake-transport.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";

const request = { ...rangeOfPrefix("svc/"), limit: 10n };

interface Fixture {
  readonly etcd: FakeEtcd;
  readonly clock: FakeClock;
  readonly client: EtcdClient;
}

function fixture(members = ["one", "two", "three"]): Fixture {
  const etcd = new FakeEtcd();
  const clock = createFakeClock();
  const client = createEtcdClient({
    members: members.map((host) => ({ host, port: 2379 })),
    tls: undefined,
    clock,
    random: () => 0,
    connect: etcd.connect,
  });
  return { etcd, clock, client };
}

function refuse(etcd: FakeEtcd, members: readonly string[], end: Partial<AttemptEnd>): void {
  etcd.refused = members.map((member) => `${member}:2379`);
  etcd.refusal = end;
}

describe("createEtcdClient", () => {
  it("stays with the member that answers, and begins with any of them", async () => {
    const { etcd, client } = fixture();
    expect(etcd.openTransports).toBe(0);
    for (let i = 0; i < 3; i++) await client.call(rangeRpc, request);
    expect(etcd.calls).toEqual(Array(3).fill("one:2379 Range"));
    const other = createEtcdClient({
      members: [
        { host: "one", port: 2379 },
        { host: "two", port: 2379 },
      ],
      tls: undefined,
      clock: createFakeClock(),
      random: () => 0.9,
      connect: etcd.connect,
    });
    await other.call(rangeRpc, request);
    expect(etcd.calls.at(-1)).toBe("two:2379 Range");
    client.close();
    other.close();
    expect(etcd.openTransports).toBe(0);
  });

  const notDone: Partial<AttemptEnd> = { reason: "CONNECT_FAILED" };
  const refused: Partial<AttemptEnd> = { reason: "CALL_REFUSED" };
  const noLeader: Partial<AttemptEnd> = {
    reason: "CALL_FAILED",
    remote: true,
    message: "etcdserver: no leader",
  };
  const full: Partial<AttemptEnd> = {
    reason: "CALL_FAILED",
    remote: true,
    code: Status.RESOURCE_EXHAUSTED,
    message: "etcdserver: mvcc: database space exceeded",
  };
  it.each<[string, Partial<AttemptEnd>, boolean, number]>([
    ["cannot be reached", notDone, false, 2],
    ["cannot be reached", notDone, true, 2],
    ["has refused the call", refused, false, 2],
    ["has no leader", noLeader, true, 2],
    ["has no leader", noLeader, false, 1],
    ["is lost", { reason: "CONNECTION_LOST" }, true, 2],
    ["is lost", { reason: "CONNECTION_LOST" }, false, 1],
    ["is out of quota", full, true, 1],
  ])("when a member %s (%j, repeatable: %s) asks %i", async (_name, end, repeatable, asked) => {
    const { etcd, client } = fixture();
    refuse(etcd, ["one"], end);
    const answer = client.call(rangeRpc, request, { repeatable });
    if (asked === 1) await expect(answer).rejects.toMatchObject({ name: "CallError" });
    else expect((await answer).header?.revision).toBe(1n);
    expect(etcd.calls.length).toBe(asked);
    // The next call goes to another member, unless what was said would be said by all.
    await client.call(rangeRpc, request).catch(() => {});
    expect(etcd.calls.at(-1)).toBe(end === full ? "one:2379 Range" : "two:2379 Range");
    client.close();
  });

  it("asks each member once, and throws what the last one said", async () => {
    const { etcd, client } = fixture();
    refuse(etcd, ["one", "two", "three"], notDone);
    await expect(client.call(rangeRpc, request)).rejects.toMatchObject({
      reason: "CONNECT_FAILED",
      instance: "three:2379",
    });
    expect(etcd.calls.length).toBe(3);
    client.close();
  });

  it("leaves time for the others when a member hangs, and ends in time when all do", async () => {
    const { etcd, clock, client } = fixture();
    etcd.silent = true;
    const start = clock.now();
    const answer = client.call(rangeRpc, request, { repeatable: true, timeoutMs: 3_000 });
    const failed = expect(answer).rejects.toMatchObject({ reason: "DEADLINE_EXCEEDED" });
    await clock.settle(1_000);
    expect(etcd.calls).toEqual(["one:2379 Range", "two:2379 Range"]);
    await clock.settle(2_000);
    await failed;
    expect(clock.now() - start).toBe(3_000);
    expect(clock.pending()).toEqual([]);
    client.close();
  });

  it("gives a call that may not be repeated all the time there is, on one member", async () => {
    const { etcd, clock, client } = fixture();
    etcd.silent = true;
    const answer = client.call(rangeRpc, request, { timeoutMs: 3_000 });
    const failed = expect(answer).rejects.toMatchObject({ reason: "DEADLINE_EXCEEDED" });
    await clock.settle(3_000);
    await failed;
    expect(etcd.calls.length).toBe(1);
    client.close();
  });

  it("ends by its signal, and holds that against nobody", async () => {
    const { etcd, client } = fixture();
    etcd.silent = true;
    const controller = new AbortController();
    const answer = client.call(rangeRpc, request, { repeatable: true, signal: controller.signal });
    controller.abort();
    await expect(answer).rejects.toMatchObject({ reason: "CANCELLED" });
    etcd.silent = false;
    await client.call(rangeRpc, request);
    expect(etcd.calls).toEqual(["one:2379 Range", "one:2379 Range"]);
    client.close();
  });
});
