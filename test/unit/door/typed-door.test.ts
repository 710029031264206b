import { describe, expect, it } from "vitest";
import {
  type Invocation,
  isSequence,
  type Outcome,
  type Payloads,
} from "../../../src/core/invocation.js";
import { emptyMetadata, metadataOf } from "../../../src/core/metadata.js";
import { servingError } from "../../../src/core/serving-error.js";
import { REASON_TRAILER } from "../../../src/core/trailers.js";
import { typedRoutes } from "../../../src/door/typed-door.js";
import type { RpcReader } from "../../../src/server/rpc.js";
import { LOAD_TRAILER } from "../../../src/wire/load-report.js";
import { createFakeClock, type FakeClock, flushPromises } from "../../support/fake-clock.js";
import { FakeInvoker, FakeRpcCall } from "../../support/rpc-door-call.js";

const bytes = (text: string): Uint8Array => Buffer.from(text);

function outcomeOf(payloads: Payloads, parts: Partial<Outcome> = {}): Outcome {
  return { payloads, status: 0, headers: emptyMetadata, trailers: emptyMetadata, ...parts };
}

interface Kind {
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}
const unary: Kind = { requestStream: false, responseStream: false };
const clientStream: Kind = { requestStream: true, responseStream: false };
const serverStream: Kind = { requestStream: false, responseStream: true };
const bidi: Kind = { requestStream: true, responseStream: true };

interface Begun {
  readonly clock: FakeClock;
  readonly invoker: FakeInvoker;
  readonly reader: RpcReader;
  /** The invocation, once there is one. */
  readonly invoked: Invocation[];
}

function begin(
  kind: Kind,
  call: FakeRpcCall,
  run: (invocation: Invocation) => Promise<Outcome>,
  requestTimeoutMs?: number,
): Begun {
  const clock = createFakeClock();
  const invoked: Invocation[] = [];
  const invoker = new FakeInvoker(
    clock,
    (invocation) => {
      invoked.push(invocation);
      return run(invocation);
    },
    requestTimeoutMs,
  );
  const [route] = typedRoutes(invoker, [{ path: "/test.Echo/Any", ...kind }]);
  if (route === undefined) throw new Error("expected a route");
  return { clock, invoker, reader: route.accept(call), invoked };
}

const never = (): Promise<never> => new Promise(() => {});

function requestsOf({ payloads }: Invocation): AsyncIterator<Uint8Array> {
  if (!isSequence(payloads)) throw new Error("expected a request stream");
  return payloads[Symbol.asyncIterator]();
}

async function joined(invocation: Invocation): Promise<Outcome> {
  const texts: string[] = [];
  if (isSequence(invocation.payloads)) {
    for await (const piece of invocation.payloads) texts.push(Buffer.from(piece).toString());
  }
  return outcomeOf(bytes(texts.join("+")));
}

/** Answers each message with itself. */
async function echoed(invocation: Invocation): Promise<Outcome> {
  if (!isSequence(invocation.payloads)) throw new Error("expected a request stream");
  return outcomeOf(invocation.payloads);
}

describe("a typed call over gRPC", () => {
  it("reads one message before it is run, and ends once", async () => {
    const call = new FakeRpcCall();
    const { reader, invoked, invoker } = begin(unary, call, async ({ payloads }) =>
      outcomeOf(payloads, {
        headers: metadataOf({ "x-head": "1" }),
        trailers: metadataOf({ "x-tail": "2" }),
      }),
    );
    expect([call.reads, invoked.length]).toEqual([1, 0]);
    reader.onMessage(bytes("a"));
    reader.onHalfClose();
    expect(invoked[0]).toMatchObject({ handler: "rpc", method: "/test.Echo/Any", service: "" });
    await flushPromises();
    invoked[0]?.giveUp(servingError("ABORTED_BY_STOP", "too late"));
    reader.onClose();
    expect(call.sent).toEqual(["a"]);
    expect(call.headers[0]?.get("x-head")).toBe("1");
    expect(call.ends).toHaveLength(1);
    expect(call.ends[0]?.trailers?.get("x-tail")).toBe("2");
    expect(invoker.statuses).toEqual(["OK"]);
  });

  it("runs a request stream at once, and reads a message only when it is asked for", async () => {
    const call = new FakeRpcCall();
    const { reader, invoked } = begin(clientStream, call, never);
    const [invocation] = invoked;
    if (invocation === undefined) throw new Error("expected an invocation");
    expect(call.reads).toBe(0);
    const requests = requestsOf(invocation);
    const both = [requests.next(), requests.next()];
    expect(call.reads).toBe(1);
    reader.onMessage(bytes("a"));
    expect(call.reads).toBe(2);
    reader.onHalfClose();
    expect(await Promise.all(both)).toEqual([
      { done: false, value: bytes("a") },
      { done: true, value: undefined },
    ]);
    expect(await requests.next()).toEqual({ done: true, value: undefined });
    expect(call.reads).toBe(2);
  });

  it("answers client streams and bidirectional ones", async () => {
    for (const [kind, run, sent] of [
      [clientStream, joined, ["a+b"]],
      [bidi, echoed, ["a", "b"]],
    ] as const) {
      const call = new FakeRpcCall();
      const { reader, invoker } = begin(kind, call, run);
      for (const text of ["a", "b"]) {
        await flushPromises();
        reader.onMessage(bytes(text));
      }
      await flushPromises();
      reader.onHalfClose();
      await flushPromises();
      expect([call.sent, invoker.statuses]).toEqual([sent, ["OK"]]);
    }
  });

  it("reads no further while an answer waits to go out", async () => {
    const call = new FakeRpcCall({ flushes: false });
    const { reader } = begin(bidi, call, echoed);
    await flushPromises();
    reader.onMessage(bytes("a"));
    await flushPromises();
    expect([call.sent, call.reads]).toEqual([["a"], 1]);
    call.flush?.();
    await flushPromises();
    expect(call.reads).toBe(2);
  });

  it("tells whoever reads why the call is over, also when asked later", async () => {
    const call = new FakeRpcCall();
    const { reader, invoked, invoker } = begin(clientStream, call, joined);
    await flushPromises();
    reader.onClose();
    await flushPromises();
    const [invocation] = invoked;
    if (invocation === undefined) throw new Error("expected an invocation");
    await expect(requestsOf(invocation).next()).rejects.toMatchObject({ reason: "CANCELLED" });
    expect(invocation.abort.reason?.reason).toBe("CANCELLED");
    expect([invoker.statuses, call.ends]).toEqual([["CANCELLED"], []]);
  });

  it("ends without waiting for a stream that is abandoned, and drops what still comes", async () => {
    const call = new FakeRpcCall();
    const { reader, invoked, invoker } = begin(clientStream, call, async (invocation) => {
      const requests = requestsOf(invocation);
      await requests.next();
      await requests.return?.();
      return outcomeOf(bytes("enough"));
    });
    await flushPromises();
    reader.onMessage(bytes("a"));
    await flushPromises();
    reader.onMessage(bytes("b"));
    reader.onHalfClose();
    reader.onClose();
    expect([call.sent, call.reads, invoker.statuses]).toEqual([["enough"], 1, ["OK"]]);
    expect(invoked[0]?.abort.reason).toBeUndefined();
  });

  it("limits the time to the first message of the answer, of every kind", async () => {
    for (const kind of [unary, clientStream, serverStream, bidi]) {
      const call = new FakeRpcCall();
      const { reader, clock, invoked } = begin(kind, call, never);
      if (!kind.requestStream) {
        reader.onMessage(bytes("a"));
        reader.onHalfClose();
      }
      clock.advance(4_999);
      expect(call.ends).toEqual([]);
      clock.advance(1);
      expect(call.ends).toMatchObject([{ code: 4 }]);
      expect(invoked[0]?.abort.reason?.reason).toBe("DEADLINE_EXCEEDED");
    }
  });

  it("limits the gaps of a stream once it is answered, in whichever direction a message goes", async () => {
    const call = new FakeRpcCall();
    const { reader, clock, invoked } = begin(bidi, call, echoed);
    await flushPromises();
    for (let round = 1; round <= 3; round++) {
      reader.onMessage(bytes("a"));
      await flushPromises();
      expect(call.sent).toHaveLength(round);
      clock.advance(59_000);
    }
    expect(call.ends).toEqual([]);
    expect(invoked[0]?.deadlineMs).toBe(Number.POSITIVE_INFINITY);
    clock.advance(1_000);
    expect(call.ends).toMatchObject([{ code: 4 }]);
    await flushPromises();
    expect(clock.pending()).toEqual([]);
  });

  it("limits how long a caller may be silent while it is waited for, and not while it is not", async () => {
    const call = new FakeRpcCall();
    const { reader, clock, invoked } = begin(clientStream, call, never, Number.POSITIVE_INFINITY);
    const [invocation] = invoked;
    if (invocation === undefined) throw new Error("expected an invocation");
    const requests = requestsOf(invocation);
    clock.advance(100_000);
    void requests.next();
    clock.advance(59_000);
    reader.onMessage(bytes("a"));
    clock.advance(100_000);
    expect(call.ends).toEqual([]);
    const waiting = requests.next();
    clock.advance(60_000);
    expect(call.ends).toMatchObject([{ code: 4 }]);
    await expect(waiting).rejects.toMatchObject({ reason: "DEADLINE_EXCEEDED" });
  });

  it("tells of the host's load at the end, unless the processor does so itself", async () => {
    const signs = { trailers: metadataOf([[LOAD_TRAILER, bytes("load")]]), header: "" };
    const own = [LOAD_TRAILER, bytes("own")] as const;
    const runs: [run: () => Promise<Outcome>, trailers: object][] = [
      [async () => outcomeOf(bytes("a")), [[LOAD_TRAILER, bytes("load")]]],
      [
        async () => ({ ...outcomeOf(bytes("a")), trailers: metadataOf([["x", "1"]]) }),
        [
          ["x", "1"],
          [LOAD_TRAILER, bytes("load")],
        ],
      ],
      [async () => ({ ...outcomeOf(bytes("a")), trailers: metadataOf([own]) }), [own]],
      [
        async () => {
          throw servingError("PROCESSOR_THREW", "no");
        },
        [
          [REASON_TRAILER, "PROCESSOR_THREW"],
          [LOAD_TRAILER, bytes("load")],
        ],
      ],
    ];
    for (const [run, trailers] of runs) {
      const call = new FakeRpcCall();
      const invoker = Object.assign(new FakeInvoker(createFakeClock(), run), {
        load: { signs: () => signs },
      });
      const [route] = typedRoutes(invoker, [{ path: "/test.Echo/Any", ...unary }]);
      const reader = route?.accept(call);
      reader?.onMessage(bytes("a"));
      reader?.onHalfClose();
      await flushPromises();
      expect([...(call.ends[0]?.trailers?.entries() ?? [])]).toEqual(trailers);
    }
  });

  it("keeps the caller's own deadline", async () => {
    const clock = createFakeClock();
    const call = new FakeRpcCall({ deadlineMs: clock.now() + 1_000 });
    const begun = begin(serverStream, call, never);
    begun.reader.onMessage(bytes("a"));
    begun.reader.onHalfClose();
    expect(begun.invoked[0]?.deadlineMs).toBe(clock.now() + 1_000);
    begun.clock.advance(1_000);
    begun.reader.onClose();
    expect(begun.invoker.statuses).toEqual(["DEADLINE_EXCEEDED"]);
  });

  it("refuses a piece that is too large, and ends what yields it", async () => {
    const call = new FakeRpcCall();
    let ended = false;
    const { reader } = begin(serverStream, call, async () =>
      outcomeOf(
        (async function* () {
          try {
            yield bytes("small");
            yield new Uint8Array(101);
          } finally {
            ended = true;
          }
        })(),
      ),
    );
    reader.onMessage(bytes("a"));
    reader.onHalfClose();
    await flushPromises();
    expect([call.sent, ended]).toEqual([["small"], true]);
    expect(call.ends[0]?.trailers?.get("inferwire-reason")).toBe("MESSAGE_TOO_LARGE");
  });

  it("sends the headers of a stream that turns out empty", async () => {
    const call = new FakeRpcCall();
    const headers = metadataOf({ "x-head": "1" });
    const { reader } = begin(serverStream, call, async () =>
      outcomeOf((async function* () {})(), { headers }),
    );
    reader.onMessage(bytes("a"));
    reader.onHalfClose();
    await flushPromises();
    expect([call.headers, call.sent, call.ends[0]?.code]).toEqual([[headers], [], 0]);
  });

  it("pulls no more answers than the caller waits for, and none after it has left", async () => {
    const call = new FakeRpcCall({ flushes: false });
    let pulled = 0;
    let ended = false;
    const { reader } = begin(serverStream, call, async () =>
      outcomeOf(
        (async function* () {
          try {
            for (;;) {
              pulled++;
              yield bytes("x");
            }
          } finally {
            ended = true;
          }
        })(),
      ),
    );
    reader.onMessage(bytes("a"));
    reader.onHalfClose();
    await flushPromises();
    expect(pulled).toBe(1);
    reader.onClose();
    await flushPromises();
    expect([pulled, ended]).toEqual([1, true]);
  });

  it("abandons an answer that comes when the call is over", async () => {
    const call = new FakeRpcCall();
    let resolve = (_: Outcome): void => {};
    let closed = false;
    const { reader } = begin(
      serverStream,
      call,
      () =>
        new Promise((set) => {
          resolve = set;
        }),
    );
    reader.onMessage(bytes("a"));
    reader.onHalfClose();
    reader.onClose();
    resolve(
      outcomeOf({
        [Symbol.asyncIterator]: () => ({
          next: never,
          return: async () => {
            closed = true;
            return { done: true, value: undefined };
          },
        }),
      }),
    );
    await flushPromises();
    expect(closed).toBe(true);
  });
});
