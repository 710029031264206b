import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { instanceOf } from "../../src/core/instance.js";
import type { DirectoryStore } from "../../src/directory/store.js";
import type { TableBounds } from "../../src/directory/table-bounds.js";
import type { ListedInstance, UpstreamDifference, UpstreamList } from "../../src/wire/upstream.js";
import type { Lease, Registration } from "../../src/wire/upstream-registration.js";

/** What a test can do to a store besides using it. */
export interface StoreDriver {
  readonly store: DirectoryStore;
  /** Lets a lease end as if its holder had died, and the list show it; the others hold. */
  expire(lease: Lease, others: readonly Lease[]): Promise<void>;
  /** Closes the store and opens another one over what it has kept; left out where nothing is kept. */
  reopen?(): Promise<StoreDriver>;
  /** Takes away what the store learns from, and gives it back; left out where it cannot be taken away. */
  readonly engine?: { lose(): Promise<void>; regain(): Promise<void> };
  /** Closes the store, and removes what it leaves behind. */
  close(): Promise<void>;
}

/** Makes an empty store. */
export type CreateStoreDriver = (options?: { bounds?: TableBounds }) => Promise<StoreDriver>;

/** What is asked of a store besides, as far as it applies. */
export interface StoreSuiteOptions {
  /** Whether it reopens, loses its engine. */
  readonly keeps?: boolean;
  readonly loses?: boolean;
  /** Whether its bounds are its own, so that a service that nobody needs makes room. */
  readonly bounded?: boolean;
  /** Runs of the property test. */
  readonly runs?: number;
}

/** Long enough that nothing ends by itself where time is real. */
const TTL_MS = 60_000;

const HOLDER = "holder-of-sixteen-and-more";

interface Fixture extends Omit<StoreDriver, "expire"> {
  /** All that were given out. */
  readonly leases: Set<Lease>;
  expire(lease: Lease): Promise<void>;
  register(
    name: string,
    more?: Partial<Registration> & { weight?: number; port?: number },
  ): Promise<Lease>;
  listed(service?: string): readonly string[];
}

/** Registers tests only where they apply, so that none shows up as skipped. */
function when(applies: boolean): (what: string, tests: () => void) => void {
  return applies ? describe : () => {};
}

/** Runs the contract of `DirectoryStore` over one implementation. */
export function describeStore(
  name: string,
  create: CreateStoreDriver,
  { keeps = false, loses = false, bounded = true, runs = 20 }: StoreSuiteOptions = {},
): void {
  const open: StoreDriver[] = [];

  afterEach(async () => {
    for (const driver of open.splice(0).reverse()) await driver.close();
  });

  function fixtureOf(driver: StoreDriver, leases = new Set<Lease>()): Fixture {
    open.push(driver);
    const { store } = driver;
    return {
      ...driver,
      leases,
      async expire(lease) {
        await driver.expire(
          lease,
          [...leases].filter(({ id }) => id !== lease.id),
        );
      },
      async register(instanceName, more = {}) {
        const { service = "mnist", ttlMs = TTL_MS, holder = "", weight = 100, port } = more;
        const host = "10.0.0.1";
        const instance = instanceOf({
          name: instanceName,
          host,
          port: port ?? instanceName.charCodeAt(0),
          weight,
          app: "mnist",
        });
        const lease = await store.register({ service, ttlMs, holder, instance });
        leases.add(lease);
        return lease;
      },
      listed(service = "mnist") {
        return store
          .list(service)
          .instances.map((one) => `${one.name}=${one.weight}`)
          .sort();
      },
    };
  }

  async function fixture(options?: { bounds?: TableBounds }): Promise<Fixture> {
    return fixtureOf(await create(options));
  }

  async function reopened(before: Fixture): Promise<Fixture> {
    const after = await before.reopen?.();
    if (after === undefined) throw new Error(`the driver of ${name} cannot reopen`);
    open.splice(0, 1);
    return fixtureOf(after, before.leases);
  }

  const lost = { reason: "LEASE_UNKNOWN" };

  describe(`${name}: registrations`, () => {
    it("are listed until they end, are given back, or are not renewed", async () => {
      const { store, register, listed, expire } = await fixture();
      expect(store.list("mnist")).toMatchObject({ known: false, instances: [] });
      const a = await register("a");
      const b = await register("b");
      expect(a).toMatchObject({ weight: 100 });
      expect(a.ttlMs).toBeGreaterThanOrEqual(TTL_MS);
      expect(listed()).toEqual(["a=100", "b=100"]);
      expect(await store.keepAlive(a.id)).toEqual(a);
      await expire(a);
      expect(listed()).toEqual(["b=100"]);
      await expect(store.keepAlive(a.id)).rejects.toMatchObject(lost);
      await store.deregister(b.id);
      await store.deregister(b.id);
      await store.deregister("never was");
      expect(store.list("mnist")).toMatchObject({ known: true, instances: [] });
    });

    it("carry everything that was registered", async () => {
      const { store } = await fixture();
      const v6 = instanceOf({
        name: "a b/c",
        host: "fd00::1",
        port: 65_535,
        weight: 0.5,
        app: "x",
      });
      await store.register({ service: "g.m_1", ttlMs: TTL_MS, holder: "", instance: v6 });
      expect(store.list("g.m_1").instances).toEqual([v6]);
      expect(store.list("g.m_1")).toMatchObject({
        correlative: ["g.m_1"],
        shares: new Map(),
        stale: false,
      });
    });

    it("give a name to the newest, who takes the lease", async () => {
      const { store, register, listed } = await fixture();
      const first = await register("a");
      const second = await register("a", { weight: 50, port: 9 });
      expect(second.id).not.toBe(first.id);
      expect(listed()).toEqual(["a=50"]);
      await expect(store.keepAlive(first.id)).rejects.toMatchObject(lost);
      await store.deregister(first.id);
      expect(listed()).toEqual(["a=50"]);
      await store.deregister(second.id);
      expect(listed()).toEqual([]);
    });

    it("of one holder keep their lease, whatever changes", async () => {
      const { store, register, listed } = await fixture();
      const first = await register("a", { holder: HOLDER });
      const { version } = store.list("mnist");
      expect(await register("a", { holder: HOLDER })).toEqual(first);
      expect(store.list("mnist").version).toBe(version);
      const moved = await register("a", { holder: HOLDER, weight: 7, port: 9 });
      expect(moved).toMatchObject({ id: first.id, weight: 7 });
      expect(listed()).toEqual(["a=7"]);
      expect(await store.keepAlive(first.id)).toMatchObject({ weight: 7 });
    });

    it("of another holder, or of none, take over", async () => {
      const { store, register } = await fixture();
      let held = await register("a", { holder: HOLDER });
      for (const holder of ["another-holder-than-that", "", "", HOLDER]) {
        const next = await register("a", { holder });
        expect(next.id).not.toBe(held.id);
        await expect(store.keepAlive(held.id)).rejects.toMatchObject(lost);
        held = next;
      }
      const elsewhere = await register("a", { holder: HOLDER, service: "other" });
      expect(elsewhere.id).not.toBe(held.id);
      await store.keepAlive(held.id);
    });

    it("at one address are listed once, with the greatest weight of those who hold", async () => {
      const { store, register, listed } = await fixture();
      await register("a", { port: 9, weight: 1 });
      const b = await register("b", { port: 9, weight: 2 });
      expect(listed()).toEqual(["b=2"]);
      await store.setWeight({ service: "mnist", instance: "b", weight: 0 });
      expect(listed()).toEqual(["a=1"]);
      await store.setWeight({ service: "mnist", instance: "b", weight: 3 });
      expect(listed()).toEqual(["b=3"]);
      await store.deregister(b.id);
      expect(listed()).toEqual(["a=1"]);
    });

    it("all hold when many come at once", async () => {
      const { register, listed } = await fixture();
      const ports = Array.from({ length: 50 }, (_, index) => 1_000 + index);
      await Promise.all(ports.map((port) => register(`i${port}`, { port })));
      expect(listed().length).toBe(50);
    });
  });

  describe(`${name}: operators' weights`, () => {
    it("win, through restarts of the instance, until they are taken back", async () => {
      const { store, register, listed, expire } = await fixture();
      const setting = { service: "mnist", instance: "a" };
      const early = await store.setWeight({ ...setting, weight: 5 });
      expect(early.registered).toBe(false);
      expect(store.list("mnist").known).toBe(false);
      const first = await register("a");
      expect(first).toMatchObject({ weight: 5 });
      expect(store.list("mnist").instances).toMatchObject([{ weight: 5, registeredWeight: 100 }]);
      await expire(first);
      const { id } = await register("a");
      expect(listed()).toEqual(["a=5"]);
      const zero = await store.setWeight({ ...setting, weight: 0 });
      expect(zero).toEqual({ registered: true, version: store.list("mnist").version });
      expect(listed()).toEqual(["a=0"]);
      expect(await store.keepAlive(id)).toMatchObject({ weight: 0 });
      await store.setWeight({ ...setting, weight: undefined });
      await store.setWeight({ ...setting, weight: undefined });
      expect(listed()).toEqual(["a=100"]);
      expect(store.list("mnist").instances[0]?.registeredWeight).toBeUndefined();
    });
  });

  describe(`${name}: lists`, () => {
    it("have another version whenever anything in them changes, and only then", async () => {
      const { store, register } = await fixture();
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

    it("tell of every change of theirs, until taken back", async () => {
      const { store, register, expire } = await fixture();
      const told = new Set<string>();
      const stop = store.onChange((service) => told.add(service));
      const heard = (): readonly string[] => {
        const names = [...told].sort();
        told.clear();
        return names;
      };
      const lease = await register("a");
      expect(heard()).toContain("mnist");
      await store.keepAlive(lease.id);
      expect(heard()).toEqual([]);
      await store.setWeight({ service: "mnist", instance: "a", weight: 1 });
      expect(heard()).toEqual(["mnist"]);
      await expire(lease);
      expect(heard()).toEqual(["mnist"]);
      stop();
      await register("a");
      expect(heard()).toEqual([]);
    });

    it("are of services with an instance, and members of groups, ascending", async () => {
      const { store, register } = await fixture();
      const { id } = await register("a", { service: "zebra" });
      await register("a", { service: "g.blue" });
      await store.setTraffic({ group: "g", shares: new Map([["green", 1]]) });
      expect(store.services()).toEqual(["g.blue", "g.green", "zebra"]);
      await store.deregister(id);
      expect(store.services()).toEqual(["g.blue", "g.green"]);
    });

    it("follow from an older one and the difference", async () => {
      const { store, register } = await fixture();
      expect(store.difference("mnist", "nonsense")).toBeUndefined();
      for (const one of "abcdef") await register(one);
      const { version } = store.list("mnist");
      expect(store.difference("mnist", version)).toEqual({ changed: [], removed: [] });
      const { id } = await register("b", { weight: 9 });
      await register("g");
      await store.deregister((await register("c")).id);
      expect(store.difference("mnist", version)).toMatchObject({
        changed: expect.arrayContaining([
          expect.objectContaining({ name: "b", weight: 9 }),
          expect.objectContaining({ name: "g" }),
        ]),
        removed: ["10.0.0.1:99"],
      });
      await store.deregister(id);
      expect(store.difference("mnist", version)?.removed.length).toBe(2);
      expect(store.difference("other", version)).toBeUndefined();
    });

    it("follow from any older one and the difference, whatever happened between", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { maxLength: 40 }), async (steps) => {
          const { store, register, close } = await fixture();
          for (const one of "vwxyz") await register(one);
          const ids = new Map<string, string>();
          const lists = [store.list("mnist")];
          for (const step of steps) {
            await take(step, store, register, ids);
            checkDifferences(store, lists);
            lists.push(store.list("mnist"));
          }
          const versions = new Map(lists.map((list) => [list.version, byKey(list.instances)]));
          for (const { version, instances } of lists) {
            expect(versions.get(version)).toEqual(byKey(instances));
          }
          open.pop();
          await close();
        }),
        { numRuns: runs },
      );
    });
  });

  describe(`${name}: groups`, () => {
    const shares = new Map([
      ["blue", 1],
      ["green", 3],
    ]);

    it("give each member its share, shared out by the weights inside", async () => {
      const { store, register, listed } = await fixture();
      await register("a", { service: "g.blue", weight: 10 });
      await register("b", { service: "g.green", weight: 100 });
      await register("c", { service: "g.green", weight: 200 });
      expect(store.list("g").known).toBe(false);
      const version = await store.setTraffic({ group: "g", shares });
      expect(store.list("g")).toMatchObject({
        version,
        correlative: ["blue", "green"],
        known: true,
        shares,
      });
      expect(listed("g")).toEqual(["a=25", "b=25", "c=50"]);
      expect(listed("g.green")).toEqual(["b=100", "c=200"]);
    });

    it("change all their shares in one step", async () => {
      const { store, register } = await fixture();
      await register("a", { service: "g.blue" });
      await register("b", { service: "g.green" });
      const seen = new Set<string>();
      store.onChange((service) => {
        if (service !== "g") return;
        const { instances, shares: now } = store.list("g");
        const weights = instances.map((one) => `${one.name}=${one.weight}`).sort();
        seen.add(`${weights.join(" ")} ${[...now.keys()].sort().join("+")}`);
      });
      await store.setTraffic({ group: "g", shares });
      await store.setTraffic({
        group: "g",
        shares: new Map([
          ["green", 1],
          ["blue", 1],
        ]),
      });
      await store.setTraffic({ group: "g", shares: new Map([["green", 1]]) });
      expect([...seen]).toEqual(["a=25 b=75 blue+green", "a=50 b=50 blue+green", "b=100 green"]);
    });

    it("change only from the shares that are expected, of two at once for one", async () => {
      const { store } = await fixture();
      const none = new Map<string, number>();
      await store.setTraffic({ group: "g", shares, expected: none });
      const changed = { reason: "SHARES_CHANGED" };
      const other = { group: "g", shares: new Map([["green", 1]]) };
      await expect(store.setTraffic({ ...other, expected: none })).rejects.toMatchObject(changed);
      const both = await Promise.allSettled([
        store.setTraffic({ ...other, expected: shares }),
        store.setTraffic({ group: "g", shares: new Map([["blue", 1]]), expected: shares }),
      ]);
      expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      expect(both.find(({ status }) => status === "rejected")).toMatchObject({ reason: changed });
      const won = both[0].status === "fulfilled" ? "green" : "blue";
      expect([...store.list("g").shares]).toEqual([[won, 1]]);
    });

    it("give the share of a member without instances to the others", async () => {
      const { store, register, listed } = await fixture();
      await register("a", { service: "g.blue" });
      await store.setTraffic({ group: "g", shares });
      expect(listed("g")).toEqual(["a=25"]);
      const b = await register("b", { service: "g.green" });
      expect(listed("g")).toEqual(["a=25", "b=75"]);
      await store.deregister(b.id);
      expect(listed("g")).toEqual(["a=25"]);
    });

    it("follow their members, and tell so", async () => {
      const { store, register, listed } = await fixture();
      await store.setTraffic({ group: "g", shares });
      const told = new Set<string>();
      store.onChange((service) => told.add(service));
      const before = store.list("g").version;
      await register("a", { service: "g.blue" });
      expect([...told].sort()).toEqual(["g", "g.blue"]);
      await register("x", { service: "g.unlisted" });
      expect(listed("g")).toEqual(["a=25"]);
      expect(store.list("g").version).not.toBe(before);
      expect(store.difference("g", before)).toBeUndefined();
      await store.setWeight({ service: "g.blue", instance: "a", weight: 0 });
      expect(listed("g")).toEqual(["a=0"]);
    });

    it("are no services, and services no groups", async () => {
      const { store, register } = await fixture();
      const malformed = { reason: "MALFORMED_REQUEST" };
      await register("a");
      await expect(store.setTraffic({ group: "mnist", shares })).rejects.toMatchObject(malformed);
      await store.setTraffic({ group: "g", shares });
      await expect(register("a", { service: "g" })).rejects.toMatchObject(malformed);
      const weight = { service: "g", instance: "a", weight: 1 };
      await expect(store.setWeight(weight)).rejects.toMatchObject(malformed);
    });
  });

  when(bounded)(`${name}: bounds`, () => {
    const full = { code: 8, message: expect.stringContaining("as many as it takes") };

    it("hold for services; one that nobody needs any more makes room", async () => {
      const { store, register } = await fixture({
        bounds: { maxServices: 2, maxInstancesPerService: 9, maxInstances: 9 },
      });
      const { id } = await register("a", { service: "one" });
      await register("a", { service: "two" });
      await expect(register("a", { service: "three" })).rejects.toMatchObject(full);
      await store.deregister(id);
      await register("a", { service: "three" });
      expect(store.list("one").known).toBe(false);
      const group = (groupName: string): Promise<string> =>
        store.setTraffic({ group: groupName, shares: new Map([["x", 1]]) });
      await group("g1");
      await group("g2");
      await group("g1");
      await expect(group("g3")).rejects.toMatchObject(full);
    });

    it("hold for instances and weights; a takeover needs no room", async () => {
      const { store, register } = await fixture({
        bounds: { maxServices: 9, maxInstancesPerService: 2, maxInstances: 3 },
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
  });

  when(keeps)(`${name}: opened again`, () => {
    it("knows everything that was acknowledged", async () => {
      const first = await fixture();
      const shares = new Map([
        ["blue", 1],
        ["green", 3.5],
      ]);
      const a = await first.register("a", { holder: HOLDER });
      await first.store.deregister((await first.register("b")).id);
      await first.register("a", { service: "g.blue" });
      await first.store.deregister((await first.register("gone", { service: "was" })).id);
      // One of them is refused, before the restart and after it.
      const none = new Map<string, number>();
      const turned = new Map([
        ["blue", 3],
        ["green", 1],
      ]);
      await Promise.allSettled([
        first.store.setTraffic({ group: "g", shares, expected: none }),
        first.store.setTraffic({ group: "g", shares: turned, expected: none }),
      ]);
      const { shares: shared } = first.store.list("g");
      await first.store.setWeight({ service: "mnist", instance: "a", weight: 5 });
      await first.store.setWeight({ service: "later", instance: "z", weight: 6 });
      const before = first.store.list("mnist");

      const { store, register, listed } = await reopened(first);
      expect(listed()).toEqual(["a=5"]);
      expect(store.list("mnist").instances).toEqual(before.instances);
      expect(store.list("g")).toMatchObject({ shares: shared, known: true });
      expect(store.list("was")).toMatchObject({ known: true, instances: [] });
      expect(store.services()).toEqual(["g.blue", "g.green", "mnist"]);
      expect(await store.keepAlive(a.id)).toMatchObject({ id: a.id, weight: 5 });
      expect((await register("a", { holder: HOLDER })).id).toBe(a.id);
      expect(await register("z", { service: "later" })).toMatchObject({ weight: 6 });
      expect((await register("a")).id).not.toBe(a.id);
    });

    it("still ends a lease that nobody renews", async () => {
      const first = await fixture();
      const a = await first.register("a");
      await first.register("b");
      const second = await reopened(first);
      await second.expire(a);
      expect(second.listed()).toEqual(["b=100"]);
      const third = await reopened(second);
      expect(third.listed()).toEqual(["b=100"]);
    });
  });

  when(loses)(`${name}: without what it learns from`, () => {
    it("keeps its lists and says that they are stale, until it is back", async () => {
      const { store, register, listed, engine } = await fixture();
      await register("a");
      const before = store.list("mnist").version;
      const told: string[] = [];
      store.onChange((service) => told.push(service));
      await engine?.lose();
      expect(store.list("mnist").stale).toBe(true);
      expect(store.list("mnist").version).not.toBe(before);
      expect(listed()).toEqual(["a=100"]);
      expect(told).toContain("mnist");
      await expect(register("b")).rejects.toMatchObject({ reason: "STORE_FAILED" });
      await engine?.regain();
      expect(store.list("mnist").stale).toBe(false);
      await register("b");
      expect(listed()).toEqual(["a=100", "b=100"]);
    });
  });
}

interface Step {
  readonly kind: "register" | "deregister" | "weigh";
  readonly name: string;
  readonly port: number;
  readonly weight: number;
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("register", "deregister", "weigh"),
  name: fc.constantFrom("a", "b", "c", "d", "e"),
  port: fc.integer({ min: 1, max: 4 }),
  weight: fc.integer({ min: 0, max: 3 }),
});

async function take(
  { kind, name, port, weight }: Step,
  store: DirectoryStore,
  register: Fixture["register"],
  ids: Map<string, string>,
): Promise<void> {
  if (kind === "register") ids.set(name, (await register(name, { port, weight })).id);
  else if (kind === "deregister") await store.deregister(ids.get(name) ?? "none");
  else {
    const inForce = weight === 3 ? undefined : weight;
    await store.setWeight({ service: "mnist", instance: name, weight: inForce });
  }
}

function checkDifferences(store: DirectoryStore, before: readonly UpstreamList[]): void {
  const now = store.list("mnist");
  for (const { version, instances } of before) {
    const difference = store.difference("mnist", version);
    if (difference === undefined) continue;
    expect(applied(instances, difference)).toEqual(byKey(now.instances));
  }
}

function byKey(instances: readonly ListedInstance[]): ReadonlyMap<string, ListedInstance> {
  return new Map([...instances].map((one) => [one.key, one]));
}

/** What a reader makes of a list and a difference. */
function applied(
  instances: readonly ListedInstance[],
  { changed, removed }: UpstreamDifference,
): ReadonlyMap<string, ListedInstance> {
  const listed = new Map(byKey(instances));
  for (const key of removed) listed.delete(key);
  for (const one of changed) listed.set(one.key, one);
  return listed;
}
