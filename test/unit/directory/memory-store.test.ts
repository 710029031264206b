import { describe, expect, it } from "vitest";
import { instanceOf } from "../../../src/core/instance.js";
import { silentLogger } from "../../../src/core/ports.js";
import { createMemoryStore, type MemoryStoreBounds } from "../../../src/directory/memory-store.js";
import type { DirectoryStore } from "../../../src/directory/store.js";
import type { Lease, Registration } from "../../../src/wire/upstream-registration.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";

interface Fixture {
  readonly clock: FakeClock;
  readonly store: DirectoryStore;
  readonly log: string[];
  register(
    name: string,
    more?: Partial<Registration> & { weight?: number; port?: number },
  ): Promise<Lease>;
  listed(service?: string): readonly string[];
}

function fixture(bounds?: MemoryStoreBounds): Fixture {
  const clock = createFakeClock();
  const log: string[] = [];
  const logger = { ...silentLogger, info: (_: object, message: string) => log.push(message) };
  const store = createMemoryStore({ clock, logger, ...(bounds === undefined ? {} : { bounds }) });
  return {
    clock,
    store,
    log,
    register(name, { service = "mnist", ttlMs = 10_000, weight = 100, port } = {}) {
      const host = "10.0.0.1";
      const instance = instanceOf({ name, host, port: port ?? name.charCodeAt(0), weight });
      return store.register({ service, ttlMs, instance });
    },
    listed(service = "mnist") {
      return store.list(service).instances.map(({ name, weight }) => `${name}=${weight}`);
    },
  };
}

describe("createMemoryStore", () => {
  it("lists what is registered, in force until exactly its time", async () => {
    const { clock, store, log, register, listed } = fixture();
    expect(store.list("mnist")).toMatchObject({ known: false, instances: [] });
    const lease = await register("a");
    expect(lease).toMatchObject({ ttlMs: 10_000, weight: 100 });
    clock.advance(9_999);
    expect(listed()).toEqual(["a=100"]);
    clock.advance(1);
    expect(listed()).toEqual([]);
    expect(store.list("mnist").known).toBe(true);
    expect(log).toEqual(["registered", "expired"]);
    await expect(store.keepAlive(lease.id)).rejects.toMatchObject({
      reason: "LEASE_UNKNOWN",
      code: 5,
    });
  });

  it("keeps what is renewed, for the whole time from each renewal", async () => {
    const { clock, store, register, listed } = fixture();
    const { id } = await register("a");
    for (let i = 0; i < 5; i++) {
      clock.advance(9_000);
      expect(await store.keepAlive(id)).toEqual({ id, ttlMs: 10_000, weight: 100 });
    }
    clock.advance(9_999);
    expect(listed()).toEqual(["a=100"]);
    clock.advance(1);
    expect(listed()).toEqual([]);
  });

  it("does not list what is given back; giving back twice is no error", async () => {
    const { store, register, listed } = fixture();
    const { id } = await register("a");
    await store.deregister(id);
    await store.deregister(id);
    await store.deregister("never was");
    expect(listed()).toEqual([]);
  });

  it("lets the newest registration of a name take over", async () => {
    const { clock, store, register, listed } = fixture();
    const first = await register("a", { ttlMs: 5_000 });
    const second = await register("a", { weight: 50, port: 9 });
    expect(listed()).toEqual(["a=50"]);
    await expect(store.keepAlive(first.id)).rejects.toMatchObject({ reason: "LEASE_UNKNOWN" });
    await store.deregister(first.id);
    clock.advance(9_999);
    expect(listed()).toEqual(["a=50"]);
    await store.deregister(second.id);
    expect(listed()).toEqual([]);
  });

  it("lists an address once, with the greatest weight of those who name it", async () => {
    const { register, listed } = fixture();
    await register("a", { port: 9, weight: 1 });
    await register("b", { port: 9, weight: 2 });
    expect(listed()).toEqual(["b=2"]);
  });

  it("prefers an operator's weight, through restarts of the instance, until it is taken back", async () => {
    const { clock, store, register, listed } = fixture();
    const setting = { service: "mnist", instance: "a" };
    const early = await store.setWeight({ ...setting, weight: 5 });
    expect(early.registered).toBe(false);
    expect(store.list("mnist").known).toBe(false);
    expect(await register("a")).toMatchObject({ weight: 5 });
    clock.advance(10_000);
    const { id } = await register("a");
    expect(listed()).toEqual(["a=5"]);
    expect(await store.setWeight({ ...setting, weight: 0 })).toMatchObject({ registered: true });
    expect(listed()).toEqual(["a=0"]);
    expect(await store.keepAlive(id)).toMatchObject({ weight: 0 });
    await store.setWeight({ ...setting, weight: undefined });
    expect(listed()).toEqual(["a=100"]);
  });

  it("changes the version with the list, and with nothing else", async () => {
    const { store, register } = fixture();
    const versions = [store.list("mnist").version];
    const note = (): void => {
      versions.push(store.list("mnist").version);
    };
    const { id } = await register("a");
    note();
    await store.keepAlive(id);
    await register("a");
    await register("z", { service: "other" });
    expect(store.list("mnist").version).toBe(versions[1]);
    expect(store.list("mnist")).toBe(store.list("mnist"));
    await register("a", { weight: 7 });
    note();
    const { version } = await store.setWeight({ service: "mnist", instance: "a", weight: 8 });
    note();
    expect(versions.at(-1)).toBe(version);
    expect(new Set(versions).size).toBe(versions.length);
  });

  it("has other versions after a restart", async () => {
    const [a, b] = [fixture(), fixture()];
    await a.register("a");
    await b.register("a");
    expect(a.store.list("mnist").version).not.toBe(b.store.list("mnist").version);
  });

  it("tells of every change, once, until taken back", async () => {
    const { clock, store, register } = fixture();
    const told: string[] = [];
    const stop = store.onChange((service) => told.push(service));
    const { id } = await register("a");
    await register("a");
    await store.keepAlive(id).catch(() => {});
    clock.advance(10_000);
    expect(told).toEqual(["mnist", "mnist"]);
    stop();
    await register("a");
    expect(told.length).toBe(2);
  });

  it("names services with an instance, and members of groups, ascending", async () => {
    const { store, register } = fixture();
    const { id } = await register("a", { service: "zebra" });
    await register("a", { service: "g.blue" });
    await store.setTraffic({ group: "g", shares: new Map([["green", 1]]) });
    expect(store.services()).toEqual(["g.blue", "g.green", "zebra"]);
    await store.deregister(id);
    expect(store.services()).toEqual(["g.blue", "g.green"]);
  });

  it("ends its timer on close", async () => {
    const { clock, store, register } = fixture();
    await register("a");
    expect(clock.pending()).toMatchObject([{ background: true }]);
    await store.close();
    expect(clock.pending()).toEqual([]);
  });
});

describe("a group", () => {
  const shares = new Map([
    ["blue", 1],
    ["green", 3],
  ]);

  it("gives each member its share, shared out by the weights inside", async () => {
    const { store, register, listed } = fixture();
    await register("a", { service: "g.blue", weight: 10 });
    await register("b", { service: "g.green", weight: 100 });
    await register("c", { service: "g.green", weight: 200 });
    expect(store.list("g").known).toBe(false);
    const version = await store.setTraffic({ group: "g", shares });
    expect(store.list("g")).toMatchObject({ version, correlative: ["blue", "green"], known: true });
    expect(listed("g")).toEqual(["a=25", "b=25", "c=50"]);
    expect(listed("g.green")).toEqual(["b=100", "c=200"]);
  });

  it("follows its members, and tells so", async () => {
    const { store, register, listed } = fixture();
    await store.setTraffic({ group: "g", shares });
    const told: string[] = [];
    store.onChange((service) => told.push(service));
    const before = store.list("g").version;
    await register("a", { service: "g.blue" });
    await register("x", { service: "g.unlisted" });
    expect(listed("g")).toEqual(["a=25"]);
    expect(store.list("g").version).not.toBe(before);
    expect(told.slice(0, 2)).toEqual(["g.blue", "g"]);
    await store.setWeight({ service: "g.blue", instance: "a", weight: 0 });
    expect(listed("g")).toEqual(["a=0"]);
  });

  it("is no service, and a service is no group", async () => {
    const { store, register } = fixture();
    await register("a");
    await expect(store.setTraffic({ group: "mnist", shares })).rejects.toMatchObject({
      reason: "MALFORMED_REQUEST",
    });
    await store.setTraffic({ group: "g", shares });
    await expect(register("a", { service: "g" })).rejects.toMatchObject({
      reason: "MALFORMED_REQUEST",
    });
  });
});

describe("the bounds", () => {
  const full = { code: 8, message: expect.stringContaining("as many as it takes") };

  it("hold for services; one that nobody needs any more makes room", async () => {
    const { store, register } = fixture({
      maxServices: 2,
      maxInstancesPerService: 9,
      maxInstances: 9,
    });
    const { id } = await register("a", { service: "one" });
    await register("a", { service: "two" });
    await expect(register("a", { service: "three" })).rejects.toMatchObject(full);
    await store.deregister(id);
    await register("a", { service: "three" });
    expect(store.list("one").known).toBe(false);
    const group = (name: string): Promise<string> =>
      store.setTraffic({ group: name, shares: new Map([["x", 1]]) });
    await group("g1");
    await group("g2");
    await group("g1");
    await expect(group("g3")).rejects.toMatchObject(full);
  });

  it("hold for instances and weights; a takeover needs no room", async () => {
    const { store, register } = fixture({
      maxServices: 9,
      maxInstancesPerService: 2,
      maxInstances: 3,
    });
    await register("a");
    await register("b");
    await register("b");
    await expect(register("c")).rejects.toMatchObject(full);
    await register("a", { service: "other" });
    await expect(register("b", { service: "other" })).rejects.toMatchObject(full);
    const weigh = (instance: string): Promise<unknown> =>
      store.setWeight({ service: "mnist", instance, weight: 1 });
    await weigh("x");
    await weigh("y");
    await weigh("x");
    await expect(weigh("z")).rejects.toMatchObject(full);
  });

  it("hold for operators' weights and shares over all services", async () => {
    const { store, register } = fixture({
      maxServices: 9,
      maxInstancesPerService: 9,
      maxInstances: 4,
    });
    const weigh = (service: string, instance: string, weight?: number): Promise<unknown> =>
      store.setWeight({ service, instance, weight });
    await register("a");
    for (const name of ["a", "b"]) await weigh("mnist", name, 1);
    for (const service of ["x", "y"]) await weigh(service, "a", 1);
    await expect(weigh("z", "a", 1)).rejects.toMatchObject(full);
    // What has registered goes before what never did.
    await weigh("mnist", "c", 1);
    await weigh("mnist", "d", 1);
    await expect(weigh("mnist", "e", 1)).rejects.toMatchObject(full);
    await weigh("mnist", "d", undefined);
    await store.setTraffic({ group: "g", shares: new Map([["n", 1]]) });
    const two = new Map([
      ["n", 1],
      ["m", 1],
    ]);
    await expect(store.setTraffic({ group: "g", shares: two })).rejects.toMatchObject(full);
    await store.setTraffic({ group: "g", shares: new Map([["m", 1]]) });
  });

  it("never keep a registration out for the sake of weights of what never registered", async () => {
    const { store, register, listed } = fixture({
      maxServices: 2,
      maxInstancesPerService: 9,
      maxInstances: 9,
    });
    await store.setWeight({ service: "x", instance: "a", weight: 1 });
    await store.setWeight({ service: "y", instance: "a", weight: 1 });
    await register("a");
    await register("a", { service: "other" });
    expect([listed(), listed("other")]).toEqual([["a=100"], ["a=100"]]);
  });
});

describe("a group's weights", () => {
  it("are never too small to be taken, and 0 stays 0", async () => {
    const { store, register, listed } = fixture();
    await register("a", { service: "g.n", weight: 1e-6 });
    await register("b", { service: "g.n", weight: 1_000_000 });
    await register("c", { service: "g.n", weight: 0 });
    await register("d", { service: "g.m", weight: 1 });
    const shares = new Map([
      ["n", 1e-6],
      ["m", 1_000_000],
    ]);
    await store.setTraffic({ group: "g", shares });
    expect(listed("g")).toEqual(["d=99.9999999999", "a=0.000001", "b=0.000001", "c=0"]);
  });
});
