import {
  Client,
  type ClientDuplexStream,
  type ClientWritableStream,
  credentials,
  type Metadata as GrpcMetadata,
  type ServiceError,
} from "@grpc/grpc-js";
import {
  type Call,
  type HostOptions,
  implement,
  Metadata,
  type ProcessorHost,
  ServerError,
  type ServiceMethods,
  Status,
} from "inferwire/host";
import { createChannel, createClient, type ServerMiddleware } from "nice-grpc";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Echo, EchoDefinition } from "../support/client-echo.js";
import { startTestHost } from "../support/hosts.js";
import { post } from "../support/raw-http.js";
import { recordingLogger } from "../support/recording-logger.js";

type EchoMethods = ServiceMethods<typeof EchoDefinition>;

const echoMethods: EchoMethods = {
  async unary({ text }, call) {
    call.header.set("x-head", text);
    call.trailer.set("x-tail", text);
    return { text };
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

async function serve(
  methods: Partial<EchoMethods> = {},
  options: HostOptions = {},
): Promise<ProcessorHost> {
  const { logger } = recordingLogger();
  const host = await implement(
    EchoDefinition,
    { ...echoMethods, ...methods },
    { endpoint: "127.0.0.1:0", logger, ...options },
  ).start();
  onTestFinished(() => host.close({ gracePeriodMs: 0 }));
  return host;
}

function niceClient(host: ProcessorHost) {
  const channel = createChannel(`127.0.0.1:${host.address.port}`);
  onTestFinished(() => channel.close());
  return createClient(EchoDefinition, channel);
}

function grpcClient(host: ProcessorHost): Client {
  const client = new Client(`127.0.0.1:${host.address.port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  return client;
}

/** A client stream of grpc-js, and how it ends. */
function openClientStream(client: Client): {
  readonly call: ClientWritableStream<Echo>;
  readonly answered: Promise<Echo | ServiceError>;
} {
  const { path, requestSerialize, responseDeserialize } = EchoDefinition.clientStream;
  let answer = (_: Echo | ServiceError): void => {};
  const answered = new Promise<Echo | ServiceError>((resolve) => {
    answer = resolve;
  });
  const call = client.makeClientStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    (error: ServiceError | null, echo?: Echo) => answer(error ?? echo ?? { text: "nothing" }),
  );
  return { call, answered };
}

function openBidi(client: Client): ClientDuplexStream<Echo, Echo> {
  const { path, requestSerialize, responseDeserialize } = EchoDefinition.bidi;
  return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
}

async function* texts(...all: readonly string[]): AsyncIterable<Echo> {
  for (const text of all) yield { text };
}

async function collect(answers: AsyncIterable<Echo>): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const { text } of answers) all.push(text);
  return all;
}

/** A handler that waits until its call is over, and why it was. */
function untilAborted(): { readonly reason: Promise<unknown>; wait(call: Call): Promise<never> } {
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

describe("a typed service on a host", () => {
  it("answers all four kinds for nice-grpc's client, with headers and trailers", async () => {
    const client = niceClient(await serve());
    let header: Metadata | undefined;
    let trailer: Metadata | undefined;
    const options = {
      onHeader(metadata: Metadata) {
        header = metadata;
      },
      onTrailer(metadata: Metadata) {
        trailer = metadata;
      },
    };
    expect(await client.unary({ text: "a" }, options)).toEqual({ text: "a" });
    expect([header?.get("x-head"), trailer?.get("x-tail")]).toEqual(["a", "a"]);
    expect(await collect(client.serverStream({ text: "a,b" }, options))).toEqual(["a", "b"]);
    expect([header?.get("x-head"), trailer?.get("x-tail")]).toEqual(["a,b", "late"]);
    expect(await client.clientStream(texts("a", "b"))).toEqual({ text: "a+b" });
    expect(await client.clientStream(texts())).toEqual({ text: "" });
    expect(await collect(client.bidi(texts("a", "b")))).toEqual(["a!", "b!"]);
    expect(await collect(client.bidi(texts()))).toEqual([]);
  });

  it("answers grpc-js's client while messages still come", async () => {
    const call = openBidi(grpcClient(await serve()));
    const answers: string[] = [];
    const ended = new Promise((resolve) => call.on("status", resolve));
    call.on("data", ({ text }: Echo) => {
      answers.push(text);
      if (answers.length < 3) call.write({ text: String(answers.length) });
      else call.end();
    });
    call.write({ text: "0" });
    expect(await ended).toMatchObject({ code: Status.OK });
    expect(answers).toEqual(["0!", "1!", "2!"]);
  });

  it("sends errors with code, message, trailers and reason, of each kind", async () => {
    const refuse = (call: Call): never => {
      call.trailer.set("x-why", "because");
      throw new ServerError(Status.FAILED_PRECONDITION, "not now");
    };
    const client = niceClient(
      await serve({
        unary: async (_, call) => refuse(call),
        async *serverStream(_, call) {
          yield { text: "first" };
          refuse(call);
        },
        clientStream: async (_, call) => refuse(call),
        async *bidi(requests, call) {
          for await (const request of requests) {
            yield request;
            refuse(call);
          }
        },
        pure: async () => Promise.reject(new Error("secret")),
      }),
    );
    let trailer: Metadata | undefined;
    const options = {
      onTrailer(metadata: Metadata) {
        trailer = metadata;
      },
    };
    for (const run of [
      () => client.unary({ text: "a" }, options),
      () => collect(client.serverStream({ text: "a" }, options)),
      () => client.clientStream(texts("a"), options),
      () => collect(client.bidi(texts("a", "b"), options)),
    ]) {
      trailer = undefined;
      await expect(run()).rejects.toMatchObject({
        code: Status.FAILED_PRECONDITION,
        details: "not now",
      });
      const { get } = trailer ?? Metadata();
      expect(get.call(trailer, "x-why")).toBe("because");
      expect(get.call(trailer, "inferwire-reason")).toBe("CALL_FAILED");
    }
    await expect(client.pure({ text: "a" })).rejects.toMatchObject({
      code: Status.UNKNOWN,
      details: "/test.Echo/Pure threw",
    });
  });

  it("refuses what does not decode, and a method of which it does not know", async () => {
    const host = await serve();
    const client = niceClient(host);
    const malformed = { code: Status.INVALID_ARGUMENT };
    await expect(client.unary({ text: "undecodable" })).rejects.toMatchObject(malformed);
    await expect(client.clientStream(texts("a", "undecodable"))).rejects.toMatchObject(malformed);
    expect(await client.unary({ text: "a" })).toEqual({ text: "a" });
  });

  it("ends at the caller's deadline, and tells the handler", async () => {
    const { reason, wait } = untilAborted();
    const { path, requestSerialize, responseDeserialize } = EchoDefinition.clientStream;
    const client = grpcClient(await serve({ clientStream: (_, call) => wait(call) }));
    const error = await new Promise<ServiceError | null>((resolve) => {
      const deadline = Date.now() + 200;
      client
        .makeClientStreamRequest(path, requestSerialize, responseDeserialize, { deadline }, resolve)
        .write({ text: "a" });
    });
    expect(error?.code).toBe(Status.DEADLINE_EXCEEDED);
    // The caller's clock may be the first to see it: its reset then comes before the host's own timer.
    expect(["DEADLINE_EXCEEDED", "CANCELLED"]).toContain(await reason);
  });

  it("ends at the host's own limit, and when the caller of a stream falls silent", async () => {
    const slow = grpcClient(await serve({}, { requestTimeoutMs: 150 }));
    const { answered, call } = openClientStream(slow);
    call.write({ text: "a" });
    expect(await answered).toMatchObject({ code: Status.DEADLINE_EXCEEDED });

    const silent = openBidi(grpcClient(await serve({}, { streamIdleTimeoutMs: 150 })));
    const error = new Promise((resolve) => silent.on("error", resolve));
    silent.on("data", () => {});
    silent.write({ text: "a" });
    expect(await error).toMatchObject({
      code: Status.DEADLINE_EXCEEDED,
      details: "no message of the stream came in or went out within 150 ms",
    });
  });

  it("tells the handler when the caller cancels", async () => {
    const { reason, wait } = untilAborted();
    const host = await serve({
      async *bidi(_, call) {
        yield { text: "begun" };
        await wait(call);
      },
    });
    const call = openBidi(grpcClient(host));
    call.on("error", () => {});
    call.write({ text: "a" });
    await new Promise((resolve) => call.once("data", resolve));
    call.cancel();
    expect(await reason).toBe("CANCELLED");
  });

  it("ends the handler's reading when the caller of a stream leaves", async () => {
    let ended = (_: unknown): void => {};
    const outcome = new Promise((resolve) => {
      ended = resolve;
    });
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const host = await serve({
      async clientStream(requests) {
        try {
          for await (const _ of requests) begin();
          ended("as if the stream were whole");
        } catch (error) {
          ended((error as { reason: string }).reason);
          throw error;
        }
        return { text: "" };
      },
    });
    const { call, answered } = openClientStream(grpcClient(host));
    call.write({ text: "a" });
    await begun;
    call.cancel();
    expect(await answered).toMatchObject({ code: Status.CANCELLED });
    expect(await outcome).toBe("CANCELLED");
  });

  it("reads a stream no faster than the handler does", async () => {
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    let received = 0;
    const host = await serve(
      {
        async clientStream(requests) {
          for await (const { text } of requests) {
            received += text.length;
            await opened;
          }
          return { text: String(received) };
        },
      },
      { requestTimeoutMs: 20_000 },
    );
    const { call, answered } = openClientStream(grpcClient(host));
    const total = 400;
    const text = "x".repeat(100_000);
    let flushed = 0;
    for (let index = 0; index < total; index++) call.write({ text }, () => flushed++);
    call.end();
    // Until nothing has moved for a while: what fits into windows and sockets has gone out then.
    for (let still = 0, last = -1; still < 50; still = flushed === last ? still + 1 : 0) {
      last = flushed;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(received).toBe(text.length);
    expect(flushed).toBeLessThan(total / 2);
    open();
    expect(await answered).toEqual({ text: String(total * text.length) });
  });

  it("answers a client stream that its handler abandons, and goes on serving the connection", async () => {
    const host = await serve({
      async clientStream(requests) {
        for await (const { text } of requests) return { text: `${text}, enough` };
        return { text: "" };
      },
    });
    const client = grpcClient(host);
    for (let round = 0; round < 3; round++) {
      const { call, answered } = openClientStream(client);
      call.on("error", () => {});
      for (let index = 0; index < 50; index++) call.write({ text: "a" });
      expect(await answered).toEqual({ text: "a, enough" });
      call.end();
    }
    await host.close({ gracePeriodMs: 5_000 });
    expect(host.state).toBe("stopped");
  });

  it("refuses an answer that is too large, alone and in a stream", async () => {
    const large = "x".repeat(2_000);
    const client = niceClient(
      await serve(
        {
          unary: async () => ({ text: large }),
          async *serverStream() {
            yield { text: "small" };
            yield { text: large };
          },
        },
        { maxMessageBytes: 1_000 },
      ),
    );
    const tooLarge = { code: Status.RESOURCE_EXHAUSTED };
    await expect(client.unary({ text: "a" })).rejects.toMatchObject(tooLarge);
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { text } of client.serverStream({ text: "a" })) seen.push(text);
    })();
    await expect(reading).rejects.toMatchObject(tooLarge);
    expect(seen).toEqual(["small"]);
  });

  it("refuses a call while all places are taken and none may wait, before its stream is read", async () => {
    const { wait } = untilAborted();
    const host = await serve(
      { clientStream: (_, call) => wait(call) },
      { workerThreads: 1, maxQueueLength: 0 },
    );
    const client = grpcClient(host);
    const first = openClientStream(client);
    first.call.write({ text: "a" });
    let error: unknown;
    for (;;) {
      const second = openClientStream(client);
      second.call.on("error", () => {});
      error = await Promise.race([
        second.answered,
        new Promise((resolve) => setTimeout(resolve, 200)),
      ]);
      if (error !== undefined) break;
      second.call.cancel();
    }
    const { code, metadata } = error as { code: number; metadata: GrpcMetadata };
    expect([code, metadata.get("inferwire-reason")]).toEqual([Status.UNAVAILABLE, ["QUEUE_FULL"]]);
    first.call.cancel();
    await first.answered;
  });

  it("runs middleware around its methods, with what it adds to the context", async () => {
    const lines: string[] = [];
    const log: ServerMiddleware = async function* log(call, context) {
      lines.push(call.method.path);
      return yield* call.next(call.request, context);
    };
    const authenticate: ServerMiddleware<{ user: string }> = async function* authenticate(
      call,
      context,
    ) {
      const user = context.metadata.get("x-user");
      if (user === undefined) throw new ServerError(Status.UNAUTHENTICATED, "who are you");
      return yield* call.next(call.request, { ...context, user });
    };
    const host = await serve(
      { unary: async (_, call) => ({ text: (call as Call & { user: string }).user }) },
      { middleware: [log, authenticate] },
    );
    const client = niceClient(host);
    const metadata = Metadata({ "x-user": "me" });
    expect(await client.unary({ text: "a" }, { metadata })).toEqual({ text: "me" });
    expect(await collect(client.bidi(texts("a"), { metadata }))).toEqual(["a!"]);
    await expect(client.unary({ text: "a" })).rejects.toMatchObject({
      code: Status.UNAUTHENTICATED,
    });
    expect(lines).toEqual(["/test.Echo/Unary", "/test.Echo/Bidi", "/test.Echo/Unary"]);
  });
});

describe("middleware around process()", () => {
  it("runs for HTTP too, and keeps the status of the answer", async () => {
    const seen: unknown[] = [];
    const look: ServerMiddleware = async function* look(call, context) {
      seen.push(call.method.path);
      return yield* call.next(call.request, context);
    };
    const options: HostOptions = { middleware: look };
    const { port } = await startTestHost({ process: (data) => [data, 404] }, options);
    const answer = await post(port, "/api/predict/any", "in");
    expect([answer.status, answer.text]).toEqual([404, "in"]);
    expect(seen).toEqual(["/inferwire.predict.v1.PredictService/PredictStream"]);
  });
});
