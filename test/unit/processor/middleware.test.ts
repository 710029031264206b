import {
  type CallContext,
  composeServerMiddleware,
  ServerError,
  type ServerMiddleware,
  type ServerMiddlewareCall,
  Status,
} from "nice-grpc-common";
import { describe, expect, it } from "vitest";
import { CallAbort } from "../../../src/core/call-abort.js";
import { isSequence } from "../../../src/core/invocation.js";
import { servingError } from "../../../src/core/serving-error.js";
import { middlewareList } from "../../../src/processor/middleware.js";
import type {
  AnyServerMiddleware,
  Call,
  ProcessorShape,
} from "../../../src/processor/processor.js";
import { predictMethods } from "../../../src/processor/run-process.js";
import { serviceRpcs } from "../../../src/processor/service-rpcs.js";
import { predictRpc, predictStreamRpc } from "../../../src/wire/predict.js";
import { type Echo, EchoDefinition } from "../../support/client-echo.js";
import { invocationOf } from "../../support/invocations.js";
import { failureOf, testRunner, textStream, textsOf } from "../../support/runners.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (data: Uint8Array): string => Buffer.from(data).toString();

const echoMethods = {
  unary: async ({ text }: Echo): Promise<Echo> => ({ text }),
  pure: async ({ text }: Echo): Promise<Echo> => ({ text }),
  async *serverStream({ text }: Echo): AsyncIterable<Echo> {
    for (const part of text.split(",")) yield { text: part };
  },
  async clientStream(requests: AsyncIterable<Echo>): Promise<Echo> {
    const texts: string[] = [];
    for await (const { text } of requests) texts.push(text);
    return { text: texts.join("+") };
  },
  async *bidi(requests: AsyncIterable<Echo>): AsyncIterable<Echo> {
    yield* requests;
  },
};

function typed(middleware: readonly AnyServerMiddleware[], methods: object = {}): ProcessorShape {
  return { rpcs: serviceRpcs(EchoDefinition, { ...echoMethods, ...methods }), middleware };
}

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

/** Notes when a call passes in and out. */
function logger(name: string, lines: string[]): ServerMiddleware {
  return async function* log(call, context) {
    lines.push(`${name} > ${call.method.path}`);
    try {
      return yield* call.next(call.request, context);
    } finally {
      lines.push(`< ${name}`);
    }
  };
}

interface WithUser {
  readonly user: string;
}

async function* authenticate<Req, Res>(
  call: ServerMiddlewareCall<Req, Res, WithUser>,
  context: CallContext,
) {
  const user = context.metadata.get("x-user") ?? "nobody";
  return yield* call.next(call.request, { ...context, user });
}

async function* onlyKnown<Req, Res>(
  call: ServerMiddlewareCall<Req, Res>,
  context: CallContext & WithUser,
) {
  if (context.user === "") throw new ServerError(Status.UNAUTHENTICATED, "who are you");
  return yield* call.next(call.request, context);
}

describe("middleware around typed methods", () => {
  it("runs for all four kinds, the first one outermost", async () => {
    for (const method of ["Unary", "ClientStream", "ServerStream", "Bidi"]) {
      const lines: string[] = [];
      const runner = testRunner(typed([logger("outer", lines), logger("inner", lines)]));
      const stream = method === "ClientStream" || method === "Bidi";
      const outcome = await runner.run(ask(method, stream ? textStream(["a", "b"]) : bytes("a,b")));
      const joined = { Unary: ["a,b"], ClientStream: ["a+b"] }[method] ?? ["a", "b"];
      expect(await textsOf(outcome.payloads)).toEqual(joined);
      const path = `/test.Echo/${method}`;
      expect(lines).toEqual([`outer > ${path}`, `inner > ${path}`, "< inner", "< outer"]);
    }
  });

  it("sees what nice-grpc shows it", async () => {
    let seen: object = {};
    const look: ServerMiddleware = async function* look(call, context) {
      const { method, requestStream, responseStream, request } = call;
      seen = { method, requestStream, responseStream, request };
      return yield* call.next(call.request, context);
    };
    await testRunner(typed([look])).run(ask("Pure", bytes("a")));
    expect(seen).toEqual({
      method: {
        path: "/test.Echo/Pure",
        requestStream: false,
        responseStream: false,
        options: { idempotencyLevel: "NO_SIDE_EFFECTS" },
      },
      requestStream: false,
      responseStream: false,
      request: { text: "a" },
    });
  });

  it("adds to the context, for the handler and the middleware behind it", async () => {
    const methods = {
      unary: async (_: Echo, call: Call & WithUser) => {
        call.trailer.set("x-seen", `${call.method} ${call.user}`);
        return { text: `${call.user}, ${call.remainingMs()}` };
      },
    };
    for (const middleware of [
      [authenticate, onlyKnown],
      [composeServerMiddleware<WithUser, object, object>(authenticate, onlyKnown)],
    ]) {
      const outcome = await testRunner(typed(middleware, methods)).run(ask("Unary", bytes("a")));
      expect(await textsOf(outcome.payloads)).toEqual(["nobody, Infinity"]);
      expect(outcome.trailers.get("x-seen")).toBe("/test.Echo/Unary nobody");
    }
  });

  it("changes requests and answers, one by one in streams", async () => {
    const shout: ServerMiddleware = async function* shout(call, context) {
      const louder = <T>(message: T): T => ({ text: `${(message as Echo).text}!` }) as T;
      if (!call.responseStream) {
        return louder(yield* call.next(call.request, context));
      }
      for await (const answer of call.next(call.request, context)) yield louder(answer);
      return;
    };
    const runner = testRunner(typed([shout]));
    for (const [method, texts] of [
      ["Unary", ["a,b!"]],
      ["ServerStream", ["a!", "b!"]],
    ] as const) {
      const { payloads } = await runner.run(ask(method, bytes("a,b")));
      expect(await textsOf(payloads)).toEqual(texts);
    }
  });

  it("refuses a call without the handler, as it is", async () => {
    let begun = false;
    const refuse: ServerMiddleware = async function* refuse(_, context) {
      context.trailer.set("x-why", "closed");
      yield* [];
      throw new ServerError(Status.PERMISSION_DENIED, "not today");
    };
    const methods = {
      unary: async () => {
        begun = true;
      },
    };
    const runner = testRunner(typed([refuse], methods));
    const failure = await failureOf(runner.run(ask("Unary", bytes("a"))));
    expect(failure).toMatchObject({ code: 7, message: "not today" });
    expect(begun).toBe(false);
  });

  it("hears what the handler throws, and may answer in its place", async () => {
    const rescue: ServerMiddleware = async function* rescue<Req, Res>(
      call: ServerMiddlewareCall<Req, Res>,
      context: CallContext,
    ) {
      try {
        return yield* call.next(call.request, context);
      } catch {
        return { text: "rescued" } as Res;
      }
    };
    const methods = { unary: async () => Promise.reject(new Error("no")) };
    const { payloads } = await testRunner(typed([rescue], methods)).run(ask("Unary", bytes("a")));
    expect(await textsOf(payloads)).toEqual(["rescued"]);
  });

  it("is told of its own mistakes as bad answers", async () => {
    const yields: ServerMiddleware = async function* yields<Req, Res>(
      call: ServerMiddlewareCall<Req, Res>,
    ) {
      yield call.request as Res;
    };
    const returnsNothing: ServerMiddleware = async function* returnsNothing() {};
    const returns: ServerMiddleware = async function* returns<Req, Res>(
      call: ServerMiddlewareCall<Req, Res>,
    ) {
      yield* [];
      return call.request as Res;
    };
    const passesOne: ServerMiddleware = async function* passesOne<Req, Res>(
      call: ServerMiddlewareCall<Req, Res>,
      context: CallContext,
    ) {
      return yield* call.next({} as Req, context);
    };
    for (const [middleware, method] of [
      [yields, "Unary"],
      [returnsNothing, "Unary"],
      [returns, "ServerStream"],
      [passesOne, "Bidi"],
    ] as const) {
      const payloads = method === "Bidi" ? textStream(["a"]) : bytes("a");
      const failure = await failureOf(testRunner(typed([middleware])).run(ask(method, payloads)));
      expect(failure).toMatchObject({ reason: "PROCESSOR_BAD_ANSWER" });
    }
  });

  it("ends with a stream that its reader gives up", async () => {
    const lines: string[] = [];
    const outcome = await testRunner(typed([logger("only", lines)])).run(
      ask("Bidi", textStream(["a", "b"])),
    );
    if (!isSequence(outcome.payloads)) throw new Error("expected pieces");
    const pieces = outcome.payloads[Symbol.asyncIterator]();
    await pieces.next();
    await pieces.return?.();
    expect(lines).toEqual(["only > /test.Echo/Bidi", "< only"]);
  });

  it("does not begin a handler whose call was given up while it waited", async () => {
    let begun = 0;
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const wait: ServerMiddleware = async function* wait(call, context) {
      await opened;
      return yield* call.next(call.request, context);
    };
    const count = async () => begun++;
    const runner = testRunner({
      ...typed([wait], { unary: count }),
      process: () => bytes(`${begun++}`),
    });
    const abort = new CallAbort();
    const failures = [ask("Unary", bytes("a"), abort), invocationOf({ abort })].map((invocation) =>
      failureOf(runner.run(invocation)),
    );
    abort.abort(servingError("CANCELLED", "the caller left"));
    open();
    for (const failure of await Promise.all(failures)) expect(failure.reason).toBe("CANCELLED");
    expect(begun).toBe(0);
  });

  it("is the host's where the runner was given some", async () => {
    const lines: string[] = [];
    const runner = testRunner(typed([logger("own", lines)]), {
      middleware: [logger("host", lines)],
    });
    await runner.run(ask("Unary", bytes("a")));
    expect(lines).toEqual(["host > /test.Echo/Unary", "< host"]);
  });
});

describe("middleware around process()", () => {
  const predict = (parts: object = {}) =>
    invocationOf({ service: "m", path: "/p", payloads: bytes("in"), ...parts });

  it("sees PredictService's methods, as the proto has them", () => {
    for (const [method, rpc] of [
      [predictMethods.single, predictRpc],
      [predictMethods.pieces, predictStreamRpc],
    ] as const) {
      const { path, requestStream, responseStream } = rpc;
      expect(method).toMatchObject({ path, requestStream, responseStream });
    }
  });

  it.each([
    ["grpc", false],
    ["grpc", true],
    ["eas", true],
  ] as const)(
    "sees request and answer by %s (pieces: %s), and the status is kept",
    async (door, takesPieces) => {
      const seen: unknown[] = [];
      const look: ServerMiddleware = async function* look(call, context) {
        seen.push(call.method.path, call.request);
        if (!call.responseStream) {
          const answer = yield* call.next(call.request, context);
          seen.push(answer);
          return answer;
        }
        for await (const answer of call.next(call.request, context)) {
          seen.push(answer);
          yield answer;
        }
        return;
      };
      const runner = testRunner({ process: (data) => [data, 404], middleware: [look] });
      const outcome = await runner.run(predict({ door, takesPieces }));
      expect([outcome.status, await textsOf(outcome.payloads)]).toEqual([404, ["in"]]);
      expect(isSequence(outcome.payloads)).toBe(false);
      expect(seen).toEqual([
        (takesPieces ? predictMethods.pieces : predictMethods.single).path,
        { service: "m", path: "/p", data: Buffer.from("in") },
        { data: Buffer.from("in"), status: 404 },
      ]);
    },
  );

  it("passes pieces on as they come", async () => {
    const lines: string[] = [];
    let yielded = 0;
    const runner = testRunner({
      async *process() {
        for (const text of ["a", "b", "c"]) {
          yielded++;
          yield bytes(text);
        }
      },
      middleware: [logger("only", lines)],
    });
    const { payloads } = await runner.run(predict({ takesPieces: true }));
    expect(yielded).toBe(1);
    expect(await textsOf(payloads)).toEqual(["a", "b", "c"]);
    expect(lines.at(-1)).toBe("< only");
  });

  it("refuses pieces for a caller that takes none", async () => {
    const runner = testRunner({
      async *process() {
        yield bytes("a");
      },
      middleware: [logger("only", [])],
    });
    expect(await failureOf(runner.run(predict()))).toMatchObject({ reason: "STREAM_NEEDED" });
  });

  it("changes what process() gets and gives, and adds to its call", async () => {
    const change: ServerMiddleware<WithUser> = async function* change<Req, Res>(
      call: ServerMiddlewareCall<Req, Res, WithUser>,
      context: CallContext,
    ) {
      const request = { ...call.request, data: bytes("changed") } as Req;
      const answer = yield* call.next(request, { ...context, user: "me" });
      return { data: bytes(`<${textOf((answer as { data: Uint8Array }).data)}>`) } as Res;
    };
    const runner = testRunner({
      process: (data, call) => bytes(`${textOf(data)} by ${(call as Call & WithUser).user}`),
      middleware: [change],
    });
    const { payloads, status } = await runner.run(predict());
    expect([await textsOf(payloads), status]).toEqual([["<changed by me>"], 0]);
  });

  it("is told of its own mistakes as bad answers", async () => {
    const noData: ServerMiddleware = async function* noData<Req, Res>(
      _call: ServerMiddlewareCall<Req, Res>,
    ) {
      yield* [];
      return { text: "what" } as Res;
    };
    const failure = await failureOf(
      testRunner({ process: (data) => data, middleware: [noData] }).run(predict()),
    );
    expect(failure).toMatchObject({ reason: "PROCESSOR_BAD_ANSWER" });
  });
});

describe("middlewareList", () => {
  it("takes one, a list, or none", () => {
    const one = logger("one", []);
    expect(middlewareList(undefined, "options.middleware")).toEqual([]);
    expect(middlewareList(one, "options.middleware")).toEqual([one]);
    expect(middlewareList([one, one], "options.middleware")).toEqual([one, one]);
  });

  it("refuses anything else", () => {
    for (const given of [5, [undefined], [logger("one", []), "two"], {}]) {
      expect(() => middlewareList(given as never, "options.middleware")).toThrow(
        /options\.middleware has .*expected nice-grpc server middleware/,
      );
    }
  });
});
