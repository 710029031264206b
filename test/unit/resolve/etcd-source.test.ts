import { describe, expect, it } from "vitest";
import { type Logger, silentLogger } from "../../../src/core/ports.js";
import { createEtcdSource, type EtcdSourceOptions } from "../../../src/resolve/etcd/etcd-source.js";
import type { Source } from "../../../src/resolve/source.js";
import { parseTarget } from "../../../src/resolve/target/target.js";
import { FakeEtcd, type FakeWrites } from "../../support/etcd-fake-transport.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { createSourceRecorder, type SourceRecorder } from "../../support/source-recorder.js";

interface Fixture {
  readonly etcd: FakeEtcd;
  readonly clock: FakeClock;
  readonly recorder: SourceRecorder;
  readonly source: Source;
}

async function started(
  writes: FakeWrites = {},
  options: Partial<EtcdSourceOptions> = {},
): Promise<Fixture> {
  const etcd = new FakeEtcd();
  if (Object.keys(writes).length > 0) etcd.write(writes);
  const clock = createFakeClock();
  const recorder = createSourceRecorder();
  const target = parseTarget("etcd://one:2379,two:2379//services/mnist");
  if (target.kind !== "etcd") throw new Error(target.kind);
  const source = createEtcdSource(target, {
    clock,
    random: () => 0,
    logger: silentLogger,
    pollIntervalMs: 5_000,
    connect: etcd.connect,
    ...options,
  });
  source.start(recorder);
  await clock.settle();
  return { etcd, clock, recorder, source };
}

function item(addr: string, metadata?: unknown): string {
  return JSON.stringify({ Op: 0, Addr: addr, Metadata: metadata });
}

const a = "/services/mnist/a";
const b = "/services/mnist/b";
const c = "/services/mnist/c";

describe("createEtcdSource", () => {
  it("lists what stands below its prefix, and nothing else", async () => {
    const { recorder, source } = await started({
      [a]: item("10.0.0.1:80"),
      [b]: item("10.0.0.2:80", { weight: 5 }),
      "/services/mnist2/x": item("10.0.0.9:80"),
      "/services/mnist": item("10.0.0.9:81"),
    });
    expect(recorder.last).toMatchObject({
      version: 1,
      service: "mnist",
      source: "etcd://one:2379,two:2379//services/mnist",
      stale: false,
      instances: [{ name: "a" }, { name: "b" }],
    });
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100", "10.0.0.2:80=5"]);
    await source.close();
  });

  it("tells the first change after a quiet time at once, those behind it together", async () => {
    const { etcd, clock, recorder, source } = await started({ [a]: item("10.0.0.1:80") });
    await clock.settle(100);
    for (let i = 2; i < 100; i++) etcd.write({ [`${b}${i}`]: item(`10.0.0.${i}:80`) });
    expect(recorder.snapshots.length).toBe(2);
    await clock.settle(50);
    expect(recorder.snapshots.length).toBe(3);
    expect(recorder.listed().length).toBe(99);
    await clock.settle(50);
    etcd.write({ [a]: undefined });
    expect(recorder.listed().length).toBe(98);
    await source.close();
  });

  it("tells a weight that flips within a burst as it is in the end", async () => {
    const { etcd, clock, recorder, source } = await started({ [a]: item("10.0.0.1:80") });
    for (let i = 0; i < 1_001; i++) {
      etcd.write({ [a]: item("10.0.0.1:80", i % 2 === 0 ? 1_000_000 : 0) });
    }
    await clock.settle(100);
    expect(recorder.listed()).toEqual(["10.0.0.1:80=1000000"]);
    expect(recorder.snapshots.length).toBeLessThan(4);
    await source.close();
  });

  it("tells an empty prefix as an empty list", async () => {
    const { etcd, clock, recorder, source } = await started();
    expect(recorder.last).toMatchObject({ version: 1, instances: [], stale: false });
    await clock.settle(100);
    etcd.write({ [a]: item("10.0.0.1:80") });
    await clock.settle(100);
    etcd.write({ [a]: undefined });
    expect(recorder.last).toMatchObject({ version: 3, instances: [], stale: false });
    await source.close();
  });

  it("takes the greatest weight of an address that stands there twice", async () => {
    const { etcd, clock, recorder, source } = await started({
      [a]: item("10.0.0.1:80", 5),
      [b]: item("10.0.0.1:80", 7),
      [c]: item("10.0.0.1:80", 7),
    });
    expect(recorder.last?.instances).toMatchObject([{ name: "b", weight: 7 }]);
    await clock.settle(100);
    etcd.write({ [b]: undefined });
    await clock.settle(100);
    expect(recorder.last?.instances).toMatchObject([{ name: "c", weight: 7 }]);
    etcd.write({ [c]: item("10.0.0.3:80", 7) });
    await clock.settle(100);
    expect(recorder.listed()).toEqual(["10.0.0.1:80=5", "10.0.0.3:80=7"]);
    await source.close();
  });

  it("leaves out and counts what makes no sense, and does not list what is marked deleted", async () => {
    const warnings: object[] = [];
    const logger: Logger = { ...silentLogger, warn: (fields) => warnings.push(fields) };
    const { etcd, clock, recorder, source } = await started(
      { [a]: item("10.0.0.1:80"), [b]: "garbage", [c]: '{"Op":1,"Addr":"10.0.0.3:80"}' },
      { logger },
    );
    expect(recorder.last).toMatchObject({ rejected: 1, instances: [{ name: "a" }] });
    expect(warnings).toMatchObject([{ firstProblem: `"${b}": value is no JSON object` }]);
    await clock.settle(100);
    etcd.write({ [b]: item("10.0.0.2:80") });
    expect(recorder.last).toMatchObject({ rejected: 0, instances: [{ name: "a" }, { name: "b" }] });
    await source.close();
  });

  it("keeps its list when nothing that stands there makes sense", async () => {
    const { etcd, clock, recorder, source } = await started({ [a]: item("10.0.0.1:80") });
    await clock.settle(100);
    etcd.write({ [a]: "garbage" });
    expect(recorder.errors).toMatchObject([{ reason: "UPSTREAM_MALFORMED" }]);
    expect(recorder.errors[0]?.message).toContain("value is no JSON object");
    await clock.settle(10_000);
    expect(recorder.last).toMatchObject({ stale: true, instances: [{ name: "a" }] });
    etcd.write({ [b]: item("10.0.0.2:80") });
    expect(recorder.last).toMatchObject({ stale: false, rejected: 1, instances: [{ name: "b" }] });
    await source.close();
  });

  it("is stale within a second of etcd's silence, fresh with its next sign", async () => {
    const { etcd, clock, recorder, source } = await started({ [a]: item("10.0.0.1:80") });
    await clock.settle(10_100);
    expect(recorder.confirmed.length).toBe(33);
    etcd.silent = true;
    await clock.settle(1_000);
    expect(recorder.last).toMatchObject({ version: 2, stale: true });
    expect(recorder.errors).toMatchObject([{ reason: "DIRECTORY_FAILED", name: "DiscoveryError" }]);
    etcd.silent = false;
    await clock.settle(400);
    expect(recorder.last).toMatchObject({ version: 3, stale: false });
    await source.close();
  });

  it("tells what waited before it tells that etcd has failed", async () => {
    const { etcd, clock, recorder, source } = await started();
    etcd.write({ [a]: item("10.0.0.1:80"), [b]: item("10.0.0.2:80") });
    etcd.write({ [a]: undefined });
    etcd.refusal = {};
    etcd.drop();
    expect(recorder.listed()).toEqual(["10.0.0.2:80=100"]);
    expect(recorder.last?.stale).toBe(true);
    await clock.settle(1_000);
    expect(recorder.last?.stale).toBe(true);
    await source.close();
  });

  it.each(["compacted", "changed"])(
    "keeps whose lease ran out while etcd was away for 15 s after it (%s)",
    async (how) => {
      const { etcd, clock, recorder, source } = await started();
      etcd.lease = 5n;
      etcd.write({ [a]: item("10.0.0.1:80"), [b]: item("10.0.0.2:80") });
      etcd.lease = 0n;
      etcd.write({ [c]: item("10.0.0.3:80") });
      const hosts = () => recorder.last?.instances.map(({ host }) => host);
      await clock.settle(1_000);
      etcd.silent = true;
      await clock.settle(4_000);
      etcd.write({ [a]: undefined, [b]: undefined, [c]: undefined });
      if (how === "compacted") etcd.compact(etcd.revision + 1n);
      etcd.silent = false;
      etcd.drop();
      await clock.settle(2_000);
      expect(hosts()).toEqual(["10.0.0.1", "10.0.0.2"]);
      expect(recorder.last?.stale).toBe(true);
      etcd.lease = 6n;
      etcd.write({ [a]: item("10.0.0.1:80") });
      await clock.settle(11_000);
      expect(hosts()).toEqual(["10.0.0.1", "10.0.0.2"]);
      await clock.settle(4_000);
      expect(recorder.last).toMatchObject({ stale: false, instances: [{ host: "10.0.0.1" }] });
      etcd.write({ [a]: undefined });
      await clock.settle(100);
      expect(recorder.last).toMatchObject({ stale: false, instances: [] });
      await source.close();
      await clock.settle(10_000);
      expect(clock.pending()).toEqual([]);
    },
  );

  it("says that it sends no token", async () => {
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (_, message) => warnings.push(message) };
    const { source } = await started({}, { logger, directoryToken: "secret" });
    expect(warnings).toEqual(["directoryToken is not sent to etcd"]);
    await source.close();
  });

  it("ends its connections when it is closed", async () => {
    const { etcd, clock, source } = await started({ [a]: item("10.0.0.1:80") });
    expect(etcd.openTransports).toBe(1);
    await source.close();
    await source.close();
    expect([etcd.openTransports, etcd.last.open, clock.pending()]).toEqual([0, false, []]);
  });
});
