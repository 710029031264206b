import { type IncomingHttpHeaders, request } from "node:http";
import { type Directory, type DirectoryOptions, startDirectory } from "inferwire/directory";
import { ClientError, Status } from "nice-grpc-common";
import { afterEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../src/core/ports.js";
import { createDirectoryClient, type DirectoryClient } from "../support/directory-client.js";
import { recordingLogger } from "../support/recording-logger.js";
import { until } from "../support/until.js";

const paths = [
  "/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/",
  "/api/v1/servicediscovery/upstreams/",
];

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function started(options: DirectoryOptions = {}): Promise<Directory> {
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

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(
  { address }: Directory,
  path: string,
  { method = "GET", headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...address, path, method, headers, agent: false }, async (response) => {
      let body = "";
      for await (const chunk of response) body += String(chunk);
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
    });
    sent.on("error", reject);
    sent.end();
  });
}

describe("the JSON doors", () => {
  it("answer what has registered over gRPC, on both paths, whatever the query", async () => {
    const directory = await started();
    const { register } = clientOf(directory);
    await register("a");
    await register("b", { port: 81, weight: 50 });
    for (const path of paths) {
      const answer = await ask(directory, `${path}mnist?internal=false`);
      expect(answer.status).toBe(200);
      expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
      expect(answer.body).toBe(
        '{"correlative":["mnist"],"endpoints":{"items":[' +
          '{"app":"mnist","ip":"10.0.0.1","port":80,"weight":100},' +
          '{"app":"mnist","ip":"10.0.0.1","port":81,"weight":50}]},"name":"mnist"}',
      );
    }
  });

  it("answer 304 to a tag that still holds, also without a body to wait for", async () => {
    const directory = await started();
    const { register } = clientOf(directory);
    await register("a");
    const path = `${paths[0]}mnist`;
    const etag = (await ask(directory, path)).headers.etag ?? "";
    const same = await ask(directory, path, { headers: { "if-none-match": etag } });
    expect(same).toMatchObject({ status: 304, body: "", headers: { etag } });
    await register("b", { port: 81 });
    expect((await ask(directory, path, { headers: { "if-none-match": etag } })).status).toBe(200);
  });

  it("answer anything else with an error that says what is expected", async () => {
    const directory = await started();
    const head = await ask(directory, `${paths[0]}mnist`, { method: "HEAD" });
    expect(head).toMatchObject({ status: 404, body: "" });
    for (const [path, method, status, text] of [
      [`${paths[0]}mnist`, "GET", 404, '\\"mnist\\"'],
      [`${paths[1]}a.b.c`, "GET", 400, "expected letters"],
      [`${paths[0]}mnist`, "POST", 405, "expected GET or HEAD"],
      ["/", "GET", 404, `${paths[1]}SERVICE`],
    ] as const) {
      const answer = await ask(directory, path, { method });
      expect(answer.status).toBe(status);
      expect(answer.body).toContain(text);
      expect(JSON.parse(answer.body)).toMatchObject({ error: { message: expect.any(String) } });
    }
    expect((await ask(directory, "/livez")).status).toBe(200);
    expect((await ask(directory, "/readyz")).status).toBe(200);
  });
});

describe("UpstreamService", () => {
  it("registers, renews, lists and takes back", async () => {
    const directory = await started();
    const { client, register } = clientOf(directory);
    const lease = await register("a", { weight: 0.5, ttlMs: 2_500 });
    expect(lease).toMatchObject({ ttl: { seconds: 2n, nanos: 500_000_000 }, weight: 0.5 });
    expect(await client.keepAlive({ leaseId: lease.leaseId })).toMatchObject({ weight: 0.5 });
    expect(await client.listServices({})).toEqual({ services: ["mnist"] });
    expect(await client.listUpstreams({ service: "mnist" })).toMatchObject({
      service: "mnist",
      instances: [{ name: "a", ip: "10.0.0.1", port: 80, weight: 0.5, app: "mnist" }],
      correlative: ["mnist"],
    });
    const weighed = await client.setWeight({ service: "mnist", instance: "a", weight: 7 });
    expect(weighed.registered).toBe(true);
    await client.deregister({ leaseId: lease.leaseId });
    await client.deregister({ leaseId: lease.leaseId });
    expect((await client.listUpstreams({ service: "mnist" })).instances).toEqual([]);
    expect((await register("a")).weight).toBe(7);
  });

  it("refuses with codes, reasons and what is expected", async () => {
    const directory = await started();
    const { client, register } = clientOf(directory);
    const refusals: [Promise<unknown>, Status, RegExp][] = [
      [register("", {}), Status.INVALID_ARGUMENT, /instance.name is ""/],
      [register("a", { port: 70_000 }), Status.INVALID_ARGUMENT, /instance.port is 70000/],
      [register("a", { ttlMs: 1_000 }), Status.INVALID_ARGUMENT, /ttl is 1 s, expected 2 s/],
      [client.keepAlive({ leaseId: "x" }), Status.NOT_FOUND, /lease/],
      [client.listUpstreams({ service: "nobody" }), Status.NOT_FOUND, /"nobody"/],
      [client.listUpstreams({ service: "a b" }), Status.INVALID_ARGUMENT, /service is "a b"/],
      [client.setTraffic({ group: "g" }), Status.INVALID_ARGUMENT, /no member above 0/],
    ];
    for (const [call, code, text] of refusals) {
      const error = await call.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(ClientError);
      expect(error).toMatchObject({ code, details: expect.stringMatching(text) });
    }
  });

  it("tells watchers at once, of every change, and of an expiry", async () => {
    const directory = await started();
    const { client, register } = clientOf(directory);
    const aborting = new AbortController();
    cleanUps.push(() => aborting.abort());
    const lists: string[] = [];
    const reading = (async () => {
      const { signal } = aborting;
      for await (const list of client.watchUpstreams({ service: "mnist" }, { signal })) {
        lists.push(list.known ? list.instances.map(({ name }) => name).join("") : "unknown");
      }
    })().catch(() => {});
    await until(() => lists.length === 1);
    await register("a", { ttlMs: 2_000 });
    await until(() => lists.length === 2);
    await register("b", { port: 81 });
    await until(() => lists.length === 3);
    const before = performance.now();
    await until(() => lists.length === 4);
    expect(performance.now() - before).toBeGreaterThan(1_500);
    expect(lists).toEqual(["unknown", "a", "ab", "b"]);
    aborting.abort();
    await reading;
  });

  it("shares the traffic of a group", async () => {
    const directory = await started({ reduceWeights: true });
    const { client, register } = clientOf(directory);
    await register("a", { service: "g.blue" });
    await register("b", { service: "g.green", port: 81 });
    const shares = new Map([
      ["blue", 1],
      ["green", 3],
    ]);
    await client.setTraffic({ group: "g", shares });
    const { body } = await ask(directory, `${paths[0]}g`);
    expect(JSON.parse(body)).toMatchObject({
      correlative: ["blue", "green"],
      endpoints: {
        items: [
          { port: 80, weight: 1 },
          { port: 81, weight: 3 },
        ],
      },
    });
  });
});

describe("tokens", () => {
  it("guard writing, and leave reading open", async () => {
    const directory = await started({ token: ["old", "new"] });
    for (const token of [undefined, "wrong"]) {
      await expect(clientOf(directory, token).register("a")).rejects.toMatchObject({
        code: Status.UNAUTHENTICATED,
      });
    }
    await clientOf(directory, "old").register("a");
    await clientOf(directory, "Bearer new").register("a");
    expect((await ask(directory, `${paths[0]}mnist`)).status).toBe(200);
    expect(await clientOf(directory).client.listServices({})).toEqual({ services: ["mnist"] });
  });

  it("guard reading as well when asked to, health aside", async () => {
    const directory = await started({ token: "write", readToken: "read" });
    await clientOf(directory, "write").register("a");
    await expect(clientOf(directory, "read").register("a")).rejects.toMatchObject({
      code: Status.UNAUTHENTICATED,
    });
    await expect(clientOf(directory).client.listServices({})).rejects.toMatchObject({
      code: Status.UNAUTHENTICATED,
    });
    const path = `${paths[0]}mnist`;
    expect((await ask(directory, path)).status).toBe(401);
    for (const authorization of ["read", "write"]) {
      expect((await ask(directory, path, { headers: { authorization } })).status).toBe(200);
    }
    expect((await ask(directory, "/livez")).status).toBe(200);
  });
});

describe("startDirectory", () => {
  it("warns when anybody in reach may register", async () => {
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (_: object, text: string) => warnings.push(text) };
    await started({ endpoint: ":0", logger });
    expect(warnings).toMatchObject([expect.stringContaining("set token")]);
    await started({ endpoint: ":0", logger, token: "x" });
    await started({ logger });
    expect(warnings.length).toBe(1);
  });

  it("refuses an address that is taken", async () => {
    const { address } = await started();
    await expect(started({ endpoint: `127.0.0.1:${address.port}` })).rejects.toMatchObject({
      reason: "ADDRESS_IN_USE",
    });
  });

  it("ends watches with UNAVAILABLE when it closes, and frees the port at once", async () => {
    const directory = await started();
    const { client } = clientOf(directory);
    const watch = client.watchUpstreams({ service: "mnist" })[Symbol.asyncIterator]();
    await watch.next();
    const next = watch.next();
    const ended = expect(next).rejects.toMatchObject({ code: Status.UNAVAILABLE });
    const before = performance.now();
    await Promise.all([directory.close(), directory.close()]);
    await ended;
    expect(performance.now() - before).toBeLessThan(1_500);
    await started({ endpoint: `127.0.0.1:${directory.address.port}` });
  });
});
