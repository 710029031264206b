import { setTimeout as sleep } from "node:timers/promises";
import {
  type AnyProcessor,
  type Call,
  implement,
  Metadata,
  ServerError,
  type ServiceMethods,
  Status,
} from "inferwire/host";
import type { MemoryHostOptions, Pair } from "inferwire/testing";
import type { CallContext, CompatServiceDefinition, ServerMiddlewareCall } from "nice-grpc";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Echo, EchoDefinition } from "../support/client-echo.js";
import { programUrl } from "../support/programs.js";
import { until } from "../support/until.js";
import { typedProcessor } from "./programs/host-lanes-typed.js";

/** A way to join a client and a host. */
export interface PairUnderTest {
  readonly name: string;
  create<D extends CompatServiceDefinition>(
    processor: AnyProcessor,
    options: { readonly definition: D; readonly host?: MemoryHostOptions },
  ): Promise<Pair<D>>;
}

type EchoMethods = ServiceMethods<typeof EchoDefinition>;

const echoes: EchoMethods = {
  async unary({ text }, call) {
    call.header.set("x-head", text);
    call.trailer.set("x-tail-bin", Buffer.from([0, 255, 1]));
    return { text: `${text}!` };
  },
  pure: async (request) => request,
  async *serverStream({ text }, call) {
    call.header.set("x-head", text);
    for (const part of text.split(",")) yield { text: part };
    call.trailer.set("x-tail", "late");
  },
  async clientStream(requests) {
    const texts: string[] = [];
    for await (const { text } of requests) texts.push(text);
    return { text: texts.join("+") };
  },
  async *bidi(requests) {
    for await (const { text } of requests) yield { text: `${text}!` };
  },
};

async function* send(...texts: readonly string[]): AsyncIterable<Echo> {
  for (const text of texts) yield { text };
}

async function collect(answers: AsyncIterable<Echo>): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const { text } of answers) all.push(text);
  return all;
}

/** A method that goes on until its call is over, and why it was. */
function untilOver() {
  let tell = (_: unknown): void => {};
  const reason = new Promise((resolve) => {
    tell = resolve;
  });
  const wait = (call: Call): Promise<never> =>
    new Promise((_, reject) => {
      call.signal.addEventListener("abort", () => {
        tell((call.signal.reason as { reason: string }).reason);
        reject(call.signal.reason);
      });
    });
  return { reason, wait };
}

/** What every pair keeps to, whatever joins its two halves. */
export function testPair({ name, create }: PairUnderTest): void {
  async function pairOf(methods: Partial<EchoMethods> = {}, host: MemoryHostOptions = {}) {
    const processor = implement(EchoDefinition, { ...echoes, ...methods });
    const pair = await create(processor, { definition: EchoDefinition, host });
    onTestFinished(() => pair.close());
    return pair;
  }

  describe(`${name}: the four kinds`, () => {
    it("unary, with headers and trailers both ways", async () => {
      const seen: unknown[] = [];
      const { client } = await pairOf({
        unary: async (request, call) => {
          seen.push(call.metadata.getAll("x-two"), call.metadata.get("x-bytes-bin"), call.door);
          return await echoes.unary(request, call);
        },
      });
      const metadata = Metadata();
      metadata.append("x-two", "a");
      metadata.append("x-two", "b");
      metadata.set("x-bytes-bin", Buffer.from([1, 0, 254]));
      const answer = await client.unary(
        { text: "hi" },
        {
          metadata,
          onHeader: (header) => seen.push(header.get("x-head")),
          onTrailer: (trailer) => seen.push(trailer.get("x-tail-bin")),
        },
      );
      expect(answer).toEqual({ text: "hi!" });
      const [two, bytes, ...rest] = seen;
      expect(two).toEqual(["a, b"]);
      expect(bytes).toEqual(Buffer.from([1, 0, 254]));
      expect(rest).toEqual(["grpc", "hi", Buffer.from([0, 255, 1])]);
    });

    it("server, client and bidirectional streaming", async () => {
      const { client } = await pairOf();
      const seen: unknown[] = [];
      const answers = client.serverStream(
        { text: "a,b,c" },
        {
          onHeader: (header) => seen.push(header.get("x-head")),
          onTrailer: (trailer) => seen.push(trailer.get("x-tail")),
        },
      );
      expect(await collect(answers)).toEqual(["a", "b", "c"]);
      expect(seen).toEqual(["a,b,c", "late"]);
      expect(await client.clientStream(send("a", "b", "c"))).toEqual({ text: "a+b+c" });
      expect(await client.clientStream(send())).toEqual({ text: "" });
      expect(await collect(client.bidi(send("a", "b")))).toEqual(["a!", "b!"]);
      expect(await collect(client.bidi(send()))).toEqual([]);
    });

    it("many calls at once, each with its own answer", async () => {
      const { client } = await pairOf({}, { maxQueueLength: 1_000 });
      const texts = Array.from({ length: 200 }, (_, at) => `call ${at}`);
      const answers = await Promise.all(texts.map((text) => client.unary({ text })));
      expect(answers.map(({ text }) => text)).toEqual(texts.map((text) => `${text}!`));
    });

    it.each([0, 1, 65_535, 65_536, 1_000_000])("a message of %s bytes", async (length) => {
      const { client } = await pairOf();
      const text = "x".repeat(length);
      expect((await client.pure({ text })).text).toBe(text);
      expect((await client.clientStream(send(text))).text).toBe(text);
    });

    it("answers while requests still come", async () => {
      const { client } = await pairOf();
      const texts: string[] = [];
      async function* turns(): AsyncIterable<Echo> {
        for (let at = 0; at < 3; at++) {
          await until(() => texts.length === at);
          yield { text: String(at) };
        }
      }
      for await (const { text } of client.bidi(turns())) texts.push(text);
      expect(texts).toEqual(["0!", "1!", "2!"]);
    });

    it("makes no more pieces than are read, but for a few on their way", async () => {
      let made = 0;
      const { client } = await pairOf({
        async *serverStream() {
          for (; made < 500; made++) yield { text: "x".repeat(100_000) };
        },
      });
      const answers = client.serverStream({ text: "" })[Symbol.asyncIterator]();
      expect((await answers.next()).done).toBe(false);
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(made).toBeLessThan(250);
      let read = 1;
      while ((await answers.next()).done !== true) read++;
      expect(read).toBe(500);
    });
  });

  describe(`${name}: ends`, () => {
    const cases: readonly (readonly [
      what: string,
      thrown: unknown,
      seen: { readonly code: Status; readonly reason: string },
      advice: string,
    ])[] = [
      [
        "a ServerError",
        new ServerError(Status.NOT_FOUND, "no \u00e9"),
        { code: 5, reason: "CALL_FAILED" },
        "act on the code",
      ],
      [
        "any other error",
        new Error("secret"),
        { code: 2, reason: "PROCESSOR_THREW" },
        "read the host's log",
      ],
    ];

    it.each(cases)(
      "%s of the processor, before and between messages",
      async (_, thrown, seen, advice) => {
        const { client } = await pairOf({
          async unary() {
            throw thrown;
          },
          async *serverStream() {
            yield { text: "one" };
            throw thrown;
          },
        });
        const error = await client.unary({ text: "" }).catch((caught: unknown) => caught);
        expect(error).toMatchObject({ ...seen, remote: true });
        expect(String(error)).not.toContain("secret");
        expect(String(error)).toContain(advice);
        if (thrown instanceof ServerError) expect(String(error)).toContain(thrown.details);
        const got: string[] = [];
        const streamed = async () => {
          for await (const { text } of client.serverStream({ text: "" })) got.push(text);
        };
        await expect(streamed()).rejects.toMatchObject({ ...seen, remote: true });
        expect(got).toEqual(["one"]);
      },
    );

    it("the caller's deadline, which the processor sees", async () => {
      const { reason, wait } = untilOver();
      const remaining: number[] = [];
      const { client } = await pairOf({
        unary: (_, call) => {
          remaining.push(call.remainingMs());
          return wait(call);
        },
      });
      const late = client.unary({ text: "" }, { timeoutMs: 100 });
      await expect(late).rejects.toMatchObject({ reason: "DEADLINE_EXCEEDED", remote: false });
      expect(await reason).toBe("DEADLINE_EXCEEDED");
      expect(remaining[0]).toBeLessThanOrEqual(101);
    });

    it("the host's own deadline", async () => {
      const { wait } = untilOver();
      const { client } = await pairOf({ unary: (_, call) => wait(call) }, { requestTimeoutMs: 50 });
      const late = client.unary({ text: "" });
      await expect(late).rejects.toMatchObject({ reason: "DEADLINE_EXCEEDED", remote: true });
    });

    it("a caller that gives up, of every kind", async () => {
      const over = [untilOver(), untilOver(), untilOver(), untilOver()] as const;
      const entered = { unary: false, clientStream: false };
      const { client } = await pairOf({
        unary: (_, call) => {
          entered.unary = true;
          return over[0].wait(call);
        },
        async *serverStream(_, call) {
          yield { text: "one" };
          await over[1].wait(call);
        },
        clientStream: (_, call) => {
          entered.clientStream = true;
          return over[2].wait(call);
        },
        async *bidi(_, call) {
          yield { text: "one" };
          await over[3].wait(call);
        },
      });
      const stop = new AbortController();
      const { signal } = stop;
      const endless = async function* (): AsyncIterable<Echo> {
        for (;;) {
          yield { text: "more" };
          await sleep(5);
        }
      };
      const unary = client.unary({ text: "" }, { signal }).catch(() => "given up");
      const uploaded = client.clientStream(endless(), { signal }).catch(() => "given up");
      for await (const { text } of client.serverStream({ text: "" })) {
        expect(text).toBe("one");
        break;
      }
      for await (const { text } of client.bidi(endless())) {
        expect(text).toBe("one");
        break;
      }
      await until(() => entered.unary && entered.clientStream);
      stop.abort();
      expect(await Promise.all([unary, uploaded])).toEqual(["given up", "given up"]);
      const reasons = await Promise.all(over.map(({ reason }) => reason));
      expect(reasons).toEqual(Array(4).fill("CANCELLED"));
    });

    it("a queue that is full, without a call lost", async () => {
      let free = (): void => {};
      const freed = new Promise<void>((resolve) => {
        free = resolve;
      });
      const { client } = await pairOf(
        {
          unary: async (request) => {
            await freed;
            return request;
          },
        },
        { workerThreads: 1, maxQueueLength: 1 },
      );
      const refused: unknown[] = [];
      const answered: Echo[] = [];
      const calls = Array.from({ length: 10 }, () =>
        client.unary({ text: "x" }).then(
          (answer) => answered.push(answer),
          (error: unknown) => refused.push(error),
        ),
      );
      await until(() => refused.length === 8);
      free();
      await Promise.all(calls);
      expect(answered).toHaveLength(2);
      for (const error of refused) {
        expect(error).toMatchObject({ reason: "QUEUE_FULL", remote: true });
      }
    });

    it("messages that are too large or no messages", async () => {
      const { client } = await pairOf(
        { unary: async ({ text }) => ({ text: "x".repeat(Number(text)) }) },
        { maxMessageBytes: 1_000 },
      );
      const tooLarge = { code: Status.RESOURCE_EXHAUSTED };
      await expect(client.pure({ text: "x".repeat(1_001) })).rejects.toMatchObject(tooLarge);
      await expect(client.unary({ text: "1001" })).rejects.toMatchObject({
        ...tooLarge,
        reason: "MESSAGE_TOO_LARGE",
      });
      await expect(client.pure({ text: "undecodable" })).rejects.toMatchObject({
        reason: "MALFORMED_REQUEST",
        remote: true,
      });
      expect((await client.unary({ text: "11" })).text).toBe("xxxxxxxxxxx");
      await expect(client.pure({ text: "x".repeat(1_000) })).resolves.toBeDefined();
    });

    it("an answer that the client cannot decode", async () => {
      const { client } = await pairOf({ unary: async () => ({ text: "undecodable" }) });
      await expect(client.unary({ text: "x" })).rejects.toMatchObject({ code: Status.INTERNAL });
    });

    it("a method that the host does not have", async () => {
      const { unary: _, ...definition } = EchoDefinition;
      const other = { ...definition, more: { ...EchoDefinition.unary, path: "/test.Echo/More" } };
      const processor = implement(EchoDefinition, echoes);
      const { client, close } = await create(processor, { definition: other });
      onTestFinished(close);
      await expect(client.more({ text: "" })).rejects.toMatchObject({
        code: Status.UNIMPLEMENTED,
        remote: true,
      });
    });

    it("a wrong token, while the pair's own is taken", async () => {
      const { client } = await pairOf({}, { token: ["first", "second"] });
      expect(await client.pure({ text: "in" })).toEqual({ text: "in" });
      const metadata = Metadata({ authorization: "third" });
      await expect(client.pure({ text: "" }, { metadata })).rejects.toMatchObject({
        reason: "UNAUTHENTICATED",
        remote: true,
      });
    });

    it("headers that are too many or too large", async () => {
      const { client } = await pairOf(
        {},
        { limits: { maxHeaderBytes: 2_000, maxHeaderCount: 20 } },
      );
      const refused = { reason: "HEADERS_TOO_LARGE", remote: true };
      const large = Metadata({ "x-large": "x".repeat(2_000) });
      await expect(client.pure({ text: "" }, { metadata: large })).rejects.toMatchObject(refused);
      const many = Metadata(
        Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`x-${n}`, "1"])),
      );
      await expect(client.pure({ text: "" }, { metadata: many })).rejects.toMatchObject(refused);
    });
  });

  describe(`${name}: the rest of a host`, () => {
    it("runs middleware around a method", async () => {
      const { client } = await pairOf(
        {},
        {
          middleware: [
            async function* <Request, Response>(
              call: ServerMiddlewareCall<Request, Response>,
              context: CallContext,
            ) {
              context.header.set("x-seen", call.method.path);
              return yield* call.next(call.request, context);
            },
          ],
        },
      );
      const seen: unknown[] = [];
      await client.pure({ text: "" }, { onHeader: (header) => seen.push(header.get("x-seen")) });
      expect(seen).toEqual(["/test.Echo/Pure"]);
    });

    it.each(["thread", "process"] as const)("serves from %s lanes", async (lane) => {
      const host = {
        lane,
        ...(lane === "thread" ? { workerThreads: 1 } : {}),
        module: programUrl("host-lanes-typed.ts"),
      };
      const pair = await create(typedProcessor(), { definition: EchoDefinition, host });
      onTestFinished(() => pair.close());
      const { client } = pair;
      expect(await client.unary({ text: "a" })).toEqual({ text: "a!" });
      expect(await collect(client.serverStream({ text: "a,b" }))).toEqual(["a", "b"]);
      expect(await client.clientStream(send("a", "b"))).toEqual({ text: "a+b" });
      expect(await collect(client.bidi(send("a", "b")))).toEqual(["a!", "b!"]);
    });

    it("drains: what runs is answered, what comes later is not", async () => {
      let free = (): void => {};
      const { client, host } = await pairOf({
        unary: async (request) => {
          await new Promise<void>((resolve) => {
            free = resolve;
          });
          return request;
        },
      });
      const running = client.unary({ text: "kept" });
      const started = free;
      await until(() => free !== started);
      const closed = host.close();
      const late = client.pure({ text: "" }, { timeoutMs: 200 });
      await expect(late).rejects.toMatchObject({ code: expect.any(Number) });
      free();
      expect(await running).toEqual({ text: "kept" });
      await closed;
      expect(host.state).toBe("stopped");
    });

    it("aborts what runs when the grace period is over", async () => {
      const { reason, wait } = untilOver();
      let begun = false;
      const { client, host } = await pairOf({
        unary: (_, call) => {
          begun = true;
          return wait(call);
        },
      });
      const running = client.unary({ text: "" }).catch((caught: unknown) => caught);
      await until(() => begun);
      await host.close({ gracePeriodMs: 30 });
      expect(await running).toMatchObject({ code: Status.UNAVAILABLE });
      expect(await reason).toBe("ABORTED_BY_STOP");
    });

    it("closes with calls under way, twice", async () => {
      const { wait } = untilOver();
      const pair = await pairOf({ unary: (_, call) => wait(call) });
      const running = pair.client.unary({ text: "" }).catch((caught: unknown) => caught);
      await Promise.all([pair.close(), pair.close()]);
      expect(await running).toMatchObject({ reason: "CLIENT_CLOSED" });
      expect(pair.host.state).toBe("stopped");
    });
  });
}
