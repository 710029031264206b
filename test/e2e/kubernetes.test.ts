import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, openChannel } from "inferwire/client";
import { afterEach, describe, expect, it } from "vitest";
import { silentLogger, systemClock } from "../../src/core/ports.js";
import {
  createKubernetesSource,
  type KubernetesSourceOptions,
} from "../../src/resolve/kubernetes/kubernetes-source.js";
import { parseKubernetesTarget } from "../../src/resolve/target/target-kubernetes.js";
import type { HttpLinesListener } from "../../src/transport/http-lines.js";
import { httpLines } from "../../src/transport/http-lines.js";
import { createCertificates } from "../support/certificates.js";
import { runScript } from "../support/client-child.js";
import { EchoDefinition, startEcho } from "../support/client-echo.js";
import {
  type FakeKubernetes,
  type FakeKubernetesOptions,
  sliceOf,
  startFakeKubernetes,
} from "../support/fake-kubernetes.js";
import { statusOf } from "../support/kubernetes-api.js";
import { createSourceRecorder, type SourceRecorder } from "../support/source-recorder.js";
import { until } from "../support/until.js";

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startedFake(options?: FakeKubernetesOptions): Promise<FakeKubernetes> {
  const fake = await startFakeKubernetes(options);
  cleanUps.push(() => fake[Symbol.asyncDispose]());
  return fake;
}

function started(rest: string, options: Partial<KubernetesSourceOptions> = {}): SourceRecorder {
  const ports = {
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    pollIntervalMs: 5_000,
  };
  const target = parseKubernetesTarget(`kubernetes://${rest}`, rest);
  const source = createKubernetesSource(target, { ...ports, ...options });
  const recorder = createSourceRecorder();
  cleanUps.push(() => source.close());
  source.start(recorder);
  return recorder;
}

const targetAt = ({ port }: { readonly port: number }) => `127.0.0.1:${port}/ns/mnist:grpc`;

const hostsOf = ({ last }: SourceRecorder) =>
  last?.instances
    .map(({ host }) => host)
    .sort()
    .join(" ");

/** What a raw answer is told as. */
async function linesOf(
  pieces: readonly (Buffer | "break")[],
  maxLineBytes = 1_000,
): Promise<{
  readonly told: readonly string[];
  readonly status: number | undefined;
  readonly error: unknown;
}> {
  const server = createServer(async (_, response) => {
    response.writeHead(200);
    response.flushHeaders();
    for (const piece of pieces) {
      await new Promise(setImmediate);
      if (piece === "break") response.destroy();
      else response.write(piece);
    }
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const told: string[] = [];
  let status: number | undefined;
  try {
    const error = await new Promise((resolve) => {
      const listener: HttpLinesListener = {
        onHead: (head) => {
          status = head.status;
        },
        onLine: (line) => told.push(line),
        onEnd: resolve,
      };
      httpLines({ url: `http://127.0.0.1:${port}/`, headers: {}, maxLineBytes, listener });
    });
    return { told, status, error };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe("httpLines", () => {
  it("tells lines however they are cut, inside characters too", async () => {
    const lines = ["käse €5 😀", "", "x".repeat(900), "last, without an end"];
    const bytes = Buffer.from(lines.join("\n"));
    const pieces = [...bytes].map((byte) => Buffer.from([byte]));
    for (const cut of [pieces, [bytes]]) {
      expect(await linesOf(cut)).toEqual({ told: lines, status: 200, error: undefined });
    }
  });

  it("gives up on a line that is too long, and says when a connection breaks", async () => {
    const long = await linesOf([Buffer.from("one\n"), Buffer.alloc(2_000, "x")]);
    expect(long).toMatchObject({ told: ["one"], error: { reason: "MESSAGE_TOO_LARGE" } });
    const broken = await linesOf([Buffer.from("one\nhal"), "break"]);
    const message = expect.stringContaining("the connection was cut in the middle of the answer");
    expect(broken).toMatchObject({ told: ["one"], error: { reason: "CONNECT_FAILED", message } });
  });

  it("is silent after cancel", async () => {
    const fake = await startedFake();
    const told: unknown[] = [];
    const tell = (what: unknown) => told.push(what);
    const stream = httpLines({
      url: `http://127.0.0.1:${fake.port}/apis/discovery.k8s.io/v1/endpointslices?watch=1`,
      headers: {},
      maxLineBytes: 1_000,
      listener: { onHead: tell, onLine: tell, onEnd: tell },
    });
    await until(() => told.length === 1);
    fake.api.say("one\n");
    stream.cancel();
    await until(() => fake.connections === 0);
    expect(told.length).toBe(1);
    expect(fake.api.watching).toBe(0);
  });
});

describe("a kubernetes target", () => {
  it("takes a client to the pods, and follows them", async () => {
    const [one, two] = [await startEcho(), await startEcho()];
    cleanUps.push(
      () => one[Symbol.asyncDispose](),
      () => two[Symbol.asyncDispose](),
    );
    // Cut into pieces of three bytes, inside characters and lines.
    const fake = await startedFake({ pieceBytes: 3 });
    fake.store.put(sliceOf("a", ["127.0.0.1"], { port: one.port }));
    const channel = openChannel({ target: `kubernetes://${targetAt(fake)}` });
    const client = createClient(EchoDefinition, { channel });
    cleanUps.push(() => channel.close());
    await client.pure({ text: "hi" });
    expect([one.seen.length, two.seen.length]).toEqual([1, 0]);
    fake.store.put(sliceOf("b", ["127.0.0.1"], { port: two.port }));
    fake.store.delete("a");
    await until(async () => {
      await client.pure({ text: "hi" });
      return two.seen.length > 0;
    });
    expect(channel.snapshot()).toMatchObject({ service: "ns/mnist", stale: false });
    await channel.close();
    await until(() => fake.connections === 0);
    expect(fake.api.watching).toBe(0);
  });

  it("comes over expired versions, breaks, nonsense and events that nobody knows", async () => {
    const fake = await startedFake();
    fake.store.put(sliceOf("a", ["10.0.0.1"]));
    const recorder = started(targetAt(fake));
    let host = 1;
    for (const trouble of [
      () => fake.api.endWatches(),
      () =>
        fake.api.endWatches({
          line: JSON.stringify({ type: "ERROR", object: statusOf(410, "Expired", "old") }),
        }),
      () => fake.store.compact(),
      () => fake.api.endWatches("reset"),
      () => fake.api.say('{"type":"SYNCED","object":{}}\n'),
      () => fake.api.say("garbage\n"),
    ]) {
      await until(() => fake.api.watching === 1);
      trouble();
      host += 1;
      fake.store.put(sliceOf("a", [`10.0.0.${host}`]));
      await until(() => hostsOf(recorder) === `10.0.0.${host}` && recorder.last?.stale === false);
    }
    await until(() => fake.api.watching === 1);
    expect(fake.connections).toBe(1);
    expect(fake.opened).toBeLessThan(15);
  });

  it("finds its cluster over TLS, and takes a new token when the file is replaced", async () => {
    const { ca, server } = createCertificates();
    const folder = mkdtempSync(join(tmpdir(), "inferwire-cluster-"));
    cleanUps.push(() => rmSync(folder, { recursive: true }));
    const write = (token: string): void => {
      writeFileSync(join(folder, "new"), `${token}\n`);
      renameSync(join(folder, "new"), join(folder, "token"));
    };
    writeFileSync(join(folder, "ca.crt"), ca);
    write("first");
    const fake = await startedFake({ certificate: server });
    fake.api.settings.tokens = ["first"];
    fake.store.put(sliceOf("a", ["10.0.0.1"]));
    const environment = {
      KUBERNETES_SERVICE_HOST: "127.0.0.1",
      KUBERNETES_SERVICE_PORT: String(fake.port),
    };
    const recorder = started("/ns/mnist:grpc", { place: { folder, environment } });
    await until(() => fake.api.watching === 1);
    // The API server takes only the next token from now on, which has not arrived yet.
    fake.api.settings.tokens = ["second"];
    fake.api.endWatches();
    await until(() => recorder.last?.stale === true);
    expect(recorder.errors.at(-1)?.message).toContain("answered 401");
    expect(recorder.errors.at(-1)?.message).not.toContain("first");
    write("second");
    await until(() => recorder.last?.stale === false);
    fake.store.put(sliceOf("a", ["10.0.0.2"]));
    await until(() => hostsOf(recorder) === "10.0.0.2");
    const stranger = started("/ns/mnist:grpc", {
      place: { folder, environment: { ...environment, KUBERNETES_SERVICE_HOST: "localhost" } },
      directoryTls: { ca: createCertificates().ca },
    });
    await until(() => stranger.errors.length > 0);
    expect(stranger.last).toBeUndefined();
  });

  it("keeps its list when the API server goes, and comes back to it without a storm", async () => {
    const fake = await startedFake();
    fake.store.put(sliceOf("a", ["10.0.0.1"]));
    const recorder = started(targetAt(fake));
    await until(() => fake.api.watching === 1);
    const { opened } = fake;
    await fake.down();
    await until(() => recorder.last?.stale === true);
    expect(hostsOf(recorder)).toBe("10.0.0.1");
    fake.store.put(sliceOf("a", ["10.0.0.2"]));
    await fake.resume();
    await until(() => hostsOf(recorder) === "10.0.0.2" && recorder.last?.stale === false);
    expect(fake.opened - opened).toBeLessThan(4);
  });

  it("takes 10,000 endpoints, and refuses a list that is too large", async () => {
    const fake = await startedFake();
    for (let at = 0; at < 100; at++) {
      const hosts = Array.from({ length: 100 }, (_, n) => `10.1.${at}.${n + 1}`);
      const endpoints = hosts.map((address) => ({
        addresses: [address],
        conditions: { ready: true },
        nodeName: "n".repeat(200),
        targetRef: { kind: "Pod", namespace: "ns", name: "p".repeat(150) },
      }));
      fake.store.put({ ...sliceOf(`a-${at}`, hosts), endpoints });
    }
    const recorder = started(targetAt(fake));
    await until(() => recorder.last !== undefined);
    expect(recorder.last?.instances.length).toBe(10_000);
    const metadata = { resourceVersion: "1", note: "x".repeat(10_000_000) };
    const body = JSON.stringify({ kind: "EndpointSliceList", metadata, items: [] });
    fake.api.settings.fault = () => ({ status: 200, body });
    const refused = started(targetAt(fake));
    await until(() => refused.errors.length > 0);
    expect(refused.errors[0]?.message).toContain("longer than 8388608 bytes");
    fake.api.say("x".repeat(9_000_000));
    await until(() => recorder.last?.stale === true);
    expect(recorder.errors[0]?.message).toContain("a line is longer than 8388608 bytes");
    expect(recorder.last?.instances.length).toBe(10_000);
  });

  it("keeps no process alive by its watch", async () => {
    const fake = await startedFake();
    fake.store.put(sliceOf("a", ["10.0.0.1"]));
    const run = await runScript(`
      import { openChannel } from "inferwire/client";
      const channel = openChannel({ target: "kubernetes://${targetAt(fake)}" });
      console.log((await channel.ready()).instances.length);
      await new Promise((resolve) => setTimeout(resolve, 200));
    `);
    expect(run).toMatchObject({ code: 0, output: "1" });
    expect(fake.api.seen.map(({ verb }) => verb)).toEqual(["list", "watch"]);
  });
});
