import { describe, expect, it, vi } from "vitest";
import { InstancePool } from "../../../../src/client/pool/instance-pool.js";
import type { Instance } from "../../../../src/core/instance.js";
import { silentLogger } from "../../../../src/core/ports.js";
import { seededRandom } from "../../../../src/core/seeded-random.js";
import { instanceFrom } from "../../../support/client-channel.js";
import { FakeTransports } from "../../../support/client-fake-transport.js";
import { fakePool } from "../../../support/client-pool.js";
import { createFakeClock } from "../../../support/fake-clock.js";
import { defaultPoolPolicy } from "../../../support/pool-policy.js";

function poolOf(...entries: readonly string[]) {
  const transports = new FakeTransports();
  const clock = createFakeClock();
  const pool = new InstancePool({
    createTransport: transports.create,
    clock,
    random: seededRandom(3),
    logger: silentLogger,
    policy: { ...defaultPoolPolicy, idleTimeoutMs: Number.POSITIVE_INFINITY },
    onEjected() {},
  });
  const update = (...list: readonly string[]): void => pool.update(list.map(instanceFrom));
  update(...entries);
  /** Picks and connects, as a call does. */
  const use = (excluded?: ReadonlySet<string>) => {
    const member = pool.pick(excluded);
    member?.transport.connect();
    return member?.key.split(":")[1];
  };
  const to = (port: string) => transports.to(`127.0.0.1:${port}`);
  return { pool, transports, clock, update, use, to };
}

describe("InstancePool: connections", () => {
  it("connects to nothing before it is asked to", () => {
    const { transports, clock } = poolOf("1", "2");
    expect(transports.all).toEqual([]);
    expect(clock.pending()).toEqual([]);
  });

  it("gives up a connection that does not come up in connectTimeoutMs, and makes it anew", () => {
    const { pool, transports, clock, use, to } = poolOf("1");
    use();
    clock.advance(2_099);
    expect(pool.usable).toBe(1);
    clock.advance(1);
    expect(to("1").state).toBe("closed");
    expect(pool.usable).toBe(0);
    clock.advance(240);
    expect(transports.all).toHaveLength(2);
    to("1").become("ready");
    expect(pool.usable).toBe(1);
    // The log is told that it is back when it has stayed so.
    clock.advance(3_000);
    expect(clock.pending()).toEqual([]);
  });

  it("tries again after 200 ms, then less and less often but within a second, with timers that hold nobody up", () => {
    const { transports, clock, use, to } = poolOf("1");
    use();
    const waits: number[] = [];
    for (let n = 0; n < 12; n++) {
      to("1").become("failed");
      const [timer] = clock.pending();
      expect(timer?.background).toBe(true);
      waits.push((timer?.dueMs ?? 0) - clock.now());
      clock.advance(waits.at(-1) ?? 0);
      expect(transports.all).toHaveLength(n + 2);
    }
    expect(waits[0]).toBeGreaterThanOrEqual(160);
    expect(waits[0]).toBeLessThanOrEqual(240);
    for (const wait of waits) expect(wait).toBeLessThan(1_000);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(640);
  });

  it("keeps an instance whose connection broke out of the picks until it is back", () => {
    const { pool, clock, use, to } = poolOf("1", "2");
    for (let n = 0; n < 2; n++) use();
    to("1").become("ready");
    to("2").become("ready");
    clock.advance(60_000);
    to("1").become("idle");
    expect(to("1").connects).toBe(3);
    expect([use(), use(), use()]).toEqual(["2", "2", "2"]);
    to("1").become("ready");
    expect(pool.usable).toBe(2);
    expect([use(), use()].sort()).toEqual(["1", "2"]);
  });

  it("does not hurry back to an instance that accepts and drops", () => {
    const { transports, clock, use, to } = poolOf("1");
    use();
    to("1").become("ready");
    clock.advance(999);
    to("1").become("idle");
    expect(to("1").state).toBe("closed");
    expect(transports.all).toHaveLength(1);
    clock.advance(240);
    expect(transports.all).toHaveLength(2);
  });
});

describe("InstancePool: lists", () => {
  it("keeps the connection of what stays, closes that of what goes, whatever the order", () => {
    const { pool, transports, update, use, to } = poolOf("1", "2", "3");
    for (let n = 0; n < 3; n++) use();
    for (const port of ["1", "2", "3"]) to(port).become("ready");
    update("3", "4", "1");
    expect(transports.all.map(({ state }) => state).toSorted()).toEqual([
      "closed",
      "connecting",
      "ready",
      "ready",
    ]);
    expect([to("2").state, to("4").state]).toEqual(["closed", "connecting"]);
    expect(pool.usable).toBe(2);
  });

  it("changes a weight in place", () => {
    const { transports, update, use, to } = poolOf("1=100", "2=100");
    use();
    use();
    to("1").become("ready");
    to("2").become("ready");
    update("1=300", "2=100");
    const picks = Array.from({ length: 40 }, () => use());
    expect(picks.filter((port) => port === "1")).toHaveLength(30);
    expect(transports.all).toHaveLength(2);
  });

  it("stops trying to reach what is no longer listed", () => {
    const { clock, update, use, to } = poolOf("1");
    use();
    to("1").become("failed");
    update();
    expect(clock.pending()).toEqual([]);
  });

  it("begins anew with an instance that comes back", () => {
    const { transports, update, use } = poolOf("1");
    use();
    update();
    update("1");
    use();
    expect(transports.all.map(({ state }) => state)).toEqual(["closed", "connecting"]);
  });

  it("connects at once to what joins while another is connected, and picks it when that has worked", () => {
    const { pool, update, use, to } = poolOf("1");
    use();
    to("1").become("ready");
    update("1", "2");
    expect(to("2").state).toBe("connecting");
    expect([use(), use(), use(), pool.usable]).toEqual(["1", "1", "1", 1]);
    to("2").become("ready");
    expect([use(), use()].sort()).toEqual(["1", "2"]);
  });

  it("never picks what joins and cannot be reached, but goes on trying", () => {
    const { transports, clock, update, use, to } = poolOf("1");
    use();
    to("1").become("ready");
    update("1", "2");
    to("2").become("failed");
    update("1", "2");
    clock.advance(240);
    expect(transports.all).toHaveLength(3);
    expect([use(), use(), use()]).toEqual(["1", "1", "1"]);
  });

  it("counts what joins until it has been reached, or cannot be", () => {
    const { pool, update, use, to } = poolOf("1");
    use();
    to("1").become("ready");
    update("1", "2", "3");
    expect(pool.counts()).toMatchObject({ usable: 1, joining: 2, unreachable: 0 });
    to("2").become("ready");
    expect(pool.counts()).toMatchObject({ usable: 2, joining: 1 });
    update("3");
    expect(pool.whyNone()).toEqual({ reason: "CONNECT_FAILED", text: "1 not reached yet" });
    update("1");
    expect(pool.counts()).toMatchObject({ listed: 1, usable: 1, joining: 0 });
  });

  it("opens nothing to whom the list does not have any more", () => {
    const { pool, transports, update } = poolOf("1", "2");
    const members = [pool.pick(), pool.pick()];
    members[0]?.transport.connect();
    update("3");
    for (const member of members) expect(() => member?.transport).toThrow("is listed no more");
    expect(transports.all.map(({ state }) => state)).toEqual(["closed"]);
  });

  it("wakes those who wait when all of a list is taken over, not in between", () => {
    const made = fakePool({}, "1", "2", "3");
    made.connect("1", "2", "3");
    for (const port of ["1", "2", "3"]) made.healthOf(port).say(false);
    expect(made.pool.usable).toBe(0);
    const picked: (string | undefined)[] = [];
    made.pool.wait(() => picked.push(made.pool.pick()?.key));
    made.update("1=0", "4");
    expect(picked).toEqual(["127.0.0.1:4"]);
  });

  it("treats a weight that rises from 0 as joining", () => {
    const { transports, update, use, to } = poolOf("1", "2=0");
    use();
    to("1").become("ready");
    expect(transports.all).toHaveLength(1);
    update("1", "2=100");
    expect(to("2").state).toBe("connecting");
    expect([use(), use(), use()]).toEqual(["1", "1", "1"]);
  });

  it("leaves the first list, and one that replaces all who are connected, to calls", () => {
    const { pool, transports, update, use, to } = poolOf("1", "2", "3");
    use();
    to("1").become("ready");
    update("1", "2", "3");
    expect(transports.all).toHaveLength(1);
    update("4", "5");
    expect([transports.all.length, pool.usable]).toEqual([1, 2]);
  });

  it("knows no candidate when all weights are 0", () => {
    const { pool, use, update } = poolOf("1=0", "2=0");
    expect([use(), pool.hasWeighted]).toEqual([undefined, false]);
    update("1=0", "2=1");
    expect([use(), pool.hasWeighted]).toEqual(["2", true]);
  });
});

describe("InstancePool: picks", () => {
  it("picks another instance than the excluded ones, or any when there is no other", () => {
    const { pool, use } = poolOf("1", "2");
    const one = new Set(["127.0.0.1:1"]);
    expect([use(one), use(one)]).toEqual(["2", "2"]);
    const both = new Set(["127.0.0.1:1", "127.0.0.1:2"]);
    expect(use(both)).toBeDefined();
    expect([pool.hasOther(one), pool.hasOther(both)]).toEqual([true, false]);
  });

  it("counts neither unusable nor weightless instances as others", () => {
    const { pool, use, to } = poolOf("1", "2", "3=0");
    use();
    use();
    to("2").become("failed");
    expect(pool.hasOther(new Set(["127.0.0.1:1"]))).toBe(false);
    expect(pool.hasOther(new Set(["127.0.0.1:2"]))).toBe(true);
  });

  it("wakes those who wait, once, and tries again at once for them", () => {
    const { pool, transports, clock, use, to } = poolOf("1");
    use();
    for (let n = 0; n < 6; n++) {
      to("1").become("failed");
      clock.advance(6_000);
    }
    to("1").become("failed");
    const made = transports.all.length;
    const woken = vi.fn();
    clock.advance(200);
    pool.wait(woken);
    clock.advance(0);
    expect(transports.all).toHaveLength(made + 1);
    to("1").become("ready");
    to("1").become("idle");
    expect(woken).toHaveBeenCalledTimes(1);
  });

  it("goes on trying every 200 ms as long as somebody waits, whoever began", () => {
    const { pool, transports, clock, use, to } = poolOf("1");
    use();
    for (let n = 0; n < 6; n++) {
      to("1").become("failed");
      clock.advance(1_000);
    }
    to("1").become("failed");
    const stop = pool.wait(() => {});
    pool.wait(() => {});
    stop();
    const made = transports.all.length;
    for (let ms = 0; ms < 2_000; ms++) {
      clock.advance(1);
      to("1").become("failed");
    }
    // The first of them less than 200 ms after the wait began.
    expect(transports.all).toHaveLength(made + 11);
  });

  it("does not put a try off for the sake of those who wait", () => {
    const ports = Array.from({ length: 300 }, (_, index) => String(index + 1));
    const { pool, transports, clock, to } = poolOf(...ports);
    for (const _ of ports) pool.pick()?.transport.connect();
    for (const port of ports) to(port).become("failed");
    pool.wait(() => {});
    clock.advance(240);
    expect(transports.all).toHaveLength(600);
  });

  it("hurries to no more than a thousand instances a second", () => {
    const ports = Array.from({ length: 300 }, (_, index) => String(index + 1));
    const { pool, transports, clock } = poolOf(...ports);
    for (const _ of ports) pool.pick()?.transport.connect();
    pool.wait(() => {});
    let failed = 0;
    const failAll = (): void => {
      for (; failed < transports.all.length; failed++) transports.all[failed]?.become("failed");
    };
    for (let ms = 0; ms < 2_000; ms += 10) {
      failAll();
      clock.advance(10);
    }
    const made = transports.all.length;
    for (let ms = 0; ms < 2_000; ms += 10) {
      failAll();
      clock.advance(10);
    }
    expect(transports.all.length - made).toBeLessThanOrEqual(2_100);
    expect(transports.all.length - made).toBeGreaterThanOrEqual(1_800);
  });

  it("forgets who no longer waits", () => {
    const { pool, update, use, to } = poolOf("1");
    use();
    to("1").become("failed");
    const woken = vi.fn();
    pool.wait(woken)();
    update("1", "2");
    expect(woken).not.toHaveBeenCalled();
  });

  it("closes everything, and stays closed", () => {
    const { pool, clock, update, use, to } = poolOf("1", "2");
    use();
    use();
    to("2").become("failed");
    pool.close();
    update("1");
    expect(to("1").state).toBe("closed");
    expect([pool.usable, clock.pending()]).toEqual([0, []]);
  });
});

describe("InstancePool: changes", () => {
  it("touches only those that a change names", () => {
    const { pool, transports, use, to } = poolOf("1", "2", "3");
    for (let n = 0; n < 3; n++) use();
    for (const port of ["1", "2", "3"]) to(port).become("ready");
    const instances = new Proxy<Instance[]>([], {
      get() {
        throw new Error("the list was looked at");
      },
    });
    const changed = [instanceFrom("1=300"), instanceFrom("4")];
    pool.update(instances, { changed, removed: ["127.0.0.1:2", "127.0.0.1:9"] });
    expect([to("2").state, to("4").state, transports.all.length]).toEqual([
      "closed",
      "connecting",
      4,
    ]);
    const picks = Array.from({ length: 40 }, () => use());
    expect([picks.filter((port) => port === "1").length, picks.includes("4")]).toEqual([30, false]);
    to("4").become("ready");
    expect(pool.usable).toBe(3);
  });

  it("spreads those who enter together over the schedule", () => {
    const first = (seed: number): string | undefined => {
      const pool = new InstancePool({
        createTransport: new FakeTransports().create,
        clock: createFakeClock(),
        random: seededRandom(seed),
        logger: silentLogger,
        policy: { ...defaultPoolPolicy, idleTimeoutMs: Number.POSITIVE_INFINITY },
        onEjected() {},
      });
      pool.update([instanceFrom("1=1")]);
      const changed = ["2=3", "3=2"].map(instanceFrom);
      pool.update([instanceFrom("1=1"), ...changed], { changed, removed: [] });
      return pool.pick()?.key;
    };
    const picked = new Set(Array.from({ length: 40 }, (_, seed) => first(seed)));
    expect(picked.size).toBeGreaterThan(1);
  });

  it("wakes those who wait also by a change of nobody", () => {
    const { pool, use, to } = poolOf("1");
    use();
    to("1").become("failed");
    const woken = vi.fn();
    pool.wait(woken);
    pool.update([instanceFrom("1")], { changed: [], removed: [] });
    expect(woken).toHaveBeenCalledTimes(1);
  });
});
