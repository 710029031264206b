import { describe, expect, it } from "vitest";
import { instanceOf } from "../../../src/core/instance.js";
import { silentLogger } from "../../../src/core/ports.js";
import { createMemoryStore } from "../../../src/directory/memory-store.js";
import type { DirectoryStore } from "../../../src/directory/store.js";
import { SETTLE_MS } from "../../../src/wire/upstream.js";
import type { Lease } from "../../../src/wire/upstream-registration.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { recordingLogger } from "../../support/recording-logger.js";
import { createStoppedClock } from "../../support/stopped-clock.js";

interface Fixture {
  readonly clock: FakeClock;
  readonly store: DirectoryStore;
  readonly log: string[];
  register(name: string, more?: { holder?: string; weight?: number }): Promise<Lease>;
  listed(): readonly string[];
}

function fixture(): Fixture {
  const clock = createFakeClock();
  const log: string[] = [];
  const logger = { ...silentLogger, info: (_: object, message: string) => log.push(message) };
  const store = createMemoryStore({ clock, logger });
  return {
    clock,
    store,
    log,
    register(name, { holder = "", weight = 100 } = {}) {
      const instance = instanceOf({ name, host: "10.0.0.1", port: name.charCodeAt(0), weight });
      return store.register({ service: "mnist", ttlMs: 10_000, holder, instance });
    },
    listed: () => store.list("mnist").instances.map(({ name, weight }) => `${name}=${weight}`),
  };
}

// What every store does is in test/conformance/store-suite.ts.
describe("createMemoryStore", () => {
  it("lists what is registered until exactly its time, counted from each renewal", async () => {
    const { clock, store, register, listed } = fixture();
    const lease = await register("a");
    for (let i = 0; i < 5; i++) {
      clock.advance(9_000);
      expect(await store.keepAlive(lease.id)).toEqual(lease);
    }
    clock.advance(9_999);
    expect(listed()).toEqual(["a=100"]);
    clock.advance(1);
    expect(listed()).toEqual([]);
  });

  it("counts a registration of the same holder as a renewal", async () => {
    const { clock, register, listed } = fixture();
    const holder = "holder-of-sixteen-and-more";
    for (let i = 0; i < 3; i++) {
      await register("a", { holder });
      clock.advance(9_000);
    }
    expect(listed()).toEqual(["a=100"]);
    clock.advance(1_000);
    expect(listed()).toEqual([]);
  });

  it("notes what happens, once each, and nothing of renewals", async () => {
    const { clock, store, log, register } = fixture();
    const holder = "holder-of-sixteen-and-more";
    await register("a", { holder });
    await register("a", { holder });
    await register("a", { holder, weight: 1 });
    await register("a");
    await store.setWeight({ service: "mnist", instance: "a", weight: 1 });
    await store.setWeight({ service: "mnist", instance: "a", weight: 1 });
    clock.advance(10_000);
    expect(log).toEqual([
      "registered",
      "registered again, changed",
      "registered, taking over",
      "weight set",
      "expired",
    ]);
  });

  it("tells listeners exactly once of each change", async () => {
    const { clock, store, register } = fixture();
    const told: string[] = [];
    store.onChange((service) => told.push(service));
    await register("a");
    await register("a");
    clock.advance(10_000);
    expect(told).toEqual(["mnist", "mnist"]);
  });

  it("has other versions after a restart", async () => {
    const [a, b] = [fixture(), fixture()];
    await a.register("a");
    await b.register("a");
    expect(a.store.list("mnist").version).not.toBe(b.store.list("mnist").version);
  });

  it("is settled when all who run have had the time to register, and tells so", async () => {
    const { clock, store, register } = fixture();
    await register("a");
    const { version, settled } = store.list("mnist");
    expect(settled).toBe(false);
    const told: string[] = [];
    store.onChange((service) => told.push(service));
    clock.advance(SETTLE_MS);
    expect(told).toContain("mnist");
    expect(store.list("mnist").settled).toBe(true);
    expect(store.list("mnist").version).not.toBe(version);
    expect(store.list("unheard-of").settled).toBe(true);
  });

  it("keeps no process alive, and ends its timers on close", async () => {
    const { clock, store, register } = fixture();
    await register("a");
    expect(clock.pending().every(({ background }) => background)).toBe(true);
    await store.close();
    expect(clock.pending()).toEqual([]);
  });

  it("lets leases hold longer by the time in which the process was stopped, and is unsettled then", async () => {
    const clock = createStoppedClock();
    const { lines, logger } = recordingLogger();
    const store = createMemoryStore({ clock, logger });
    const instance = instanceOf({ name: "a", host: "10.0.0.1", port: 1 });
    const state = () => {
      const { instances, settled } = store.list("mnist");
      return [instances.length, settled];
    };
    const { id } = await store.register({ service: "mnist", ttlMs: 10_000, holder: "", instance });
    clock.advance(9_000);
    await store.keepAlive(id);
    clock.advance(9_000);
    expect(state()).toEqual([1, true]);
    clock.stop(60_000);
    clock.advance(0);
    expect(state()).toEqual([1, false]);
    expect(lines.filter(({ level }) => level === "warn")).toMatchObject([
      { fields: { stallMs: 60_000 }, message: expect.stringContaining("stood still") },
    ]);
    await store.keepAlive(id);
    clock.advance(9_000);
    await store.keepAlive(id);
    clock.advance(SETTLE_MS - 9_000);
    expect(state()).toEqual([1, true]);
    clock.advance(10_000);
    expect(state()).toEqual([0, true]);
    await store.close();
  });
});
