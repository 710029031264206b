import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeClient, createClient, openChannel, type ServiceChannel } from "inferwire/client";
import { PredictServiceDefinition } from "inferwire/proto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { silentLogger, systemClock } from "../../src/core/ports.js";
import { createEtcdClient, type EtcdClient } from "../../src/etcd/etcd-client.js";
import { createEtcdSource } from "../../src/resolve/etcd/etcd-source.js";
import type { SourceOptions } from "../../src/resolve/source-options.js";
import { parseTarget } from "../../src/resolve/target/target.js";
import { putOf, putRpc } from "../../src/wire/etcd.js";
import { createCertificates } from "../support/certificates.js";
import { type EtcdServer, etcdTool, startEtcd } from "../support/etcd-server.js";
import { etcdctl, etcdctlTool } from "../support/etcdctl.js";
import { freePort } from "../support/free-port.js";
import { startTestHost } from "../support/hosts.js";
import { createSourceRecorder, type SourceRecorder } from "../support/source-recorder.js";
import { until } from "../support/until.js";

const missing = etcdTool.missing || etcdctlTool.missing;
const note = etcdTool.note || etcdctlTool.note;

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function item(addr: string, weight?: number): string {
  return JSON.stringify({ Op: 0, Addr: addr, Metadata: weight === undefined ? null : { weight } });
}

function recorded(text: string, options: Partial<SourceOptions> = {}): SourceRecorder {
  const target = parseTarget(text);
  if (target.kind !== "etcd") throw new Error(target.kind);
  const recorder = createSourceRecorder();
  const source = createEtcdSource(target, {
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    pollIntervalMs: 1_000,
    ...options,
  });
  cleanUps.push(() => source.close());
  source.start(recorder);
  return recorder;
}

function listed(channel: ServiceChannel): readonly string[] {
  return channel
    .snapshot()
    .instances.map(({ key, weight }) => `${key}=${weight}`)
    .sort();
}

/** Calls a service again and again until the test ends; counts what fails. */
function calling(channel: ServiceChannel): { readonly done: number; readonly failed: number } {
  const client = createClient(PredictServiceDefinition, { channel });
  const count = { done: 0, failed: 0 };
  let over = false;
  const loop = (async () => {
    while (!over) {
      await client.predict({ data: Buffer.from("hi") }).then(
        () => count.done++,
        () => count.failed++,
      );
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  cleanUps.push(async () => {
    over = true;
    await loop;
    await closeClient(client);
  });
  return count;
}

describe.skipIf(missing)(`etcd${note}`, () => {
  let etcd: EtcdServer;
  let writer: EtcdClient;

  beforeAll(async () => {
    etcd = await startEtcd();
    writer = createEtcdClient({
      members: [{ host: "127.0.0.1", port: etcd.port }],
      tls: undefined,
      clock: systemClock,
      random: Math.random,
    });
  }, 40_000);

  afterAll(async () => {
    writer?.close();
    await etcd?.[Symbol.asyncDispose]();
  });

  const put = (key: string, value: string): Promise<unknown> =>
    writer.call(putRpc, putOf(key, Buffer.from(value)));

  it("is followed by a client: what is put and deleted there is called, and called no more", async () => {
    const [one, two] = [await startTestHost(), await startTestHost()];
    const channel = openChannel({ target: `etcd://${etcd.address}/a/mnist` });
    cleanUps.push(() => channel.close());
    await etcdctl(etcd.address, "put", "a/mnist/one", item(`127.0.0.1:${one.port}`));
    await etcdctl(etcd.address, "put", "a/mnist2/two", item(`127.0.0.1:${two.port}`));
    const calls = calling(channel);
    await until(() => calls.done > 5);
    expect(listed(channel)).toEqual([`127.0.0.1:${one.port}=100`]);
    await etcdctl(etcd.address, "put", "a/mnist/two", item(`127.0.0.1:${two.port}`, 7));
    await until(() => listed(channel).includes(`127.0.0.1:${two.port}=7`));
    await etcdctl(etcd.address, "del", "a/mnist/one");
    await until(() => listed(channel).length === 1);
    await one.close();
    const before = calls.done;
    await until(() => calls.done > before + 5);
    expect(calls.failed).toBe(0);
  });

  it("lists who stands under a lease until it expires, and then nobody", async () => {
    const recorder = recorded(`etcd://${etcd.address}//l/mnist`);
    await until(() => recorder.last?.instances.length === 0);
    const granted = await etcdctl(etcd.address, "lease", "grant", "1");
    const lease = /lease (\w+)/.exec(granted)?.[1] ?? "";
    await etcdctl(etcd.address, "put", "--lease", lease, "/l/mnist/x", item("10.0.0.1:80"));
    await until(() => recorder.last?.instances.length === 1);
    await until(() => recorder.last?.instances.length === 0);
    expect(recorder.last?.stale).toBe(false);
    expect(recorder.errors).toEqual([]);
  });

  it("may be killed, restarted and compacted: the list stays, then has all that was missed", async () => {
    const host = await startTestHost();
    const address = `127.0.0.1:${host.port}`;
    await put("k/mnist/a", item(address));
    await put("k/mnist/b", item("127.0.0.1:1", 0));
    const channel = openChannel({ target: `etcd://${etcd.address}/k/mnist` });
    cleanUps.push(() => channel.close());
    const recorder = recorded(`etcd://${etcd.address}/k/mnist`);
    const calls = calling(channel);
    await until(() => listed(channel).length === 2 && recorder.last?.instances.length === 2);
    await etcd.kill();
    await until(() => channel.snapshot().stale);
    await etcd.start();
    await put("k/mnist/c", item("127.0.0.1:2", 0));
    const after = [`127.0.0.1:1=0`, `127.0.0.1:2=0`, `${address}=100`].sort();
    await until(() => listed(channel).join() === after.join() && !channel.snapshot().stale);

    await etcd.kill();
    await until(() => channel.snapshot().stale);
    expect(listed(channel)).toEqual(after);
    await etcd.start();
    // While the client still waits for its next try.
    const status = await etcdctl(etcd.address, "del", "k/mnist/b", "-w", "json");
    const { revision } = JSON.parse(status).header;
    await etcdctl(etcd.address, "compact", String(revision));
    await until(() => listed(channel).length === 2 && !channel.snapshot().stale);
    await until(() => recorder.last?.stale === false);
    expect(recorder.errors.every(({ reason }) => reason === "DIRECTORY_FAILED")).toBe(true);
    expect(calls.done).toBeGreaterThan(0);
    expect(calls.failed).toBe(0);
  }, 60_000);

  it("may be stopped: that is told, the list stays, and what was missed comes with its next sign", async () => {
    await put("s/mnist/a", item("10.0.0.1:80"));
    const recorder = recorded(`etcd://${etcd.address}/s/mnist`);
    await until(() => recorder.confirmed.length > 0);
    etcd.signal("SIGSTOP");
    try {
      await until(() => recorder.last?.stale === true);
    } finally {
      etcd.signal("SIGCONT");
    }
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    expect(recorder.errors).toMatchObject([{ reason: "DIRECTORY_FAILED" }]);
    await until(() => recorder.last?.stale === false);
    await put("s/mnist/a", item("10.0.0.1:80", 3));
    await until(() => recorder.listed().join() === "10.0.0.1:80=3");
    expect(recorder.errors.length).toBe(1);
  });

  it("is read page by page when there is more than one page", async () => {
    for (let i = 0; i < 2_100; i += 100) {
      const hundred = Array.from({ length: 100 }, (_, n) => i + n);
      await Promise.all(hundred.map((n) => put(`p/mnist/${n}`, item(`10.0.0.1:${1 + n}`))));
    }
    const recorder = recorded(`etcd://${etcd.address}/p/mnist`);
    await until(() => recorder.last !== undefined);
    expect(recorder.last?.instances.length).toBe(2_100);
    await put("p/mnist/7", "garbage");
    await until(() => recorder.last?.instances.length === 2_099);
    expect(recorder.last?.rejected).toBe(1);
  });
});

describe.skipIf(missing)(`an etcd with flags of its own${note}`, () => {
  it("that is out of quota is still read and watched", async () => {
    await using etcd = await startEtcd(["--quota-backend-bytes", String(1024 * 1024)]);
    await etcdctl(etcd.address, "put", "q/mnist/a", item("10.0.0.1:80"));
    const before = recorded(`etcd://${etcd.address}/q/mnist`);
    await until(() => before.confirmed.length > 0);
    const large = "x".repeat(100_000);
    let refused = "";
    for (let i = 0; refused === ""; i++) {
      refused = await etcdctl(etcd.address, "put", `large${i}`, large).then(
        () => "",
        (error: unknown) => String(error),
      );
    }
    expect(refused).toContain("database space exceeded");
    const after = recorded(`etcd://${etcd.address}/q/mnist`);
    await until(() => after.confirmed.length > 0);
    expect(after.listed()).toEqual(["10.0.0.1:80=100"]);
    await etcdctl(etcd.address, "del", "q/mnist/a");
    await until(() => [before, after].every(({ last }) => last?.instances.length === 0));
    expect([...before.errors, ...after.errors]).toEqual([]);
  }, 40_000);

  it("that wants certificates is read by who shows one that it trusts", async () => {
    const { ca, server, client } = createCertificates();
    const folder = mkdtempSync(join(tmpdir(), "inferwire-etcd-tls-"));
    cleanUps.push(() => rmSync(folder, { recursive: true }));
    const file = (name: string, content: string): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const [port, tlsPort] = [await freePort(), await freePort()];
    const urls = `http://127.0.0.1:${port},https://127.0.0.1:${tlsPort}`;
    const flags = ["--listen-client-urls", urls, "--advertise-client-urls", urls];
    flags.push("--cert-file", file("cert", server.cert), "--key-file", file("key", server.key));
    flags.push("--client-cert-auth", "--trusted-ca-file", file("ca", ca));
    await using etcd = await startEtcd(flags, port);
    await etcdctl(etcd.address, "put", "t/mnist/a", item("10.0.0.1:80"));
    const target = `etcd://localhost:${tlsPort}/t/mnist`;
    const good = recorded(target, { directoryTls: { ca, ...client } });
    const bad = [undefined, { ca }].map((directoryTls) => recorded(target, { directoryTls }));
    await until(() => good.confirmed.length > 0 && bad.every(({ errors }) => errors.length > 0));
    expect(good.listed()).toEqual(["10.0.0.1:80=100"]);
    for (const { errors, snapshots } of bad) {
      expect(snapshots).toEqual([]);
      expect(errors[0]?.reason).toBe("DIRECTORY_FAILED");
    }
  }, 40_000);
});
