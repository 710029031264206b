import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { type Directory, type DirectoryOptions, startDirectory } from "inferwire/directory";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/ports.js";
import type { Source } from "../../src/resolve/source.js";
import type { SourceOptions } from "../../src/resolve/source-options.js";
import { type HttpGetRequest, httpGet } from "../../src/transport/http-get.js";
import { createCertificates } from "../support/certificates.js";
import { createDirectoryClient, type DirectoryClient } from "../support/directory-client.js";
import { recordingLogger } from "../support/recording-logger.js";
import type { SourceRecorder } from "../support/source-recorder.js";
import { startSource } from "../support/started-source.js";
import { until } from "../support/until.js";

const listing = "/api/v1/servicediscovery/upstreams/mnist";
const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startedDirectory(options: DirectoryOptions = {}): Promise<Directory> {
  const directory = await startDirectory({
    endpoint: "127.0.0.1:0",
    logger: recordingLogger().logger,
    ...options,
  });
  cleanUps.push(() => directory.close());
  return directory;
}

function clientOf(directory: Directory, token?: string): DirectoryClient {
  const client = createDirectoryClient(directory.address.port, token);
  cleanUps.push(() => client.close());
  return client;
}

async function startedServer(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUps.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

function startedHttp(listener: RequestListener): Promise<number> {
  return startedServer(createServer(listener));
}

function started(
  target: string,
  options: Partial<SourceOptions> = {},
): { source: Source; recorder: SourceRecorder } {
  const { source, recorder } = startSource(target, options);
  // Before the servers that it asks.
  cleanUps.push(() => source.close());
  return { source, recorder };
}

function get(port: number, more: Partial<HttpGetRequest> = {}): ReturnType<typeof httpGet> {
  const limits = { timeoutMs: 1_000, maxBodyBytes: 100 };
  const url = `http://127.0.0.1:${port}/x?y=1`;
  return httpGet({ url, headers: {}, clock: systemClock, ...limits, ...more });
}

describe("httpGet", () => {
  it("gives status, headers and body, of redirects too", async () => {
    const port = await startedHttp((request, response) => {
      response.writeHead(302, { location: "/elsewhere", etag: '"1"' });
      response.end(`${request.method} ${request.url} ${request.headers["x-test"]}`);
    });
    const { status, header, body } = await get(port, { headers: { "x-test": "yes" } });
    expect(status).toBe(302);
    expect([header("location"), header("etag"), header("none")]).toEqual([
      "/elsewhere",
      '"1"',
      undefined,
    ]);
    expect(new TextDecoder().decode(body)).toBe("GET /x?y=1 yes");
  });

  it("gives up on a body that is too long, without reading the rest", async () => {
    const port = await startedHttp((_, response) => {
      const pump = (): void => {
        while (!response.destroyed && response.write("x".repeat(1_000)));
        response.once("drain", pump);
      };
      pump();
    });
    await expect(get(port)).rejects.toMatchObject({ reason: "MESSAGE_TOO_LARGE" });
  });

  it("gives up on a server that says nothing, or never ends", async () => {
    const mute = createTcpServer((socket) => socket.on("error", () => {}).resume());
    await expect(get(await startedServer(mute), { timeoutMs: 50 })).rejects.toMatchObject({
      reason: "DEADLINE_EXCEEDED",
    });
    const endless = await startedHttp((_, response) => response.write("x"));
    await expect(get(endless, { timeoutMs: 50 })).rejects.toMatchObject({
      reason: "DEADLINE_EXCEEDED",
    });
  });

  it("is given up by its signal, also before it starts", async () => {
    const port = await startedHttp(() => {});
    const aborting = new AbortController();
    const pending = expect(get(port, { signal: aborting.signal })).rejects.toMatchObject({
      reason: "CANCELLED",
    });
    aborting.abort();
    await pending;
    await expect(get(port, { signal: aborting.signal })).rejects.toMatchObject({
      reason: "CANCELLED",
    });
  });

  it("says what the connection failed with, also for a name with several addresses", async () => {
    const server = createTcpServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    for (const host of ["127.0.0.1", "localhost"]) {
      await expect(get(0, { url: `http://${host}:${port}/` })).rejects.toMatchObject({
        reason: "CONNECT_FAILED",
        message: expect.stringContaining("ECONNREFUSED"),
      });
    }
  });
});

describe("an http target", () => {
  it("follows a directory, with its token", async () => {
    const directory = await startedDirectory({ token: "w", readToken: "r" });
    const { register } = clientOf(directory, "w");
    const { leaseId } = await register("a");
    const target = `http://127.0.0.1:${directory.address.port}${listing}`;
    const { recorder } = started(target, { directoryToken: () => "r" });
    await until(() => recorder.snapshots.length === 1);
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    await register("b", { port: 81 });
    await until(() => recorder.snapshots.length === 2);
    await clientOf(directory, "w").client.deregister({ leaseId });
    await until(() => recorder.snapshots.length === 3);
    expect(recorder.listed()).toEqual(["10.0.0.1:81=100"]);
    expect(recorder.errors).toEqual([]);
  });

  it("keeps its list while the directory is away or knows nobody, and recovers", async () => {
    const directory = await startedDirectory();
    await clientOf(directory).register("a");
    const { port } = directory.address;
    const { recorder } = started(`http://127.0.0.1:${port}${listing}`);
    await until(() => recorder.snapshots.length === 1);
    await directory.close();
    await until(() => recorder.errors.some(({ reason }) => reason === "DIRECTORY_FAILED"));
    const again = await startedDirectory({ endpoint: `127.0.0.1:${port}` });
    await until(() => recorder.errors.some(({ reason }) => reason === "SERVICE_UNKNOWN"));
    expect(recorder.last).toMatchObject({ stale: true });
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
    await clientOf(again).register("a");
    await until(() => recorder.last?.stale === false);
    expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
  });
});

describe("a directory target", () => {
  it("follows the directory within moments, with its token", async () => {
    const directory = await startedDirectory({ token: "w", readToken: "r" });
    const { client, register } = clientOf(directory, "w");
    const target = `directory://127.0.0.1:${directory.address.port}/mnist`;
    const { recorder } = started(target, { directoryToken: "r" });
    await until(() => recorder.errors.length === 1);
    expect(recorder.errors).toMatchObject([{ reason: "SERVICE_UNKNOWN" }]);
    const { leaseId } = await register("a", { weight: 0.5 });
    await until(() => recorder.snapshots.length === 1, 1_000);
    expect(recorder.last?.instances).toMatchObject([{ name: "a", weight: 0.5, app: "mnist" }]);
    await client.setWeight({ service: "mnist", instance: "a", weight: 0 });
    await until(() => recorder.snapshots.length === 2, 1_000);
    expect(recorder.listed()).toEqual(["10.0.0.1:80=0"]);
    await client.deregister({ leaseId });
    await until(() => recorder.snapshots.length === 3, 1_000);
    expect(recorder.last).toMatchObject({ instances: [], stale: false });
  });

  it("says which token is missing", async () => {
    const directory = await startedDirectory({ token: "w", readToken: "r" });
    const { recorder } = started(`directory://127.0.0.1:${directory.address.port}/mnist`);
    await until(() => recorder.errors.length > 0);
    expect(recorder.errors[0]?.message).toContain("readToken");
  });

  it("keeps the whole list through a restart of the directory, while instances come back one by one", async () => {
    const directory = await startedDirectory();
    const { port } = directory.address;
    const before = clientOf(directory);
    await before.register("a");
    await before.register("b", { port: 81 });
    const { recorder } = started(`directory://127.0.0.1:${port}/mnist`);
    await until(() => recorder.snapshots.length === 1);
    await directory.close();
    await until(() => recorder.last?.stale === true);
    const again = await startedDirectory({ endpoint: `127.0.0.1:${port}` });
    const after = clientOf(again);
    await after.register("b", { port: 81 });
    await after.register("c", { port: 82 });
    await until(() => recorder.listed().length === 3);
    expect(recorder.last?.stale).toBe(true);
    await after.register("a");
    await until(() => recorder.last?.stale === false);
    expect(recorder.snapshots.every(({ instances }) => instances.length >= 2)).toBe(true);
  });

  it("goes on with another directory when one dies", async () => {
    const [one, two] = [await startedDirectory(), await startedDirectory()];
    for (const directory of [one, two]) await clientOf(directory).register("a");
    const addresses = [one, two].map(({ address }) => `127.0.0.1:${address.port}`).join();
    const { recorder } = started(`directory://${addresses}/mnist`, { random: () => 0 });
    await until(() => recorder.snapshots.length === 1);
    await one.close();
    await until(() => recorder.snapshots.length === 3);
    expect(recorder.snapshots.map(({ stale }) => stale)).toEqual([false, true, false]);
  });
});

describe("over TLS", () => {
  const { ca, server, client } = createCertificates();

  it("both targets trust what they are told to trust, and show their certificate", async () => {
    const directory = await startedDirectory({ tls: { ...server, clientCa: ca } });
    const address = `localhost:${directory.address.port}`;
    const directoryTls = { ca, ...client };
    const targets = [`https://${address}${listing}`, `directory://${address}/mnist`];
    for (const target of targets) {
      const good = started(target, { directoryTls });
      await until(() => good.recorder.errors.length > 0);
      expect(good.recorder.errors[0]?.reason).toBe("SERVICE_UNKNOWN");
      for (const wrong of [undefined, { ca }]) {
        const bad = started(target, { directoryTls: wrong });
        await until(() => bad.recorder.errors.length > 0);
        expect(bad.recorder.errors[0]?.reason).toBe("DIRECTORY_FAILED");
      }
    }
  });
});

describe("a process with nothing but a source", () => {
  const program = `
    import { createSource } from "./dist/src/resolve/create-source.js";
    import { parseTarget } from "./dist/src/resolve/target/target.js";
    import { systemClock, silentLogger } from "./dist/src/core/ports.js";
    const source = createSource(parseTarget(process.argv[1]), {
      clock: systemClock, random: Math.random, logger: silentLogger, pollIntervalMs: 100,
    });
    source.start({ onSnapshot() {}, onError() {} });
    setTimeout(() => {}, 500);`;

  /** Milliseconds until the process ends by itself. */
  function lifeOf(target: string): Promise<number> {
    const start = performance.now();
    const child = spawn(process.execPath, ["--input-type=module", "-e", program, target]);
    cleanUps.push(() => child.kill());
    return new Promise((resolve) => {
      child.on("exit", () => resolve(performance.now() - start));
    });
  }

  it("ends by itself", async () => {
    const directory = await startedDirectory();
    await clientOf(directory).register("a");
    const mute = await startedHttp(() => {});
    const silent = createSocket("udp4");
    await new Promise<void>((resolve) => silent.bind(0, "127.0.0.1", resolve));
    cleanUps.push(() => silent.close());
    for (const target of [
      "127.0.0.1:1",
      `directory://127.0.0.1:${directory.address.port}/mnist`,
      "directory://127.0.0.1:1/mnist",
      `http://127.0.0.1:${directory.address.port}${listing}`,
      `http://127.0.0.1:${mute}${listing}`,
      "http://127.0.0.1:1/upstreams/mnist",
      `dns://127.0.0.1:${silent.address().port}/mnist:80`,
      "srv://127.0.0.1:1/mnist",
      "file:///nowhere/mnist.json",
    ]) {
      expect(await lifeOf(target)).toBeLessThan(4_000);
    }
  });
});
