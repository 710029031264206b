import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/core/seeded-random.js";
import { etcdFaults, runEtcd } from "../finding/etcd.js";
import { runJournal } from "../finding/journal.js";
import { runLeases } from "../finding/leases.js";
import { runPoll } from "../finding/poll.js";
import { directoryRegistry, etcdRegistry, kubernetesRegistry } from "../finding/registry.js";
import { runReplicas } from "../finding/replicas.js";
import { type RerouteFigures, runReroute } from "../finding/reroute.js";
import { runSize } from "../finding/size.js";
import { etcdTool } from "../support/etcd-server.js";

// The least of `npm run finding`, and nothing that is measured in milliseconds.
const ports = { random: seededRandom(1), print() {} };
const withoutEtcd = etcdTool.missing;
const { note } = etcdTool;

describe("a client whose instances come, go and change their weights", () => {
  const rounds = 2;

  function expectAllFollowed({ afterMs, missed, outcomes }: RerouteFigures, kinds = 4): void {
    expect(missed).toBe(0);
    expect([...afterMs.values()].map((list) => list.length)).toEqual(Array(kinds).fill(rounds));
    expect(outcomes.beyond(["OK"])).toBe(0);
  }

  it("follows each change at a directory, and fails no call", { timeout: 30_000 }, async () => {
    expectAllFollowed(await runReroute("directory", directoryRegistry, { rounds }, ports));
  });

  it("follows each change of a slice, and fails no call", { timeout: 30_000 }, async () => {
    expectAllFollowed(await runReroute("Kubernetes", kubernetesRegistry, { rounds }, ports), 2);
  });

  it.skipIf(withoutEtcd)(
    `follows each change in etcd, and fails no call${note}`,
    { timeout: 30_000 },
    async () => {
      expectAllFollowed(await runReroute("etcd", etcdRegistry, { rounds }, ports));
    },
  );
});

describe("a client whose list is polled", () => {
  it("follows each change of EAS's JSON, and fails no call", { timeout: 30_000 }, async () => {
    const { reroutedMs, missed, outcomes } = await runPoll({ changes: 2 }, ports);
    expect([reroutedMs.length, missed, outcomes.beyond(["OK"])]).toEqual([2, 0, 0]);
  });
});

describe("a directory's journal", () => {
  it("has every acknowledged write after each kill, and none by half", {
    timeout: 60_000,
  }, async () => {
    const seen = await runJournal({ kills: 4, seed: 1 });
    expect(seen.acknowledged).toBeGreaterThan(0);
    expect(seen).toMatchObject({ kills: 4, missing: 0, half: 0, unopened: 0 });
  });
});

describe.skipIf(withoutEtcd)(`two directories over one etcd, killed in turn${note}`, () => {
  it("fail no call, and lose no registration", { timeout: 60_000 }, async () => {
    const size = { durationMs: 3_000, killEveryMs: 1_500, leaseTtlMs: 3_000 };
    const seen = await runReplicas(size, ports);
    expect(seen.kills).toBeGreaterThan(0);
    expect(seen.outcomes.of("OK")).toBeGreaterThan(0);
    expect([seen.outcomes.beyond(["OK"]), seen.lost, seen.stale]).toEqual([0, 0, 0]);
  });
});

describe("a list of hundreds of instances", () => {
  it("is taken from every kind of answer, whole and by one change", {
    timeout: 60_000,
  }, async () => {
    const figures = await runSize({ instances: 300, changes: 5, seed: 1 });
    expect(figures.every(({ firstList }) => firstList.count > 0)).toBe(true);
    expect(figures.some(({ change }) => (change?.count ?? 0) > 0)).toBe(true);
  });
});

describe.skipIf(withoutEtcd)(`a client whose etcd goes away in every way${note}`, () => {
  it("fails no call, and sees what has changed meanwhile", { timeout: 60_000 }, async () => {
    const seen = await runEtcd({ rounds: 1, longestAwayMs: 1_200 }, ports);
    expect(seen.outcomes.of("OK")).toBeGreaterThan(0);
    expect(seen.outcomes.beyond(["OK"])).toBe(0);
    expect([seen.faults, seen.unseen]).toEqual([4, 0]);
    expect(etcdFaults).toHaveLength(4);
  });
});

describe.skipIf(withoutEtcd)(`etcd, stopped for longer than a lease${note}`, () => {
  it("costs no call and no instance, by directories over it and without", {
    timeout: 60_000,
  }, async () => {
    const seen = await runLeases({ stops: 1, leaseTtlMs: 2_000 }, ports);
    for (const { outcomes, gaps, unseen } of seen) {
      expect(outcomes.of("OK")).toBeGreaterThan(0);
      expect([outcomes.beyond(["OK"]), gaps, unseen]).toEqual([0, 0, 0]);
    }
  });
});
