import { AsyncLocalStorage } from "node:async_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AmbientCall, ambientCall, setAmbientHolder } from "../../../src/core/ambient-call.js";
import type { Invocation } from "../../../src/core/invocation.js";
import { metadataOf } from "../../../src/core/metadata.js";
import { abandonPieces } from "../../../src/core/pieces.js";
import { silentLogger } from "../../../src/core/ports.js";
import { CallError, type CallReport, servingError } from "../../../src/core/serving-error.js";
import type { AnyServerMiddleware, ProcessorShape } from "../../../src/processor/processor.js";
import { serviceRpcs } from "../../../src/processor/service-rpcs.js";
import { type Echo, EchoDefinition } from "../../support/client-echo.js";
import { createFakeClock, flushPromises } from "../../support/fake-clock.js";
import { invocationOf } from "../../support/invocations.js";
import { failureOf, testRunner, textsOf } from "../../support/runners.js";

beforeAll(() => {
  const storage = new AsyncLocalStorage<AmbientCall | undefined>();
  setAmbientHolder({
    run: (call, work) => storage.run(call, work),
    current: () => storage.getStore(),
  });
});
afterAll(() => setAmbientHolder(undefined));

/** On the clock of the runner, which stands still. */
const LEFT_MS = 500;

/** The call that was found, and its signal at that time. */
interface Seen {
  readonly call: AmbientCall | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A processor of which every part looks for the call on whose behalf it runs, also after a wait. */
function watched(): ProcessorShape & { readonly seen: Seen[] } {
  const seen: Seen[] = [];
  const look = async <T>(value: T): Promise<T> => {
    await Promise.resolve();
    const call = ambientCall();
    seen.push({ call, signal: call?.signal });
    return value;
  };
  async function* answers({ text }: Echo): AsyncIterable<Echo> {
    for (let piece = 0; piece < 2; piece++) yield await look({ text });
  }
  async function* answersToAll(requests: AsyncIterable<Echo>): AsyncIterable<Echo> {
    for await (const request of requests) yield await look(request);
  }
  return {
    seen,
    async *process(data) {
      for (let piece = 0; piece < 2; piece++) yield await look(data);
    },
    functions: { reload: look },
    rpcs: serviceRpcs(EchoDefinition, {
      unary: look,
      pure: look,
      serverStream: answers,
      async clientStream(requests: AsyncIterable<Echo>) {
        for await (const request of requests) await look(request);
        return { text: "" };
      },
      bidi: answersToAll,
    }),
  };
}

async function* requests(): AsyncIterable<Uint8Array> {
  for (let n = 0; n < 2; n++) {
    await flushPromises();
    yield new Uint8Array(0);
  }
}

const handlers: readonly (readonly [name: string, parts: Partial<Invocation>, looks: number])[] = [
  ["process, answered in pieces", { takesPieces: true }, 2],
  ["a function", { handler: "function", path: "reload" }, 1],
  ["a unary method", { handler: "rpc", method: "/test.Echo/Unary" }, 1],
  ["a stream of answers", { handler: "rpc", method: "/test.Echo/ServerStream" }, 2],
  ["a stream of requests", { handler: "rpc", method: "/test.Echo/ClientStream" }, 2],
  ["streams both ways", { handler: "rpc", method: "/test.Echo/Bidi" }, 2],
];

const streamed = new Set(["/test.Echo/ClientStream", "/test.Echo/Bidi"]);

function asked(parts: Partial<Invocation>): Invocation {
  const payloads = streamed.has(parts.method ?? "") ? requests() : new Uint8Array(0);
  return invocationOf({ payloads, deadlineMs: createFakeClock().now() + LEFT_MS, ...parts });
}

function reportOf(parts: Partial<CallReport>): CallReport {
  const of = { snapshotVersion: 1, snapshotAgeMs: 0, candidates: 1, resolveMs: 0, timeoutMs: 9 };
  return { ...of, inherited: false, durationMs: 9, attempts: [], ...parts };
}

describe("what runs on behalf of a call", () => {
  it.each(handlers)("knows it: %s, with and without middleware", async (_, parts, looks) => {
    const through: AnyServerMiddleware = async function* pass(call, context) {
      return yield* call.next(call.request as never, context);
    };
    for (const middleware of [[], [through]]) {
      const processor = watched();
      const invocation = asked(parts);
      await textsOf((await testRunner(processor, { middleware }).run(invocation)).payloads);
      expect(processor.seen).toHaveLength(looks);
      for (const { call, signal } of processor.seen) {
        expect(signal).toBe(invocation.abort.signal);
        // What it began may look at it for as long as the process lives.
        expect(call?.signal).toBeUndefined();
      }
    }
  });

  it("has its deadline until it is answered, and none from then on", async () => {
    let goOn = (): void => {};
    const waited = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const seen: (number | undefined)[] = [];
    const look = (): void => void seen.push(ambientCall()?.remainingMs());
    let behind = Promise.resolve();
    const process = async (data: Uint8Array): Promise<Uint8Array> => {
      look();
      behind = waited.then(look);
      return data;
    };
    const invocation = asked({});
    await testRunner({ process }).run(invocation);
    goOn();
    await behind;
    expect(seen).toEqual([LEFT_MS, Number.POSITIVE_INFINITY]);
    expect(invocation.abort.reason).toBeUndefined();
  });

  it("has its deadline up to the last piece", async () => {
    const calls: AmbientCall[] = [];
    async function* process(data: Uint8Array): AsyncIterable<Uint8Array> {
      const call = ambientCall();
      if (call !== undefined) calls.push(call);
      yield data;
      yield data;
    }
    const { payloads } = await testRunner({ process }).run(asked({ takesPieces: true }));
    const left: (number | undefined)[] = [];
    for await (const _ of payloads as AsyncIterable<Uint8Array>) left.push(calls[0]?.remainingMs());
    left.push(calls[0]?.remainingMs());
    expect(left).toEqual([LEFT_MS, LEFT_MS, Number.POSITIVE_INFINITY]);
  });

  it("has its caller told that time is over when that of a call on its behalf is", async () => {
    const callError = (inherited: boolean): CallError =>
      new CallError("DEADLINE_EXCEEDED", "no time is left", { report: reportOf({ inherited }) });
    const reasonOf = async (error: Error): Promise<string> => {
      const process = (): never => {
        throw error;
      };
      return (await failureOf(testRunner({ process }).run(asked({})))).reason;
    };
    expect(await reasonOf(callError(true))).toBe("DEADLINE_EXCEEDED");
    // Its own limit is the processor's affair.
    expect(await reasonOf(callError(false))).toBe("PROCESSOR_THREW");
  });

  it("fails nothing by a call that ended because it was given up", async () => {
    const invocation = asked({});
    const process = (): Promise<Uint8Array> =>
      new Promise((_, reject) => {
        invocation.abort.onAbort((cause) => {
          reject(new CallError("CANCELLED", "the call that was being served is over", { cause }));
        });
      });
    const lines: string[] = [];
    const logger = { ...silentLogger, error: (_: object, text: string) => void lines.push(text) };
    const running = testRunner({ process }, { logger }).run(invocation);
    await flushPromises();
    invocation.giveUp(servingError("DRAINING", "the host stops"));
    expect((await failureOf(running)).reason).toBe("DRAINING");
    expect(lines).toEqual([]);
  });

  it("hears when it is given up", async () => {
    let signal: AbortSignal | undefined;
    const process = (): Promise<Uint8Array> => {
      signal = ambientCall()?.signal;
      return new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal?.reason));
      });
    };
    const invocation = asked({});
    const running = testRunner({ process }).run(invocation);
    await flushPromises();
    invocation.giveUp(servingError("CANCELLED", "the caller left"));
    expect((await failureOf(running)).reason).toBe("CANCELLED");
    expect(signal?.aborted).toBe(true);
  });
});

/** What a call that is made now on its behalf would take over. */
function takenOver(call: AmbientCall | undefined) {
  const { signal } = call ?? {};
  return { trace: call?.trace?.traceId, leftMs: call?.remainingMs(), aborted: signal?.aborted };
}

const TRACE_ID = "a".repeat(32);
const traced = {
  metadata: metadataOf({ traceparent: `00-${TRACE_ID}-${"b".repeat(16)}-01` }),
};

/** The same in every case: nothing but the trace is left. */
const nothing = { trace: TRACE_ID, leftMs: Number.POSITIVE_INFINITY, aborted: undefined };

describe("what a call leaves behind when it is given up", () => {
  it("is refused while its code still runs, and as free as detached afterwards", async () => {
    let finish = (): void => {};
    let call: AmbientCall | undefined;
    const process = async (data: Uint8Array): Promise<Uint8Array> => {
      call = ambientCall();
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return data;
    };
    const invocation = asked(traced);
    const running = testRunner({ process }).run(invocation);
    await flushPromises();
    invocation.giveUp(servingError("CANCELLED", "the caller left"));
    expect(takenOver(call)).toEqual({ trace: TRACE_ID, leftMs: LEFT_MS, aborted: true });
    finish();
    await running;
    expect(takenOver(call)).toEqual(nothing);
  });

  it("is free when its code has failed by that", async () => {
    let call: AmbientCall | undefined;
    const process = (_: Uint8Array, { signal }: { signal: AbortSignal }): Promise<Uint8Array> => {
      call = ambientCall();
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    };
    const invocation = asked(traced);
    const running = testRunner({ process }).run(invocation);
    await flushPromises();
    invocation.giveUp(servingError("CANCELLED", "the caller left"));
    expect((await failureOf(running)).reason).toBe("CANCELLED");
    expect(takenOver(call)).toEqual(nothing);
  });

  it("is refused until what yields pieces has cleaned up", async () => {
    let finish = (): void => {};
    let call: AmbientCall | undefined;
    let cleaning: ReturnType<typeof takenOver> | undefined;
    async function* process(data: Uint8Array): AsyncIterable<Uint8Array> {
      call = ambientCall();
      try {
        yield data;
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        yield data;
      } finally {
        await Promise.resolve();
        cleaning = takenOver(call);
      }
    }
    const invocation = asked({ ...traced, takesPieces: true });
    const { payloads } = await testRunner({ process }).run(invocation);
    const pieces = (payloads as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    await pieces.next();
    const waiting = pieces.next();
    await flushPromises();
    invocation.giveUp(servingError("CANCELLED", "the caller left"));
    const returned = pieces.return?.();
    await flushPromises();
    expect(takenOver(call).aborted).toBe(true);
    finish();
    await Promise.all([waiting, returned]);
    expect(cleaning?.aborted).toBe(true);
    expect(takenOver(call)).toEqual(nothing);
  });

  it("is refused while a piece is awaited of what does not wait for it itself", async () => {
    let finish = (): void => {};
    let call: AmbientCall | undefined;
    const process = (data: Uint8Array): AsyncIterable<Uint8Array> => {
      call = ambientCall();
      return {
        [Symbol.asyncIterator]: () => ({
          next: () =>
            new Promise((resolve) => {
              finish = () => resolve({ done: false, value: data });
            }),
          return: async () => ({ done: true, value: undefined }),
        }),
      };
    };
    const invocation = asked({ ...traced, takesPieces: true });
    const { payloads } = await testRunner({ process }).run(invocation);
    const pieces = (payloads as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    const waiting = pieces.next();
    invocation.giveUp(servingError("CANCELLED", "the caller left"));
    await pieces.return?.();
    expect(takenOver(call).aborted).toBe(true);
    finish();
    await waiting;
    expect(takenOver(call)).toEqual(nothing);
  });

  it("is free when nobody ever read its pieces, and when one of them is none", async () => {
    let call: AmbientCall | undefined;
    const process = (): AsyncIterable<Uint8Array> => {
      call = ambientCall();
      return (async function* () {
        yield "no bytes" as unknown as Uint8Array;
      })();
    };
    const parts = { ...traced, takesPieces: true };
    const unread = await testRunner({ process }).run(asked(parts));
    await abandonPieces(unread.payloads as AsyncIterable<Uint8Array>);
    expect(takenOver(call)).toEqual(nothing);
    const bad = await testRunner({ process }).run(asked(parts));
    await expect(textsOf(bad.payloads)).rejects.toThrow("yielded");
    expect(takenOver(call)).toEqual(nothing);
  });
});
