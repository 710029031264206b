import { type CallReport, createClient, openChannel, type ServiceChannel } from "inferwire/client";
import { type Directory, startDirectory } from "inferwire/directory";
import type { HostOptions } from "inferwire/host";
import { PredictServiceDefinition, UpstreamServiceDefinition } from "inferwire/proto";
import { createChannel, createClient as createNiceClient } from "nice-grpc";
import { describe, expect, it, onTestFinished } from "vitest";
import { startTestHost } from "../support/hosts.js";
import { startProgram } from "../support/programs.js";
import { http } from "../support/raw-http.js";
import { recordingLogger } from "../support/recording-logger.js";

async function startTestDirectory(
  endpoint = "127.0.0.1:0",
): Promise<{ directory: Directory; at: string }> {
  const directory = await startDirectory({ endpoint, logger: recordingLogger().logger });
  onTestFinished(() => directory.close());
  return { directory, at: `${directory.address.host}:${directory.address.port}` };
}

const named = (name: string) => ({ process: () => Buffer.from(name) });

function startNamed(
  at: string,
  name: string,
  more: HostOptions = {},
): ReturnType<typeof startTestHost> {
  return startTestHost(named(name), { service: "digits", directory: at, name, ...more });
}

/** A client that calls without a pause and remembers who answered since the last look. */
function startLoop(channel: ServiceChannel) {
  const client = createClient(PredictServiceDefinition, {
    channel,
    methods: { predict: { idempotent: true } },
  });
  let seen = new Map<string, number>();
  let stopped = false;
  let failed = 0;
  const worker = async (): Promise<void> => {
    while (!stopped) {
      // Of calls that are under way when somebody looks, nobody knows which list they went by.
      const into = seen;
      try {
        const name = Buffer.from((await client.predict({})).data).toString();
        into.set(name, (into.get(name) ?? 0) + 1);
      } catch {
        failed++;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  };
  const workers = [worker(), worker(), worker(), worker()];
  // Also when an expectation fails: calls on a closed channel fail at once, for ever.
  onTestFinished(() => {
    stopped = true;
  });
  return {
    failed: () => failed,
    /** Shares of at least so many calls from now on. */
    async shares(calls = 400): Promise<Record<string, number>> {
      seen = new Map();
      const total = () => [...seen.values()].reduce((sum, n) => sum + n, 0);
      while (total() < calls) await new Promise((resolve) => setImmediate(resolve));
      const all = total();
      return Object.fromEntries([...seen].map(([name, n]) => [name, Math.round((n / all) * 100)]));
    },
    /** Waits until a host has answered from now on: what joins is connected to before it is picked. */
    async answeredBy(name: string): Promise<void> {
      seen = new Map();
      while (!seen.has(name)) await new Promise((resolve) => setImmediate(resolve));
    },
    async stop(): Promise<void> {
      stopped = true;
      await Promise.all(workers);
    },
  };
}

/** Waits until something is as it should be. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const near = (percent: number) => expect.closeTo(percent, -0.5);

describe("a client in a loop over a directory", () => {
  it("follows hosts that stop, come back, are re-weighted and killed, without a failed call", async () => {
    const { at } = await startTestDirectory();
    await startNamed(at, "a");
    const b = await startNamed(at, "b");
    await using channel = openChannel({ target: `directory://${at}/digits` });
    await channel.ready();
    const weights = () =>
      Object.fromEntries(channel.snapshot().instances.map(({ name, weight }) => [name, weight]));
    await until(() => channel.snapshot().instances.length === 2);
    const loop = startLoop(channel);
    expect(await loop.shares()).toEqual({ a: near(50), b: near(50) });

    await b.close();
    await until(() => !("b" in weights()));
    expect(await loop.shares()).toEqual({ a: 100 });

    await startNamed(at, "b", { weight: 300 });
    await until(() => weights()["b"] === 300);
    await loop.answeredBy("b");
    expect(await loop.shares()).toEqual({ a: near(25), b: near(75) });

    const operator = createChannel(at);
    onTestFinished(() => operator.close());
    const upstream = createNiceClient(UpstreamServiceDefinition, operator);
    await upstream.setWeight({ service: "digits", instance: "b", weight: 0 });
    await until(() => weights()["b"] === 0);
    expect(await loop.shares()).toEqual({ a: 100 });
    await upstream.setWeight({ service: "digits", instance: "b" });
    await until(() => weights()["b"] === 300);

    const options = { service: "digits", directory: at, name: "c", leaseTtlMs: 2_000 };
    const c = startProgram("host.mjs", [JSON.stringify(options)]);
    await until(() => "c" in weights());
    await loop.answeredBy("c");
    expect(await loop.shares()).toEqual({ a: near(20), b: near(60), c: near(20) });
    c.child.kill("SIGKILL");
    await c.exited;
    await loop.shares(50);
    expect(await loop.shares()).toEqual({ a: near(25), b: near(75) });
    await until(() => !("c" in weights()));

    await loop.stop();
    expect(loop.failed()).toBe(0);
  });

  it("keeps its list when the directory dies, and follows the one that takes its place", async () => {
    const first = await startTestDirectory();
    const { at } = first;
    await startNamed(at, "a", { leaseTtlMs: 2_000 });
    await using channel = openChannel({ target: `directory://${at}/digits` });
    await channel.ready();
    await until(() => channel.snapshot().instances.length === 1);
    const loop = startLoop(channel);
    await loop.shares(50);
    await first.directory.close();
    expect(await loop.shares()).toEqual({ a: 100 });
    await until(() => channel.snapshot().stale);
    await startTestDirectory(at);
    // The host notices with its next renewal and registers anew; a newcomer is found too.
    await startNamed(at, "b");
    await until(() => channel.snapshot().instances.length === 2);
    await loop.answeredBy("b");
    expect(await loop.shares()).toEqual({ a: near(50), b: near(50) });
    await loop.stop();
    expect(loop.failed()).toBe(0);
  });

  it("tells in its report who answered, from which list", async () => {
    const { at } = await startTestDirectory();
    const host = await startNamed(at, "a");
    await using client = createClient(PredictServiceDefinition, {
      target: `directory://${at}/digits`,
    });
    let report: CallReport | undefined;
    await client.predict(
      {},
      {
        onReport(r) {
          report = r;
        },
      },
    );
    expect(report).toMatchObject({
      snapshotVersion: 1,
      candidates: 1,
      attempts: [{ instance: `127.0.0.1:${host.port}`, code: 0 }],
    });
  });
});

describe("an app that tries again at once", () => {
  it("does not keep the event loop from turning while its calls fail", async () => {
    const target = "static:///127.0.0.1:1?weight=0";
    await using client = createClient(PredictServiceDefinition, { target });
    let turned = false;
    setImmediate(() => setImmediate(() => setImmediate(() => (turned = true))));
    let tries = 0;
    while (!turned && tries < 10_000) {
      await client.predict({}).catch(() => tries++);
    }
    expect([turned, tries < 100]).toEqual([true, true]);
  });
});

describe("a host and its directory", () => {
  it("is listed once it is ready, under its name, and gone as soon as it stops, before it has drained", async () => {
    const { directory, at } = await startTestDirectory();
    const host = await startNamed(at, "a", { preStopDelayMs: 300, weight: 7, app: "demo" });
    const path = "/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/digits";
    const list = async () => http(directory.address.port, path);
    let answer = await list();
    while (answer.status !== 200) answer = await list();
    expect(JSON.parse(answer.text).endpoints.items).toEqual([
      { app: "demo", ip: "127.0.0.1", port: host.port, weight: 7 },
    ]);
    const closing = host.close();
    let gone = await list();
    while (gone.status === 200) gone = await list();
    expect(host.state).toBe("draining");
    expect(gone.status).toBe(503);
    await closing;
  });

  it("is the same over EAS's JSON: a client polls it and finds the host", async () => {
    const { at } = await startTestDirectory();
    await startNamed(at, "a");
    const target = `http://${at}/api/v1/servicediscovery/upstreams/digits`;
    await using client = createClient(PredictServiceDefinition, { target, pollIntervalMs: 100 });
    expect(Buffer.from((await client.predict({})).data).toString()).toBe("a");
  });

  it("serves without its directory, says why, and registers when it comes", async () => {
    const { lines, logger } = recordingLogger();
    const probe = await startTestDirectory();
    await probe.directory.close();
    await startNamed(probe.at, "a", { logger });
    await until(() => lines.some((line) => line.message === "could not register"));
    await startTestDirectory(probe.at);
    await until(() => lines.some((line) => line.message === "registered"));
  });

  it("may only register with the directory's token, when it has one", async () => {
    const directory = await startDirectory({
      endpoint: "127.0.0.1:0",
      token: "write",
      logger: recordingLogger().logger,
    });
    onTestFinished(() => directory.close());
    const at = `127.0.0.1:${directory.address.port}`;
    const refused = recordingLogger();
    await startNamed(at, "a", { logger: refused.logger });
    await until(() => refused.lines.some((line) => line.message === "could not register"));
    expect(JSON.stringify(refused.lines)).toContain("directory's token");
    const taken = recordingLogger();
    await startNamed(at, "b", { logger: taken.logger, directoryToken: "write" });
    await until(() => taken.lines.some((line) => line.message === "registered"));
  });
});
