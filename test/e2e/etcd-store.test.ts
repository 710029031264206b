import { execFileSync } from "node:child_process";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { instanceOf } from "../../src/core/instance.js";
import { silentLogger } from "../../src/core/ports.js";
import { Status } from "../../src/core/status.js";
import { openEtcdStore } from "../../src/directory/etcd/etcd-store.js";
import type { DirectoryStore } from "../../src/directory/store.js";
import { tableBounds } from "../../src/directory/table-bounds.js";
import type { Registration } from "../../src/wire/upstream-registration.js";
import { debianTool } from "../support/debian-tool.js";
import { type EtcdServer, etcdTool, startEtcd } from "../support/etcd-server.js";
import { openStoreOver } from "../support/etcd-store.js";
import { createFakeClock } from "../support/fake-clock.js";
import { freePort } from "../support/free-port.js";
import { recordingLogger } from "../support/recording-logger.js";
import { until } from "../support/until.js";

const etcdctl = debianTool("etcdctl", "etcd-client");
const missing = etcdTool.missing || etcdctl.missing;
const note = etcdTool.note || etcdctl.note;

describe.skipIf(missing)(`openEtcdStore${note}`, () => {
  let etcd: EtcdServer;
  let tests = 0;
  const stores: DirectoryStore[] = [];

  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    tests += 1;
  });
  afterAll(() => etcd[Symbol.asyncDispose]());

  /** Every test has a prefix of its own. */
  const prefix = (): string => `test${tests}/`;

  async function opened(logger = silentLogger, bounds = tableBounds): Promise<DirectoryStore> {
    const store = await openStoreOver(etcd, { prefix: prefix(), bounds }, logger);
    stores.push(store);
    return store;
  }

  const two = async (): Promise<readonly [DirectoryStore, DirectoryStore]> => [
    await opened(),
    await opened(),
  ];

  function ctl(...args: readonly string[]): string {
    const env = { ...process.env, ETCDCTL_API: "3", ETCDCTL_ENDPOINTS: etcd.address };
    return execFileSync(etcdctl.required(), args, { env, encoding: "utf8" });
  }

  const valueAt = (key: string): unknown => {
    const text = ctl("get", "--print-value-only", `${prefix()}${key}`);
    return text === "" ? undefined : JSON.parse(text);
  };

  const of = (
    name: string,
    { port = 80, weight = 100, ttlMs = 10_000, holder = "", service = "mnist" } = {},
  ): Registration => ({
    service,
    instance: instanceOf({ name, host: "10.0.0.1", port, weight, app: service }),
    ttlMs,
    holder,
  });

  const listed = (store: DirectoryStore, service = "mnist"): readonly string[] =>
    store
      .list(service)
      .instances.map(({ name, key, weight }) => `${name}@${key}*${weight}`)
      .sort();

  const holder = (n: number): string => `holder-number-${n}-of-the-test`;

  it("lists at one what registers at the other, and at one that starts later", async () => {
    const [a, b] = await two();
    const { id, ttlMs } = await a.register(of("x/y z"));
    expect(ttlMs).toBe(10_000);
    expect(listed(a)).toEqual(["x/y z@10.0.0.1:80*100"]);
    await until(() => listed(b).length === 1);
    expect(b.list("mnist")).toMatchObject({ known: true, settled: false, stale: false });
    expect(listed(await opened())).toEqual(listed(a));
    await b.deregister(id);
    expect(listed(b)).toEqual([]);
    await until(() => listed(a).length === 0);
    expect((await opened()).list("mnist").known).toBe(true);
  });

  it("writes etcd's naming convention with the weight in force, and no secret", async () => {
    const [a] = await two();
    const secret = holder(1);
    await a.register(of("x", { weight: 7, holder: secret }));
    expect(valueAt("mnist/x")).toMatchObject({
      Op: 0,
      Addr: "10.0.0.1:80",
      Metadata: { weight: 7, registeredWeight: 7, app: "mnist", ttlMs: 10_000 },
    });
    await a.setWeight({ service: "mnist", instance: "x", weight: 3 });
    expect(valueAt("mnist/x")).toMatchObject({ Metadata: { weight: 3, registeredWeight: 7 } });
    await a.setWeight({ service: "mnist", instance: "x", weight: undefined });
    expect(valueAt("mnist/x")).toMatchObject({ Metadata: { weight: 7, registeredWeight: 7 } });
    expect(ctl("get", "--prefix", prefix())).not.toContain(secret);
  });

  it("keeps the lease of one holder, whichever directory it registers with, at the same moment too", async () => {
    const [a, b] = await two();
    const leasesAtEtcd = (): number => Number(/found (\d+) leases/.exec(ctl("lease", "list"))?.[1]);
    const leasesBefore = leasesAtEtcd();
    const same = of("x", { holder: holder(1) });
    const leases = await Promise.all([
      a.register(same),
      b.register(same),
      a.register(same),
      b.register(same),
    ]);
    expect(new Set(leases.map(({ id }) => id)).size).toBe(1);
    const changed = await b.register({ ...same, instance: { ...same.instance, weight: 5 } });
    expect(changed.id).toBe(leases[0]?.id);
    await until(() => listed(a)[0] === "x@10.0.0.1:80*5");
    for (const store of [a, b]) {
      expect(await store.keepAlive(changed.id)).toMatchObject({ ttlMs: 10_000, weight: 5 });
    }
    // Those that came second at the same moment had leases of their own, which are given back.
    await until(() => leasesAtEtcd() === leasesBefore + 1);
  });

  it("gives the name to another holder, whose predecessor loses the lease everywhere", async () => {
    const [a, b] = await two();
    const first = await a.register(of("x", { holder: holder(1) }));
    const second = await b.register(of("x", { holder: holder(2), port: 81 }));
    for (const store of [a, b]) {
      await expect(store.keepAlive(first.id)).rejects.toMatchObject({ reason: "LEASE_UNKNOWN" });
      expect((await store.keepAlive(second.id)).id).toBe(second.id);
    }
    await a.deregister(first.id);
    expect(listed(b)).toEqual(["x@10.0.0.1:81*100"]);
    const nameless = [await a.register(of("y")), await a.register(of("y"))];
    await expect(b.keepAlive(nameless[0]?.id ?? "")).rejects.toMatchObject({
      reason: "LEASE_UNKNOWN",
    });
    expect((await b.keepAlive(nameless[1]?.id ?? "")).weight).toBe(100);
  });

  it("lets nobody renew or end a lease who has read etcd", async () => {
    const [a] = await two();
    const { id } = await a.register(of("x", { holder: holder(1) }));
    const [lease, instance] = id.split(".");
    const value = JSON.stringify(valueAt("mnist/x"));
    const hash = /"holder":"([0-9a-f]{64})"/.exec(value)?.[1];
    expect(hash).toBeDefined();
    for (const forged of [
      `${lease}.${instance}.${hash}`,
      `${lease}.${instance}.${holder(2)}`,
      `${lease}`,
    ]) {
      await expect(a.keepAlive(forged)).rejects.toMatchObject({ reason: "LEASE_UNKNOWN" });
      await a.deregister(forged);
    }
    expect(listed(a)).toEqual(["x@10.0.0.1:80*100"]);
  });

  it("ends what nobody renews, after the lease that etcd granted", async () => {
    const [a, b] = await two();
    const { id, ttlMs } = await a.register(of("x", { ttlMs: 2_400 }));
    expect(ttlMs).toBe(3_000);
    await until(() => listed(b).length === 1);
    await until(() => listed(b).length === 0, 10_000);
    await expect(b.keepAlive(id)).rejects.toMatchObject({ reason: "LEASE_UNKNOWN" });
    expect(b.list("mnist")).toMatchObject({ known: true, instances: [] });
  });

  it("holds an operator's weight against whoever registers at the same moment", async () => {
    const [a, b] = await two();
    for (let n = 0; n < 10; n += 1) {
      const name = `x${n}`;
      const [, lease] = await Promise.all([
        a.setWeight({ service: "mnist", instance: name, weight: 3 }),
        b.register(of(name, { port: 100 + n })),
      ]);
      await until(() => listed(a).includes(`${name}@10.0.0.1:${100 + n}*3`));
      expect(valueAt(`mnist/${name}`)).toMatchObject({
        Metadata: { weight: 3, registeredWeight: 100 },
      });
      expect((await a.keepAlive(lease.id)).weight).toBe(3);
    }
    await b.deregister((await b.register(of("x1", { port: 101 }))).id);
    expect((await a.register(of("x1", { port: 101 }))).weight).toBe(3);
  });

  it("undoes at one directory what another has done a moment ago", async () => {
    const [a, b] = await two();
    await a.register(of("x"));
    for (const weight of [1, 2, 1, 2, 1]) {
      await a.setWeight({ service: "mnist", instance: "x", weight });
      const { registered } = await b.setWeight({
        service: "mnist",
        instance: "x",
        weight: undefined,
      });
      expect([registered, listed(b)]).toEqual([true, ["x@10.0.0.1:80*100"]]);
      await until(() => listed(a)[0] === "x@10.0.0.1:80*100");
    }
  });

  it("shares the traffic of a group out, and takes no service for a group", async () => {
    const [a, b] = await two();
    await a.register(of("x", { service: "shop.blue" }));
    await a.register(of("y", { service: "shop.green", port: 81 }));
    await b.setTraffic({
      group: "shop",
      shares: new Map([
        ["blue", 90],
        ["green", 10],
      ]),
    });
    await until(() => listed(a, "shop").length === 2);
    expect(a.list("shop")).toMatchObject({ correlative: ["blue", "green"], known: true });
    expect(listed(a, "shop")).toEqual(["x@10.0.0.1:80*90", "y@10.0.0.1:81*10"]);
    await a.setTraffic({ group: "shop", shares: new Map([["blue", 1]]) });
    expect(listed(a, "shop")).toEqual(["x@10.0.0.1:80*100"]);
    await expect(b.register(of("z", { service: "shop" }))).rejects.toMatchObject({
      reason: "MALFORMED_REQUEST",
    });
    await expect(
      b.setTraffic({ group: "mnist", shares: new Map([["a", 1]]) }),
    ).resolves.toBeDefined();
    await expect(a.register(of("z"))).rejects.toMatchObject({ reason: "MALFORMED_REQUEST" });
    const outcomes = await Promise.allSettled([
      a.register(of("z", { service: "both" })),
      b.setTraffic({ group: "both", shares: new Map([["a", 1]]) }),
    ]);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("lists what others write there, and leaves what makes no sense as it is", async () => {
    const { logger, lines } = recordingLogger();
    const a = await opened(logger);
    const put = (key: string, value: string): string =>
      ctl("put", "--", `${prefix()}${key}`, value);
    put("mnist/go", '{"Op":0,"Addr":"10.0.0.9:90","Metadata":null}');
    put("mnist/v6", '{"Op":0,"Addr":"[::1]:90","Metadata":{"weight":5}}');
    put("mnist/number", '{"Addr":"10.0.0.8:90","Metadata":4}');
    const senseless = [
      "mnist/a",
      "mnist/b",
      "nonsense",
      ".weight/mnist/go",
      ".traffic/g",
      ".traffic/__proto__",
    ];
    for (const key of senseless) put(key, "{");
    put("mnist/c", '{"Op":0,"Addr":"example.org:80"}');
    put("mnist/d", '{"Op":1,"Addr":"10.0.0.7:80"}');
    put("mnist/e", '{"Op":0,"Addr":"10.0.0.7:80","Metadata":{"weight":-1}}');
    put("mnist/z", '{"Op":0,"Addr":"10.0.0.7:80","Metadata":{"weight":1e999}}');
    const expected = ["go@10.0.0.9:90*100", "number@10.0.0.8:90*4", "v6@[::1]:90*5"];
    await a.register(of("last", { service: "other" }));
    expect(listed(a)).toEqual(expected);
    expect(listed(await opened())).toEqual(expected);
    expect(lines.filter((line) => JSON.stringify(line).includes("make no sense"))).toHaveLength(1);
    await a.setWeight({ service: "mnist", instance: "go", weight: 8 });
    expect(listed(a)[0]).toBe("go@10.0.0.9:90*8");
    expect(valueAt("mnist/go")).toMatchObject({ Metadata: null });
    for (const key of ["mnist/a", "nonsense", ".traffic/g"]) {
      expect(ctl("get", "--print-value-only", `${prefix()}${key}`)).toBe("{\n");
    }
  });

  it("takes no more than it has room for, and forgets services without instances", async () => {
    const a = await opened(silentLogger, {
      maxServices: 2,
      maxInstancesPerService: 2,
      maxInstances: 3,
    });
    const { id } = await a.register(of("x", { service: "s1" }));
    await a.register(of("x", { service: "s2" }));
    await expect(a.register(of("x", { service: "s3" }))).rejects.toMatchObject({
      reason: "FORBIDDEN",
    });
    await a.deregister(id);
    await a.register(of("x", { service: "s3" }));
    expect(
      ctl("get", "--prefix", "--keys-only", `${prefix()}.known/`).split(/\s+/).filter(Boolean),
    ).toEqual([`${prefix()}.known/s2`, `${prefix()}.known/s3`]);
    await a.register(of("y", { service: "s3" }));
    await expect(a.register(of("z", { service: "s3" }))).rejects.toMatchObject({
      reason: "FORBIDDEN",
    });
    await expect(a.register(of("z", { service: "s2" }))).rejects.toMatchObject({
      reason: "FORBIDDEN",
    });
  });

  it("goes on reading while etcd is away, says so, and takes writes again when it is back", async () => {
    const { logger, lines } = recordingLogger();
    const a = await opened(logger);
    const { id } = await a.register(of("x", { ttlMs: 30_000 }));
    await etcd.kill();
    await until(() => a.list("mnist").stale);
    expect(listed(a)).toEqual(["x@10.0.0.1:80*100"]);
    const failed = { reason: "STORE_FAILED", code: Status.UNAVAILABLE };
    await expect(a.register(of("y"))).rejects.toMatchObject(failed);
    await expect(a.keepAlive(id)).rejects.toMatchObject(failed);
    await expect(a.setWeight({ service: "mnist", instance: "x", weight: 1 })).rejects.toMatchObject(
      failed,
    );
    await expect(a.setTraffic({ group: "g", shares: new Map([["a", 1]]) })).rejects.toMatchObject(
      failed,
    );
    await until(() => JSON.stringify(lines).includes("etcd does not answer"), 5_000);
    await etcd.start();
    await until(() => !a.list("mnist").stale, 10_000);
    expect(await a.keepAlive(id)).toMatchObject({ id, weight: 100 });
    await a.register(of("y", { port: 81 }));
    expect(listed(a)).toHaveLength(2);
    const texts = lines.map((line) => JSON.stringify(line));
    expect(texts.filter((text) => text.includes("etcd does not answer"))).toHaveLength(1);
    expect(texts.filter((text) => text.includes("etcd is back"))).toHaveLength(1);
  });

  it("fails writes within seconds while etcd is stopped, and goes on afterwards", async () => {
    const a = await opened();
    const { id } = await a.register(of("x", { ttlMs: 30_000 }));
    etcd.signal("SIGSTOP");
    try {
      await until(() => a.list("mnist").stale);
      await expect(a.keepAlive(id)).rejects.toMatchObject({ reason: "STORE_FAILED" });
    } finally {
      etcd.signal("SIGCONT");
    }
    await until(() => !a.list("mnist").stale, 10_000);
    expect((await a.keepAlive(id)).id).toBe(id);
  });

  it("says with etcd's words why it does not write", async () => {
    await using small = await startEtcd(["--quota-backend-bytes", "65536"]);
    const { logger, lines } = recordingLogger();
    const store = await openStoreOver(small, { prefix: "full/" }, logger);
    stores.push(store);
    await until(async () => {
      const outcome = await store
        .setTraffic({
          group: "g",
          shares: new Map(
            Array.from({ length: 100 }, (_, n) => [`${"m".repeat(200)}${n}`, Math.random()]),
          ),
        })
        .catch((thrown: unknown) => thrown);
      return outcome instanceof Error && /database space exceeded/.test(outcome.message);
    }, 20_000);
    await expect(store.register(of("x"))).rejects.toMatchObject({
      reason: "STORE_FAILED",
      message: expect.stringContaining("database space exceeded"),
    });
    const warnings = lines.filter(({ level }) => level === "warn");
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining("etcd refuses writes"),
    ]);
  });

  it("stops opening at the signal", async () => {
    const members = [{ host: "127.0.0.1", port: await freePort() }];
    const stop = new AbortController();
    const clock = createFakeClock();
    const options = { members, prefix: "x/", clock, random: Math.random, tls: undefined };
    const { signal } = stop;
    const opening = openEtcdStore({ ...options, logger: silentLogger, signal });
    const refused = expect(opening).rejects.toMatchObject({ name: "AbortError" });
    await clock.settle(100);
    stop.abort();
    await refused;
    expect(clock.pending()).toEqual([]);
  });

  it("does not open without etcd, and names its members", async () => {
    const clock = createFakeClock();
    const members = [{ host: "127.0.0.1", port: await freePort() }];
    const logger = silentLogger;
    const options = { members, prefix: "x/", clock, random: Math.random, logger, tls: undefined };
    const refused = expect(openEtcdStore(options)).rejects.toMatchObject({
      reason: "STORE_FAILED",
      message: expect.stringContaining(`127.0.0.1:${members[0]?.port}`),
    });
    await clock.settle(10_000);
    await refused;
  });
});
