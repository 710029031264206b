import { ServerError, Status } from "nice-grpc-common";
import { describe, expect, it } from "vitest";
import { CallAbort } from "../../../src/core/call-abort.js";
import { isSequence } from "../../../src/core/invocation.js";
import { servingError } from "../../../src/core/serving-error.js";
import type { Call, ProcessorShape } from "../../../src/processor/processor.js";
import { deliberateTrailers, isDeliberate } from "../../../src/processor/runner.js";
import { serviceRpcs } from "../../../src/processor/service-rpcs.js";
import { PredictServiceDefinition } from "../../../src/wire/proto.js";
import { type Echo, EchoDefinition } from "../../support/client-echo.js";
import { invocationOf } from "../../support/invocations.js";
import { failureOf, testRunner, textStream, textsOf } from "../../support/runners.js";

const echoMethods = {
  async unary({ text }: Echo, call: Call): Promise<Echo> {
    call.header.set("x-head", text);
    call.trailer.set("x-tail", text);
    return { text: `got ${text}` };
  },
  async pure({ text }: Echo): Promise<Echo> {
    return { text };
  },
  async *serverStream({ text }: Echo, call: Call): AsyncIterable<Echo> {
    for (const part of text.split(",")) yield { text: part };
    call.trailer.set("x-tail", "late");
  },
  async clientStream(requests: AsyncIterable<Echo>): Promise<Echo> {
    const texts: string[] = [];
    for await (const { text } of requests) texts.push(text);
    return { text: texts.join("+") };
  },
  async *bidi(requests: AsyncIterable<Echo>): AsyncIterable<Echo> {
    for await (const { text } of requests) yield { text: `${text}!` };
  },
};

function withMethods(methods: object): ProcessorShape {
  return { rpcs: serviceRpcs(EchoDefinition, { ...echoMethods, ...methods }) };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function ask(
  method: string,
  payloads: Uint8Array | AsyncIterable<Uint8Array>,
  abort = new CallAbort(),
) {
  const takesPieces = method === "ServerStream" || method === "Bidi";
  return invocationOf({
    handler: "rpc",
    method: `/test.Echo/${method}`,
    payloads,
    takesPieces,
    abort,
  });
}

describe("a runner of typed methods", () => {
  const echo = testRunner(withMethods({}));

  it("answers unary calls, with headers and trailers", async () => {
    const outcome = await echo.run(ask("Unary", bytes("a")));
    expect(await textsOf(outcome.payloads)).toEqual(["got a"]);
    expect(outcome.status).toBe(0);
    expect(outcome.headers.get("x-head")).toBe("a");
    expect(outcome.trailers.get("x-tail")).toBe("a");
  });

  it("answers server streams in pieces, with trailers set behind the last one", async () => {
    const outcome = await echo.run(ask("ServerStream", bytes("a,b")));
    expect(await textsOf(outcome.payloads)).toEqual(["a", "b"]);
    expect(outcome.trailers.get("x-tail")).toBe("late");
  });

  it("answers client streams and bidirectional ones", async () => {
    const client = await echo.run(ask("ClientStream", textStream(["a", "b"])));
    expect(await textsOf(client.payloads)).toEqual(["a+b"]);
    const bidi = await echo.run(ask("Bidi", textStream(["a", "b"])));
    expect(await textsOf(bidi.payloads)).toEqual(["a!", "b!"]);
  });

  it("takes messages off a stream only as they are asked for, and lets go of it early", async () => {
    const requests = textStream(["a", "b", "c"]);
    const { payloads } = await echo.run(ask("Bidi", requests));
    if (!isSequence(payloads)) throw new Error("expected pieces");
    const pieces = payloads[Symbol.asyncIterator]();
    expect(requests.pulled).toBe(0);
    await pieces.next();
    expect(requests.pulled).toBe(1);
    await pieces.return?.();
    expect(requests.closed).toBe(true);
  });

  it("lets go of a stream that the handler never read, however it ended", async () => {
    for (const clientStream of [
      async () => ({ text: "enough" }),
      async () => Promise.reject(new Error("no")),
    ]) {
      const requests = textStream(["a"]);
      await testRunner(withMethods({ clientStream }))
        .run(ask("ClientStream", requests))
        .catch(() => {});
      expect([requests.pulled, requests.closed]).toEqual([0, true]);
    }
  });

  it("reads and writes ts-proto's messages, partial ones included", async () => {
    const methods = {
      predict: async ({ data }: { data: Uint8Array }) => ({ data }),
      async *predictStream() {},
    };
    const runner = testRunner({ rpcs: serviceRpcs(PredictServiceDefinition, methods) });
    const { requestType, responseType, name } = PredictServiceDefinition.methods.predict;
    const outcome = await runner.run(
      invocationOf({
        handler: "rpc",
        method: `/${PredictServiceDefinition.fullName}/${name}`,
        payloads: requestType.encode({ service: "", path: "", data: bytes("x") }).finish(),
      }),
    );
    const answer = responseType.decode(outcome.payloads as Uint8Array);
    expect(answer).toMatchObject({ data: bytes("x"), status: 0 });
  });

  it("refuses what does not decode, alone and in a stream, before or through the handler", async () => {
    const malformed = { reason: "MALFORMED_REQUEST", code: 3 };
    expect(await failureOf(echo.run(ask("Unary", bytes("undecodable"))))).toMatchObject(malformed);
    const requests = textStream(["a", "undecodable", "c"]);
    expect(await failureOf(echo.run(ask("ClientStream", requests)))).toMatchObject(malformed);
    expect([requests.pulled, requests.closed]).toEqual([2, true]);
  });

  it("refuses methods that the processor lacks, and process() of one that has none", async () => {
    const unknown = { reason: "UNKNOWN_ROUTE", code: 12 };
    expect(await failureOf(echo.run(ask("Nothing", bytes(""))))).toMatchObject(unknown);
    expect(await failureOf(echo.run(invocationOf()))).toMatchObject(unknown);
  });

  it.each<[string, string, object]>([
    ["nothing", "Unary", { unary: async () => undefined }],
    ["a wrong type", "Unary", { unary: async () => ({ text: 5 }) }],
    ["a stream for one message", "Unary", { unary: async function* () {} }],
    ["a promise for a stream", "ServerStream", { serverStream: () => Promise.reject(new Error()) }],
    ["a list for a stream", "ServerStream", { serverStream: () => [{ text: "a" }] }],
    [
      "a wrong message in a stream",
      "ServerStream",
      {
        async *serverStream() {
          yield undefined;
        },
      },
    ],
  ])("calls %s a bad answer", async (_, method, methods) => {
    const failure = await failureOf(testRunner(withMethods(methods)).run(ask(method, bytes("a"))));
    expect(failure).toMatchObject({ reason: "PROCESSOR_BAD_ANSWER", code: 13 });
  });

  it("ends the handler's stream when one of its messages is wrong", async () => {
    let ended = false;
    const methods = {
      async *serverStream() {
        try {
          yield { text: 5 };
        } finally {
          ended = true;
        }
      },
    };
    await failureOf(testRunner(withMethods(methods)).run(ask("ServerStream", bytes("a"))));
    expect(ended).toBe(true);
  });

  it("lets a ServerError out as it is, with the trailers, from both kinds of answer", async () => {
    const refuse = (call: Call): never => {
      call.trailer.set("x-why", "because");
      throw new ServerError(Status.NOT_FOUND, "no such thing");
    };
    const runner = testRunner(
      withMethods({
        unary: async (_: Echo, call: Call) => refuse(call),
        async *serverStream(_: Echo, call: Call) {
          yield { text: "one" };
          refuse(call);
        },
      }),
    );
    for (const method of ["Unary", "ServerStream"]) {
      const error = await runner
        .run(ask(method, bytes("a")))
        .then(({ payloads }) => textsOf(payloads))
        .catch((thrown) => thrown);
      expect([error.code, error.message, isDeliberate(error)]).toEqual([5, "no such thing", true]);
      expect(deliberateTrailers(error)?.get("x-why")).toBe("because");
    }
  });

  it("hides the text of anything else, unless told to expose it", async () => {
    const processor = withMethods({ unary: async () => Promise.reject(new Error("secret")) });
    const hidden = await failureOf(testRunner(processor).run(ask("Unary", bytes("a"))));
    expect(hidden).toEqual({
      reason: "PROCESSOR_THREW",
      code: 2,
      message: "/test.Echo/Unary threw",
    });
    const shown = await failureOf(
      testRunner(processor, { exposeErrors: true }).run(ask("Unary", bytes("a"))),
    );
    expect(shown.message).toBe("/test.Echo/Unary threw: secret");
  });

  it("ends with the call's own reason when the handler minds its signal", async () => {
    const abort = new CallAbort();
    const minding = (call: Call, reject: (error: unknown) => void, error?: Error): void =>
      call.signal.addEventListener("abort", () => reject(error ?? call.signal.reason));
    const abortError = Object.assign(new Error("aborted"), { name: "AbortError" });
    const runner = testRunner(
      withMethods({
        unary: (_: Echo, call: Call) => new Promise((_, reject) => minding(call, reject)),
        pure: (_: Echo, call: Call) =>
          new Promise((_, reject) => minding(call, reject, abortError)),
      }),
    );
    const both = ["Unary", "Pure"].map((name) =>
      failureOf(runner.run(ask(name, bytes("a"), abort))),
    );
    abort.abort(servingError("CANCELLED", "the caller left"));
    for (const failure of await Promise.all(both)) expect(failure.reason).toBe("CANCELLED");
  });

  it("begins nothing for a call that has been given up", async () => {
    let begun = 0;
    const processor = {
      ...withMethods({ unary: async () => begun++ }),
      process: (data: Uint8Array) => {
        begun++;
        return data;
      },
    };
    const abort = new CallAbort();
    abort.abort(servingError("CANCELLED", "the caller left"));
    const runner = testRunner(processor);
    for (const invocation of [ask("Unary", bytes("a"), abort), invocationOf({ abort })]) {
      expect(await failureOf(runner.run(invocation))).toMatchObject({ reason: "CANCELLED" });
    }
    expect(begun).toBe(0);
  });
});

describe("serviceRpcs", () => {
  it("names the method that is missing", () => {
    const { bidi: _, ...rest } = echoMethods;
    expect(() => serviceRpcs(EchoDefinition, rest)).toThrow(
      'the implementation has no method "bidi", which answers /test.Echo/Bidi',
    );
  });

  it("refuses what is no definition", () => {
    expect(() => serviceRpcs({ methods: 5 }, {})).toThrow("expected a service definition");
    const bare = { call: { path: "/a.B/Call", requestStream: false, responseStream: false } };
    expect(() => serviceRpcs(bare, { call() {} })).toThrow("/a.B/Call has no codecs");
  });

  it("keeps what the proto promises of a method", () => {
    const levels = serviceRpcs(EchoDefinition, echoMethods).map((rpc) => rpc.idempotencyLevel);
    expect(levels).toEqual([undefined, "NO_SIDE_EFFECTS", undefined, undefined, undefined]);
  });
});

describe("a processor's shape", () => {
  it("has process() or typed methods", () => {
    expect(() => testRunner({})).toThrow("the processor answers nothing");
    expect(() => testRunner({ rpcs: [] })).toThrow("the processor answers nothing");
  });

  it("has one method a path", () => {
    const rpcs = [...serviceRpcs(EchoDefinition, echoMethods)];
    expect(() => testRunner({ rpcs: [...rpcs, ...rpcs] })).toThrow("two methods /test.Echo/Unary");
  });
});
