import { setTimeout as sleep } from "node:timers/promises";
import {
  CallError,
  type CallExtras,
  createClient,
  Metadata,
  openChannel,
  Status,
} from "inferwire/client";
import { PredictServiceDefinition } from "inferwire/proto";
import type { ClientMiddleware } from "nice-grpc-common";
import { ClientError } from "nice-grpc-common";
import { afterEach, describe, expect, it, vi } from "vitest";
import { EchoDefinition, type EchoServer, startEcho } from "../support/client-echo.js";
import { closedPort } from "../support/client-sockets.js";

const open: AsyncDisposable[] = [];

async function started(name?: string): Promise<EchoServer & { target: string }> {
  const server = await startEcho(name === undefined ? {} : { name });
  open.push(server);
  return { ...server, target: `127.0.0.1:${server.port}` };
}

function clientOf(target: string, options: Partial<Parameters<typeof createClient>[1]> = {}) {
  const client = createClient(EchoDefinition, { target, ...options });
  open.push(client);
  return client;
}

async function failure(call: Promise<unknown> | AsyncIterable<unknown>): Promise<CallError> {
  try {
    if (Symbol.asyncIterator in call) for await (const _ of call);
    else await call;
  } catch (error) {
    if (error instanceof CallError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

async function* texts(...all: readonly string[]) {
  for (const text of all) yield { text };
}

async function collect(answers: AsyncIterable<{ text: string }>): Promise<string[]> {
  const all: string[] = [];
  for await (const { text } of answers) all.push(text);
  return all;
}

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

describe("createClient: calls", () => {
  it("makes calls of all four kinds", async () => {
    const { target } = await started();
    const client = clientOf(target);
    expect(await client.unary({ text: "a" })).toEqual({ text: "a" });
    expect(await collect(client.serverStream({ text: "a,b,c" }))).toEqual(["a", "b", "c"]);
    expect(await client.clientStream(texts("a", "b", "c"))).toEqual({ text: "a,b,c" });
    expect(await collect(client.bidi(texts("a", "b", "c")))).toEqual(["a", "b", "c"]);
  });

  it("streams more than fits into a window, either way", async () => {
    const { target } = await started();
    const client = clientOf(target, { maxMessageBytes: 4 * 1024 * 1024 });
    const big = "x".repeat(1024 * 1024);
    const parts = Array.from({ length: 20 }, () => big);
    const answers = await collect(client.bidi(texts(...parts)));
    expect(answers.length).toBe(20);
    expect(answers.every((text) => text === big)).toBe(true);
  });

  it("takes a ts-proto definition", async () => {
    const { target } = await started();
    await using client = createClient(PredictServiceDefinition, { target });
    const error = await failure(client.predict({ data: new Uint8Array(3) }));
    expect(error).toMatchObject({ code: Status.UNIMPLEMENTED, remote: true });
  });

  it("puts the deadline on the wire, except for streams of answers", async () => {
    const { target, seen } = await started();
    const client = clientOf(target, { timeoutMs: 3_000 });
    await client.unary({ text: "a" });
    await client.unary({ text: "a" }, { timeoutMs: 900 });
    await client.clientStream(texts("a"));
    await collect(client.serverStream({ text: "a" }));
    const [plain, shorter, streamed, answers] = seen.map(({ remainingMs }) => remainingMs);
    expect(plain).toBeGreaterThan(2_800);
    expect(plain).toBeLessThanOrEqual(3_001);
    expect(shorter).toBeGreaterThan(700);
    expect(shorter).toBeLessThanOrEqual(901);
    expect(streamed).toBeGreaterThan(2_800);
    expect(answers).toBe(Number.POSITIVE_INFINITY);
  });

  it("ends at the deadline, and says so", async () => {
    const { target } = await started();
    const client = clientOf(target, { timeoutMs: 100 });
    const error = await failure(client.unary({ text: "sleep 2000" }));
    expect(error).toMatchObject({ code: Status.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" });
    const stream = await failure(client.serverStream({ text: "sleep 2000" }));
    expect(stream).toMatchObject({ reason: "DEADLINE_EXCEEDED" });
    expect(await collect(client.serverStream({ text: "a,sleep 300,b" }))).toHaveLength(3);
  });

  it("sends metadata, the token and defaults of the method; a call's own come first", async () => {
    const { target, seen } = await started();
    const methods = { unary: { metadata: { "x-default": "1", "x-both": "1" } } };
    const client = clientOf(target, { token: async () => "secret", methods });
    const metadata = Metadata({ "x-both": "2", "x-list-bin": [new Uint8Array([1, 2])] });
    await client.unary({ text: "a" }, { metadata });
    expect(seen[0]?.metadata).toMatchObject({
      authorization: "secret",
      "x-default": "1",
      "x-both": "2",
      "x-list-bin": Buffer.from([1, 2]),
    });
    await client.pure({ text: "a" }, { metadata: Metadata({ authorization: "own" }) });
    expect(seen[1]?.metadata).toMatchObject({ authorization: "own" });
    expect(Object.keys(seen[1]?.metadata ?? {})).toEqual(["authorization", "user-agent"]);
  });
});

describe("createClient: errors", () => {
  it("says method, instance, attempts and what to do", async () => {
    const a = await started();
    const b = await started();
    const client = clientOf(`${a.target},${b.target}`);
    const error = await failure(client.unary({ text: "fail 14 QUEUE_FULL" }));
    expect(error).toBeInstanceOf(CallError);
    expect(error).toMatchObject({
      name: "CallError",
      code: Status.UNAVAILABLE,
      reason: "QUEUE_FULL",
      remote: true,
      safeToRepeat: true,
    });
    expect(error.message).toMatch(
      /^UNAVAILABLE \(QUEUE_FULL\): \/test.Echo\/Unary on 127\.0\.0\.1:\d+ after 3 attempts: as told; send it to another instance, or later$/,
    );
    expect(error.instance).toBe(error.attempts[2]?.instance);
    expect(new Set(error.attempts.map(({ instance }) => instance)).size).toBe(2);
    expect(error.attempts.map(({ reason }) => reason)).toEqual(Array(3).fill("QUEUE_FULL"));
    expect(error.report).toMatchObject({ snapshotVersion: 1, candidates: 2 });
    expect(error.trailer.get("inferwire-reason")).toBe("QUEUE_FULL");
    expect([a.seen.length, b.seen.length].toSorted()).toEqual([1, 2]);
  });

  it("does not repeat what may have been done", async () => {
    const a = await started();
    const b = await started();
    const client = clientOf(`${a.target},${b.target}`, {
      methods: { clientStream: { idempotent: true } },
    });
    const failing = { text: "fail 14" };
    await failure(client.unary(failing));
    expect(a.seen.length + b.seen.length).toBe(1);
    await failure(client.unary(failing, { idempotent: true }));
    expect(a.seen.length + b.seen.length).toBe(4);
    await failure(client.pure(failing, { idempotent: false }));
    expect(a.seen.length + b.seen.length).toBe(5);
    await failure(client.pure(failing));
    expect(a.seen.length + b.seen.length).toBe(8);
    await failure(client.clientStream(texts("a", failing.text)));
    expect(a.seen.length + b.seen.length).toBe(11);
    const noMore = { text: "fail 14 QUEUE_FULL -1" };
    await failure(client.pure(noMore));
    expect(a.seen.length + b.seen.length).toBe(12);
  });

  it("is a CallError for streams too, wherever they fail", async () => {
    const { target } = await started();
    const client = clientOf(target);
    expect(await failure(client.serverStream({ text: "fail 5" }))).toMatchObject({
      code: Status.NOT_FOUND,
      instance: target,
    });
    const received: string[] = [];
    const late = async (): Promise<void> => {
      for await (const { text } of client.bidi(texts("a", "fail 9"))) received.push(text);
    };
    expect(await failure(late())).toMatchObject({ code: Status.FAILED_PRECONDITION });
    expect(received).toEqual(["a"]);
  });

  it("names an answer that cannot be decoded", async () => {
    const { target } = await started();
    const client = clientOf(target);
    const error = await failure(
      client
        .clientStream(texts("undecodable".slice(0, 2), "x"))
        .then(() => client.unary({ text: "sleep 0" }))
        .then(() => client.serverStream({ text: "a,undecodable" }))
        .then((answers) => collect(answers)),
    );
    expect(error).toMatchObject({ code: Status.INTERNAL, reason: "CALL_FAILED", remote: false });
    expect(error.message).toContain("cannot read this");
  });

  it("says NO_INSTANCE, CONNECT_FAILED and CLIENT_CLOSED", async () => {
    const none = clientOf("static:///127.0.0.1:1?weight=0");
    expect(await failure(none.unary({ text: "a" }))).toMatchObject({ reason: "NO_INSTANCE" });
    const dead = clientOf(`127.0.0.1:${await closedPort()}`, { connectTimeoutMs: 200 });
    const error = await failure(dead.unary({ text: "a" }));
    expect(error).toMatchObject({ reason: "CONNECT_FAILED", remote: false });
    expect(error.message).toContain("ECONNREFUSED");
    const { target } = await started();
    const client = clientOf(target);
    const underWay = failure(client.unary({ text: "sleep 5000" }));
    const stream = failure(client.serverStream({ text: "a,sleep 5000" }));
    await sleep(50);
    await client[Symbol.asyncDispose]();
    await client[Symbol.asyncDispose]();
    for (const call of [underWay, stream, failure(client.unary({ text: "a" }))]) {
      expect(await call).toMatchObject({ reason: "CLIENT_CLOSED", code: Status.CANCELLED });
    }
  });

  it("rejects as nice-grpc does when the call's own signal is aborted", async () => {
    const { target } = await started();
    const client = clientOf(target);
    const reason = new Error("changed my mind");
    const controller = new AbortController();
    const { signal } = controller;
    const calls = [
      client.unary({ text: "sleep 5000" }, { signal }),
      collect(client.serverStream({ text: "a,sleep 5000" }, { signal })),
    ];
    setTimeout(() => controller.abort(reason), 50);
    const [unary, stream] = await Promise.allSettled(calls);
    expect(unary).toMatchObject({ reason });
    expect(stream).toMatchObject({ reason: { name: "AbortError" } });
    await expect(client.unary({ text: "a" }, { signal })).rejects.toBe(reason);
  });

  it("ends the call when the reader of a stream leaves", async () => {
    const { target } = await started();
    const onReport = vi.fn();
    for await (const _ of clientOf(target).serverStream({ text: "a,sleep 5000" }, { onReport }))
      break;
    await vi.waitFor(() => expect(onReport).toHaveBeenCalled());
    expect(onReport.mock.calls[0]?.[0].attempts).toMatchObject([{ reason: "CANCELLED" }]);
  });

  it.each([
    [{ timeoutMs: -1 }, "timeoutMs is -1"],
    [{ idempotent: "yes" }, 'idempotent is "yes"'],
    [{ detached: "no" }, 'detached is "no"'],
    [{ onReport: 5 }, "onReport is 5"],
  ])("refuses %j", async (extras, message) => {
    const { target } = await started();
    const call = clientOf(target).unary({ text: "a" }, extras as object);
    await expect(call).rejects.toMatchObject({
      name: "ConfigError",
      message: expect.stringContaining(message),
    });
  });
});

describe("createClient: middleware", () => {
  /** Waits, copies the metadata and hands on the options: what middleware does. */
  const rewriting: ClientMiddleware = async function* (call, options) {
    await sleep(1);
    const metadata = Metadata(options.metadata).set("x-middleware", "1");
    return yield* call.next(call.request, { ...options, metadata });
  };

  it("keeps extras, reports and errors apart while calls overlap", async () => {
    const a = await started();
    const b = await started();
    const target = `${a.target},${b.target}`;
    const client = clientOf(target, { middleware: [rewriting], retryBudgetRatio: 1 });
    // Retries are paid for by calls that went well: 25 calls are to be tried twice more.
    await Promise.all(Array.from({ length: 50 }, () => client.unary({ text: "a" })));
    const reports = new Map<string, number>();
    const calls = Array.from({ length: 50 }, (_, n) => {
      const idempotent = n % 2 === 0;
      return failure(
        client.unary(
          { text: "fail 14" },
          { idempotent, onReport: ({ attempts }) => reports.set(String(n), attempts.length) },
        ),
      );
    });
    const errors = await Promise.all(calls);
    for (const [n, error] of errors.entries()) {
      const attempts = n % 2 === 0 ? 3 : 1;
      expect(error.attempts).toHaveLength(attempts);
      expect(reports.get(String(n))).toBe(attempts);
    }
    expect(a.seen.every(({ metadata }) => metadata["x-middleware"] === "1")).toBe(true);
  });

  it("shows it nice-grpc's errors, and the app its own; the first one sees a call first", async () => {
    const { target } = await started();
    const order: string[] = [];
    const noting = (name: string): ClientMiddleware =>
      async function* (call, options) {
        order.push(name);
        try {
          return yield* call.next(call.request, options);
        } catch (error) {
          order.push(`${name} ${error instanceof ClientError}`);
          throw error;
        }
      };
    const client = clientOf(target, { middleware: [noting("first"), noting("second")] });
    const error = await failure(client.unary({ text: "fail 5" }));
    expect(error).toMatchObject({ code: Status.NOT_FOUND, instance: target });
    expect(order).toEqual(["first", "second", "second true", "first true"]);
    const own = new Error("not today");
    const refusing: ClientMiddleware = () => {
      throw own;
    };
    await expect(clientOf(target, { middleware: [refusing] }).unary({ text: "a" })).rejects.toBe(
      own,
    );
  });

  it("may call more than once, and with other extras", async () => {
    const { target, seen } = await started();
    const twice: ClientMiddleware<object, CallExtras> = async function* (call, options) {
      if (!call.responseStream) {
        try {
          return yield* call.next(call.request, options);
        } catch {
          return yield* call.next(call.request, { ...options, timeoutMs: 700 });
        }
      }
      return yield* call.next(call.request, options);
    };
    const error = await failure(
      clientOf(target, { middleware: [twice] }).unary({ text: "fail 5" }, { timeoutMs: 2_000 }),
    );
    expect(error.attempts).toHaveLength(1);
    const [first = 0, second = 0] = seen.map(({ remainingMs }) => remainingMs);
    expect(first).toBeGreaterThan(1_500);
    expect(second).toBeLessThanOrEqual(701);
  });
});

describe("openChannel", () => {
  it("is shared by clients, and stays open when one of them closes", async () => {
    const { target } = await started();
    const channel = openChannel({ target, timeoutMs: 1_234 });
    open.push(channel);
    expect(channel.snapshot()).toMatchObject({ version: 0, instances: [], stale: true });
    const [one, other] = [1, 2].map(() => createClient(EchoDefinition, { channel }));
    await one?.unary({ text: "a" });
    const underWay = failure(one?.unary({ text: "sleep 5000" }) ?? Promise.resolve());
    await one?.[Symbol.asyncDispose]();
    expect(await underWay).toMatchObject({ reason: "CLIENT_CLOSED" });
    expect(await failure(one?.unary({ text: "a" }) ?? Promise.resolve())).toMatchObject({
      reason: "CLIENT_CLOSED",
    });
    expect(await other?.unary({ text: "b" })).toEqual({ text: "b" });
    await channel.close();
    expect(await failure(other?.unary({ text: "b" }) ?? Promise.resolve())).toMatchObject({
      reason: "CLIENT_CLOSED",
    });
  });

  it("is ready with the first list, without a connection", async () => {
    await using channel = openChannel({ target: "127.0.0.1:1,127.0.0.1:2" });
    const snapshot = await channel.ready();
    expect(snapshot.instances.map(({ key }) => key)).toEqual(["127.0.0.1:1", "127.0.0.1:2"]);
    expect(channel.snapshot()).toBe(snapshot);
  });

  it("says why it is not ready", async () => {
    const target = `http://127.0.0.1:${await closedPort()}/api/v1/servicediscovery/upstreams/echo`;
    await using channel = openChannel({ target });
    await expect(channel.ready({ timeoutMs: 200 })).rejects.toMatchObject({
      name: "DiscoveryError",
      reason: "DIRECTORY_FAILED",
    });
    const gone = new Error("gone");
    await expect(channel.ready({ signal: AbortSignal.abort(gone) })).rejects.toBe(gone);
    const waiting = channel.ready();
    await channel.close();
    await expect(waiting).rejects.toMatchObject({ reason: "CLIENT_CLOSED" });
    const client = createClient(EchoDefinition, { target, firstListTimeoutMs: 200 });
    open.push(client);
    const error = await failure(client.unary({ text: "a" }));
    expect(error).toMatchObject({ reason: "DIRECTORY_FAILED", code: Status.UNAVAILABLE });
    expect(error.cause).toMatchObject({ name: "DiscoveryError", reason: "DIRECTORY_FAILED" });
  });

  it("gives clients nothing but a channel of its own", () => {
    const channel = { snapshot() {}, ready() {} } as never;
    expect(() => createClient(EchoDefinition, { channel })).toThrow("channel is not one that");
    const wrong = { channel, timeoutMs: 1 };
    expect(() => createClient(EchoDefinition, wrong)).toThrow('has no option "timeoutMs"');
  });
});
