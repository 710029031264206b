import {
  BaseProcessor,
  type HostOptions,
  type ProcessorHost,
  ServerError,
  Status,
} from "inferwire/host";
import { BuiltinServiceDefinition } from "inferwire/proto";
import { type ClientError, createChannel, createClient } from "nice-grpc";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { connectRaw, http, post, reasonOf } from "../support/raw-http.js";
import { recordingLogger } from "../support/recording-logger.js";

const told: string[] = [];

class Scorer extends BaseProcessor {
  override readonly properties = {
    threshold: {
      initial: "0.5",
      validate: (value: string) => (Number(value) <= 1 ? undefined : `${value} is above 1`),
    },
  };

  override readonly functions = {
    reverse: (data: Uint8Array) => Uint8Array.from(data).reverse(),
    find: () => {
      throw new ServerError(Status.NOT_FOUND, "no such row");
    },
    wait: (_data: Uint8Array, { signal }: { readonly signal: AbortSignal }) =>
      new Promise<Uint8Array>((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          told.push("aborted");
          reject(signal.reason);
        });
        told.push("waiting");
      }),
  };

  process(data: Uint8Array): Uint8Array {
    if (data.length === 0) throw new Error("secret text");
    return data;
  }

  override onTell(message: Uint8Array): void {
    told.push(Buffer.from(message).toString());
  }
}

const running: ProcessorHost[] = [];

afterEach(async () => {
  told.length = 0;
  await Promise.all(running.splice(0).map((host) => host.close({ gracePeriodMs: 0 })));
});

async function start(options: HostOptions = {}) {
  const processor = new Scorer({
    endpoint: "127.0.0.1:0",
    service: "scorer",
    logger: recordingLogger().logger,
    ...options,
  });
  const host = await processor.start();
  running.push(host);
  const { port } = host.address;
  const channel = createChannel(`127.0.0.1:${port}`);
  onTestFinished(() => channel.close());
  return { host, port, client: createClient(BuiltinServiceDefinition, channel) };
}

const path = (target: string): string => `/api/builtin/${target}`;

async function json(port: number, target: string): Promise<Record<string, unknown>> {
  const answer = await http(port, path(target));
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(answer.text).toMatch(/^.*\n$/);
  return JSON.parse(answer.text);
}

async function failure(promise: Promise<unknown>): Promise<ClientError> {
  return promise.then(
    () => Promise.reject(new Error("expected a failure")),
    (error: ClientError) => error,
  );
}

describe("prop", () => {
  it("reads and sets what can change while the host runs, over both doors", async () => {
    const { port, client } = await start({ maxQueueLength: 7, adminToken: "root" });
    const { properties } = await json(port, "prop?name=maxQueueLength&name=adminToken");
    expect(properties).toMatchObject([
      { name: "adminToken", value: "***", mutable: false },
      { name: "maxQueueLength", value: "7", mutable: true },
    ]);
    const authorization = "Bearer root";
    const set = await post(port, path("prop"), '{"maxQueueLength": 9}', { authorization });
    expect(JSON.parse(set.text)).toMatchObject({
      properties: [{ name: "maxQueueLength", value: "9" }],
    });
    const read = await client.prop({ names: ["maxQueueLength", "threshold"] });
    expect(read.properties.map(({ value }) => value)).toEqual(["9", "0.5"]);
  });

  it("sets all or none", async () => {
    const { port, client } = await start();
    const unknown = await post(port, path("prop"), '{"maxQueueLength": 1, "x": 1}');
    expect([unknown.status, reasonOf(unknown)]).toEqual([404, "UNKNOWN_PROPERTY"]);
    for (const bad of ['"threshold": 2', '"weight": -1', '"service": "x"']) {
      const refused = await post(port, path("prop"), `{"maxQueueLength": 1, ${bad}}`);
      expect([refused.status, reasonOf(refused)]).toEqual([409, "PROPERTY_REFUSED"]);
    }
    const error = await failure(client.setProperties({ values: new Map([["threshold", "2"]]) }));
    expect([error.code, error.details]).toEqual([
      Status.FAILED_PRECONDITION,
      "threshold: 2 is above 1",
    ]);
    expect(await json(port, "prop?name=maxQueueLength")).toMatchObject({
      properties: [{ value: "64" }],
    });
  });
});

describe("realtime_metrics", () => {
  it("takes samples by both doors, and gives them back by both", async () => {
    const { port, client } = await start({ metrics: { cost: "in cents" } });
    const stream = client.realtimeMetrics({});
    const target = path("realtime_metrics?internal=true");
    const taken = await post(port, target, '[{"name": "cost", "value": 2}]');
    expect([taken.status, taken.text]).toEqual([200, "{}\n"]);
    await client.recordMetrics({
      samples: [{ name: "cost", value: 4, tags: new Map([["m", "a"]]) }],
    });
    const undeclared = await post(port, target, '[{"name": "cots", "value": 2}]');
    expect([undeclared.status, reasonOf(undeclared)]).toEqual([400, "MALFORMED_REQUEST"]);
    const { seconds } = await json(port, "realtime_metrics?name=cost");
    const points = (seconds as { points: { sum: number }[] }[]).flatMap((one) => one.points);
    expect(points.map(({ sum }) => sum)).toEqual([2, 4]);
    const sums: number[] = [];
    for await (const second of stream) {
      sums.push(...second.points.map(({ sum }) => sum));
      if (sums.length === 2) break;
    }
    expect(sums).toEqual([2, 4]);
  });

  it("ends its streams when the host stops, long before the grace period", async () => {
    const { host, client } = await start();
    const streaming = failure(client.realtimeMetrics({})[Symbol.asyncIterator]().next());
    await client.ping({});
    await host.close({ gracePeriodMs: 60_000 });
    expect((await streaming).code).toBe(Status.UNAVAILABLE);
  });
});

describe("call", () => {
  it("runs a function of the processor with bytes, over both doors", async () => {
    const { port, client } = await start();
    const answer = await post(port, path("call?function=reverse"), "abc");
    expect([answer.status, answer.text]).toEqual([200, "cba"]);
    expect(answer.headers.get("content-type")).toBe("application/octet-stream");
    const { data } = await client.call({ function: "reverse", data: Buffer.from("abc") });
    expect(Buffer.from(data).toString()).toBe("cba");
  });

  it("ends with what a function throws, like process", async () => {
    const { port, client } = await start();
    const thrown = await post(port, path("call?function=find"), "");
    expect([thrown.status, reasonOf(thrown)]).toEqual([404, "CALL_FAILED"]);
    const unknown = await post(port, path("call?function=revers"), "");
    expect([unknown.status, reasonOf(unknown)]).toEqual([404, "UNKNOWN_FUNCTION"]);
    expect((await failure(client.call({ function: "find" }))).details).toBe("no such row");
    expect((await post(port, path("call"), "")).status).toBe(400);
  });

  it("aborts the function when the caller leaves, over both doors", async () => {
    const { port, client } = await start();
    const socket = await connectRaw(port);
    socket.write(
      `POST ${path("call?function=wait")} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n`,
    );
    await expect.poll(() => told).toEqual(["waiting"]);
    socket.destroy();
    await expect.poll(() => told).toEqual(["waiting", "aborted"]);
    const leaving = new AbortController();
    const call = failure(client.call({ function: "wait" }, { signal: leaving.signal }));
    await expect.poll(() => told).toHaveLength(3);
    leaving.abort();
    await call;
    await expect.poll(() => told).toHaveLength(4);
  });
});

describe("tell", () => {
  it("hands a message to every lane without waiting, over both doors", async () => {
    const { port, client } = await start();
    expect(JSON.parse((await post(port, path("tell"), "one")).text)).toEqual({ lanes: 1 });
    expect(await client.tell({ message: Buffer.from("two") })).toEqual({ lanes: 1 });
    await expect.poll(() => told).toEqual(["one", "two"]);
  });
});

describe("eastool", () => {
  it("shows the options in force without their secrets, and the routes", async () => {
    const { port } = await start({ token: "s3cret" });
    const headers = { authorization: "s3cret" };
    const config = await http(port, path("eastool?report=config"), { headers });
    expect(JSON.parse(config.text).config).toMatchObject({ service: "scorer", token: "***" });
    expect(config.text).not.toContain("s3cret");
    const routes = await http(port, path("eastool?report=routes"), { headers });
    expect(routes.text).toContain("/api/builtin/");
  });

  it("lists connections with what they speak", async () => {
    const { port, client } = await start();
    const silent = await connectRaw(port);
    await client.ping({});
    const { connections } = await json(port, "eastool?report=connections");
    const protocols = (connections as { protocol: string }[]).map(({ protocol }) => protocol);
    expect(protocols.toSorted()).toEqual(["grpc", "http", "undecided"]);
    silent.destroy();
  });

  it("lists the last errors without what the processor said", async () => {
    const { port } = await start();
    await post(port, "/test", "");
    const { errors } = await json(port, "eastool?report=errors");
    expect(errors).toMatchObject([{ door: "eas", status: "400", reason: "PROCESSOR_THREW" }]);
    expect(JSON.stringify(errors)).not.toContain("secret text");
  });

  it("records a CPU profile, one at a time, until the caller leaves at the latest", async () => {
    const { port, client } = await start();
    const profile = await json(port, "eastool?report=cpu-profile&seconds=0.05");
    expect(Object.keys(profile)).toEqual(
      expect.arrayContaining(["nodes", "samples", "timeDeltas"]),
    );
    const leaving = new AbortController();
    const { signal } = leaving;
    await client.ping({});
    const long = failure(
      client.eastool({ report: "cpu-profile", duration: { seconds: 60n, nanos: 0 } }, { signal }),
    );
    const second = () => http(port, path("eastool?report=cpu-profile&seconds=0.01"));
    // Behind the profile on the same connection: it has begun when this is answered.
    await client.ping({});
    expect((await second()).status).toBe(429);
    leaving.abort();
    await long;
    await expect.poll(async () => (await second()).status).toBe(200);
  });

  it("sums the heap up, and names its reports to whoever names none", async () => {
    const { port, client } = await start();
    expect(await json(port, "eastool?report=heap-summary")).toHaveProperty("heap.used_heap_size");
    const { content } = await client.eastool({ report: "heap-summary" });
    expect(JSON.parse(Buffer.from(content).toString())).toHaveProperty("memory.rss");
    const none = await http(port, path("eastool"));
    expect(none.status).toBe(400);
    expect(none.text).toContain("cpu-profile, heap-summary");
  });
});

describe("builtins that change state", () => {
  const changing: readonly (readonly [method: string, target: string, body: string | null])[] = [
    ["POST", "prop", '{"maxQueueLength": 1}'],
    ["POST", "call?function=reverse", "abc"],
    ["POST", "tell", "x"],
    ["POST", "term", null],
    ["GET", "eastool?report=routes", null],
    ["POST", "eastool?report=routes", null],
  ];

  it.each(changing)(
    "%s %s refuses web pages, proxies and wrong tokens",
    async (method, target, body) => {
      const open = await start();
      const ask = (port: number, headers: Record<string, string>) =>
        http(port, path(target), { method, headers, body });
      expect((await ask(open.port, { origin: "http://localhost" })).status).toBe(403);
      expect((await ask(open.port, { "x-forwarded-for": "1.2.3.4" })).status).toBe(403);
      const guarded = await start({ token: "user", adminToken: "root" });
      expect((await ask(guarded.port, {})).status).toBe(401);
      expect((await ask(guarded.port, { authorization: "user" })).status).toBe(401);
      expect((await ask(guarded.port, { authorization: "Bearer root" })).status).toBe(200);
    },
  );

  it("refuse over gRPC as well", async () => {
    const { client } = await start({ token: "user", adminToken: "root" });
    for (const asked of [
      client.setProperties({ values: new Map([["maxQueueLength", "1"]]) }),
      client.call({ function: "reverse" }),
      client.tell({}),
      client.term({}),
      client.eastool({ report: "routes" }),
    ]) {
      expect((await failure(asked)).code).toBe(Status.UNAUTHENTICATED);
    }
  });
});
