import { createClient, openChannel, type ServiceChannel } from "inferwire/client";
import { PredictServiceDefinition, type WatchUpstreamsResponse } from "inferwire/proto";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createDirectoryClient, type DirectoryClient } from "../support/directory-client.js";
import { type EtcdServer, etcdTool, startEtcd } from "../support/etcd-server.js";
import { startTestHost } from "../support/hosts.js";
import { boundPort, startProgram } from "../support/programs.js";
import { until } from "../support/until.js";

/** A directory in a process of its own. */
interface Replica {
  readonly address: string;
  readonly directory: DirectoryClient;
  signal(signal: NodeJS.Signals): void;
}

describe.skipIf(etcdTool.missing)(`directories that share an etcd${etcdTool.note}`, () => {
  let etcd: EtcdServer;
  let prefixes = 0;

  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterAll(() => etcd?.[Symbol.asyncDispose]());

  async function replica(prefix: string): Promise<Replica> {
    const options = { endpoint: "127.0.0.1:0", store: `etcd://${etcd.address}/${prefix}` };
    const program = startProgram("directory.mjs", [JSON.stringify(options)]);
    await program.said("directory started");
    const port = boundPort(program);
    const directory = createDirectoryClient(port);
    onTestFinished(() => directory.close());
    const signal = (name: NodeJS.Signals): void => void program.child.kill(name);
    return { address: `127.0.0.1:${port}`, directory, signal };
  }

  /** Two of them, with a prefix of their own. */
  async function replicas(): Promise<{
    readonly a: Replica;
    readonly b: Replica;
    readonly prefix: string;
    /** As hosts and targets take them. */
    readonly both: string;
  }> {
    prefixes += 1;
    const prefix = `test${prefixes}`;
    const [a, b] = await Promise.all([replica(prefix), replica(prefix)]);
    return { a, b, prefix, both: `${a.address},${b.address}` };
  }

  const listed = async ({ directory }: Replica, service = "mnist"): Promise<readonly string[]> => {
    const { instances } = await directory.client.listUpstreams({ service });
    return instances.map(({ name, weight }) => `${name}*${weight}`).sort();
  };

  /** Calls without a pause; stops with the test. */
  function startLoop(channel: ServiceChannel) {
    const client = createClient(PredictServiceDefinition, { channel });
    let stopped = false;
    const counts = { ok: 0, failed: [] as unknown[] };
    const loop = async (): Promise<void> => {
      while (!stopped) {
        await client.predict({}).then(
          () => (counts.ok += 1),
          (thrown: unknown) => counts.failed.push(thrown),
        );
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const ended = loop();
    const stop = async (): Promise<typeof counts> => {
      stopped = true;
      await ended;
      return counts;
    };
    onTestFinished(() => void stop());
    return { counts, stop };
  }

  it("serve one truth: instances, watches, weights, shares of groups", async () => {
    const { a, b, prefix } = await replicas();
    const watched: WatchUpstreamsResponse[] = [];
    const watch = new AbortController();
    onTestFinished(() => watch.abort());
    const watching = async (): Promise<void> => {
      const request = { service: "mnist" };
      for await (const list of b.directory.client.watchUpstreams(request, watch))
        watched.push(list);
    };
    void watching().catch(() => {});
    await until(() => watched.length === 1);
    expect(watched[0]).toMatchObject({ known: false });

    const { leaseId } = await a.directory.register("x");
    await until(() => watched.at(-1)?.instances.length === 1);
    expect(watched.at(-1)).toMatchObject({ known: true, settled: false, stale: false });

    const weight = { service: "mnist", instance: "x", weight: 7 };
    expect(await b.directory.client.setWeight(weight)).toMatchObject({ registered: true });
    await until(async () => (await listed(a))[0] === "x*7");
    await using channel = openChannel({ target: `etcd://${etcd.address}/${prefix}/mnist` });
    expect((await channel.ready()).instances).toMatchObject([{ name: "x", weight: 7 }]);
    await b.directory.client.deregister({ leaseId });
    expect(await listed(b)).toEqual([]);
    await b.directory.register("x");
    expect(await listed(b)).toEqual(["x*7"]);
    await until(() => channel.snapshot().instances[0]?.weight === 7);

    await a.directory.register("blue", { service: "shop.blue" });
    await b.directory.register("green", { service: "shop.green", port: 81 });
    for (const [to, percent] of [
      [a, 10],
      [b, 50],
      [a, 100],
    ] as const) {
      const shares = new Map([
        ["blue", 100 - percent],
        ["green", percent],
      ]);
      await to.directory.client.setTraffic({ group: "shop", shares });
      const expected = [`blue*${100 - percent}`, `green*${percent}`];
      for (const one of [a, b]) {
        await until(async () => (await listed(one, "shop")).join() === expected.join());
      }
    }
  });

  it("keep living hosts listed when both of them were stopped for longer than a lease", async () => {
    const { a, b, both } = await replicas();
    for (const name of ["x", "y"]) {
      await startTestHost({}, { service: "mnist", directory: both, name, leaseTtlMs: 3_000 });
    }
    // Not straight from etcd: there the leases have ended, and etcd says so.
    await using channel = openChannel({ target: `directory://${both}/mnist` });
    await channel.ready();
    await until(() => channel.snapshot().instances.length === 2);
    const { stop } = startLoop(channel);
    const everybody = async (): Promise<boolean> => {
      const lists = await Promise.all([a, b].map((one) => listed(one).catch(() => [])));
      return lists.every((list) => list.join() === "x*100,y*100");
    };
    await until(everybody);
    for (const one of [a, b]) one.signal("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    for (const one of [a, b]) one.signal("SIGCONT");
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await until(everybody, 10_000);
    expect((await stop()).failed).toEqual([]);
  }, 60_000);

  it("go on with what they know while etcd is away, and say so", async () => {
    const { a, b, both } = await replicas();
    await startTestHost({}, { service: "mnist", directory: both, name: "x", leaseTtlMs: 3_000 });
    await using channel = openChannel({ target: `directory://${both}/mnist` });
    await channel.ready();
    const { stop } = startLoop(channel);
    const stale = async ({ directory }: Replica): Promise<boolean> =>
      (await directory.client.listUpstreams({ service: "mnist" })).stale;
    await etcd.kill();
    for (const one of [a, b]) await until(() => stale(one));
    for (const one of [a, b]) expect(await listed(one)).toEqual(["x*100"]);
    await etcd.start();
    for (const one of [a, b]) await until(async () => !(await stale(one)));
    for (const one of [a, b]) expect(await listed(one)).toEqual(["x*100"]);
    const { failed } = await stop();
    expect(failed).toEqual([]);
  });
});
