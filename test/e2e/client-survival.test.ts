import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { CallError, createClient } from "inferwire/client";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startEchoProcess } from "../support/client-child.js";
import { EchoDefinition, type EchoServer, startEcho } from "../support/client-echo.js";
import { startMuteServer } from "../support/client-sockets.js";

const open: AsyncDisposable[] = [];

async function startThree(): Promise<[EchoServer, EchoServer, EchoServer]> {
  const servers = await Promise.all([startEcho(), startEcho(), startEcho()]);
  open.push(...servers);
  return servers as [EchoServer, EchoServer, EchoServer];
}

/** A discovery server whose list a test changes. */
async function startDiscovery() {
  let items: readonly object[] = [];
  const server = createServer((_request, response) => {
    response.end(JSON.stringify({ correlative: ["echo"], endpoints: { items } }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  open.push({
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  });
  return {
    target: `http://127.0.0.1:${port}/api/v1/servicediscovery/upstreams/echo`,
    list: (...ports: readonly number[]) => {
      items = ports.map((each) => ({ app: "echo", ip: "127.0.0.1", port: each, weight: 100 }));
    },
  };
}

function targetOf(...servers: readonly { port: number }[]): string {
  return servers.map(({ port }) => `127.0.0.1:${port}`).join(",");
}

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

/** Keeps calls going until told to stop; tells how they went. */
function underLoad(call: () => Promise<unknown>, inFlight = 24) {
  let stopped = false;
  let calls = 0;
  const errors: unknown[] = [];
  const loop = async (): Promise<void> => {
    while (!stopped) {
      calls++;
      await call().catch((error: unknown) => errors.push(error));
    }
  };
  const loops = Array.from({ length: inFlight }, loop);
  return async () => {
    stopped = true;
    await Promise.all(loops);
    return { calls, errors };
  };
}

describe("createClient: instances that die", () => {
  it("fails no idempotent call when one of three is killed under load", async () => {
    const [one, two, three] = await startThree();
    await using client = createClient(EchoDefinition, { target: targetOf(one, two, three) });
    const stop = underLoad(() => client.pure({ text: "sleep 2" }));
    await sleep(200);
    two.kill();
    await sleep(200);
    const before = one.seen.length + three.seen.length;
    await sleep(200);
    const { calls, errors } = await stop();
    expect(errors).toEqual([]);
    expect(calls).toBeGreaterThan(100);
    expect(one.seen.length + three.seen.length).toBeGreaterThan(before + 10);
  });

  it("fails no idempotent call when the process of one of three crashes under load", async () => {
    const processes = await Promise.all([1, 2, 3].map(() => startEchoProcess()));
    open.push(...processes);
    await using client = createClient(EchoDefinition, { target: targetOf(...processes) });
    const stop = underLoad(() => client.pure({ text: "a" }));
    await sleep(300);
    processes[1]?.crash();
    await sleep(300);
    const { calls, errors } = await stop();
    expect(errors).toEqual([]);
    expect(calls).toBeGreaterThan(100);
  });

  it("loses no call that is not idempotent but those that were on the instance", async () => {
    const [one, two, three] = await startThree();
    await using client = createClient(EchoDefinition, { target: targetOf(one, two, three) });
    const stop = underLoad(() => client.unary({ text: "sleep 2" }), 24);
    await sleep(200);
    two.kill();
    await sleep(300);
    const { errors } = await stop();
    expect(errors.length).toBeLessThanOrEqual(24);
    for (const error of errors) expect(error).toMatchObject({ reason: "CONNECTION_LOST" });
  });

  it("waits through the restart of the only instance", async () => {
    const first = await startEcho();
    open.push(first);
    await using client = createClient(EchoDefinition, { target: targetOf(first) });
    await client.unary({ text: "a" });
    first.kill();
    await vi.waitFor(async () => {
      const port = first.port;
      open.push(await startEcho({ port, name: "again" }));
    });
    expect(await client.pure({ text: "b" })).toEqual({ text: "again: b" });
  });

  it("goes back to an instance that is there again", async () => {
    const [one, two] = await startThree();
    await using client = createClient(EchoDefinition, { target: targetOf(one, two) });
    for (let n = 0; n < 4; n++) await client.unary({ text: "a" });
    two.kill();
    for (let n = 0; n < 10; n++) await client.pure({ text: "a" });
    const again = await startEcho({ port: two.port });
    open.push(again);
    await vi.waitFor(
      async () => {
        await client.unary({ text: "a" });
        expect(again.seen.length).toBeGreaterThan(0);
      },
      { timeout: 8_000 },
    );
  });
});

describe("createClient: instances that are mute", () => {
  it("does not hang on one: the call goes elsewhere after connectTimeoutMs", async () => {
    const mute = await startMuteServer();
    const server = await startEcho();
    open.push(mute, server);
    await using client = createClient(EchoDefinition, {
      target: targetOf(mute, server),
      connectTimeoutMs: 200,
    });
    const started = performance.now();
    const calls = Array.from({ length: 10 }, () => client.unary({ text: "a" }));
    expect(await Promise.all(calls)).toHaveLength(10);
    expect(performance.now() - started).toBeLessThan(1_000);
    const again = performance.now();
    for (let n = 0; n < 20; n++) await client.unary({ text: "a" });
    expect(performance.now() - again).toBeLessThan(200);
  });

  it("says CONNECT_FAILED when all are, within twice connectTimeoutMs, and leaves no socket behind", async () => {
    const mute = await startMuteServer();
    open.push(mute);
    const client = createClient(EchoDefinition, { target: targetOf(mute), connectTimeoutMs: 200 });
    const started = performance.now();
    await expect(client.unary({ text: "a" })).rejects.toMatchObject({ reason: "CONNECT_FAILED" });
    expect(performance.now() - started).toBeLessThan(700);
    await client[Symbol.asyncDispose]();
    await vi.waitFor(() => expect(mute.open()).toBe(0));
  });

  it("recovers when a mute one begins to speak", async () => {
    const mute = await startMuteServer();
    await using client = createClient(EchoDefinition, {
      target: targetOf(mute),
      connectTimeoutMs: 200,
    });
    await expect(client.unary({ text: "a" })).rejects.toBeInstanceOf(CallError);
    await mute[Symbol.asyncDispose]();
    open.push(await startEcho({ port: mute.port }));
    await vi.waitFor(async () => {
      expect(await client.unary({ text: "b" })).toEqual({ text: "b" });
    });
  });
});

describe("createClient: lists", () => {
  it("honours weights exactly", async () => {
    const [one, two, three] = await startThree();
    const target = `static:///${targetOf(one, two, three)}?weight=300,200,100`;
    await using client = createClient(EchoDefinition, { target });
    for (let n = 0; n < 600; n++) await client.unary({ text: "a" });
    const counts = [one, two, three].map(({ seen }) => seen.length);
    for (const [index, share] of [300, 200, 100].entries()) {
      expect(Math.abs((counts[index] ?? 0) - share)).toBeLessThanOrEqual(1);
    }
  });

  it("picks alike with the same seed", async () => {
    const servers = await startThree();
    const target = targetOf(...servers);
    const sequence = async (): Promise<(string | undefined)[]> => {
      await using client = createClient(EchoDefinition, { target, seed: 42 });
      const picks: (string | undefined)[] = [];
      for (let n = 0; n < 12; n++) {
        await client.unary(
          { text: "a" },
          { onReport: ({ attempts }) => picks.push(attempts[0]?.instance) },
        );
      }
      return picks;
    };
    expect(await sequence()).toEqual(await sequence());
  });

  it("follows a list that changes: new ones get calls, old ones end theirs and are left", async () => {
    const [one, two] = await startThree();
    const discovery = await startDiscovery();
    discovery.list(one.port);
    await using client = createClient(EchoDefinition, {
      target: discovery.target,
      pollIntervalMs: 50,
    });
    await client.unary({ text: "a" });
    const underWay = client.unary({ text: "sleep 500" });
    discovery.list(two.port);
    await vi.waitFor(
      async () => {
        await client.unary({ text: "b" });
        expect(two.seen.length).toBeGreaterThan(0);
      },
      { timeout: 8_000 },
    );
    expect(await underWay).toEqual({ text: "sleep 500" });
    const before = one.seen.length;
    for (let n = 0; n < 10; n++) await client.unary({ text: "c" });
    expect(one.seen.length).toBe(before);
  });
});
