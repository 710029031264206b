import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/core/invocation.js";
import type { ServingError } from "../../src/core/serving-error.js";
import type { Lane } from "../../src/lane/lane.js";
import type { LaneKind } from "../../src/processor/processor.js";
import {
  answerOf,
  callOf,
  clock,
  deliberateTrailers,
  isDeliberate,
  jsonOf,
  lanesOf,
  metadataOf,
  requestIdOf,
  servingError,
  startLane,
} from "../support/built-lanes.js";

interface Seen {
  readonly told: readonly string[];
  readonly pieces: number;
  readonly stopped: boolean;
  readonly aborted: object | undefined;
  readonly started: readonly string[];
}

async function textsOf(outcome: Promise<Outcome>): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const piece of (await outcome).payloads as AsyncIterable<Uint8Array>) {
    texts.push(Buffer.from(piece).toString());
  }
  return texts;
}

async function* pieces(texts: Iterable<string>): AsyncIterable<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function failureOf(promise: Promise<unknown>): Promise<ServingError> {
  try {
    await promise;
  } catch (thrown) {
    return thrown as ServingError;
  }
  throw new Error("it did not fail");
}

/** Asks until what the processor has seen is so. */
async function untilSeen(lane: Lane, so: (seen: Seen) => boolean): Promise<Seen> {
  for (;;) {
    const seen = await jsonOf<Seen>(lane, "seen");
    if (so(seen)) return seen;
  }
}

/** What every kind of lane does alike. */
export function describeLane(kind: LaneKind): void {
  describe(`${kind} lane: one payload`, () => {
    it("goes there and back, whatever its size", async () => {
      const { lane } = await startLane(kind);
      for (const size of [0, 1, 1_024, 16_384, 65_536, 600_000, 3_000_000]) {
        const data = Buffer.alloc(size, `${size}.`);
        const { payloads, status } = await lane.run(callOf("echo", data));
        expect(status).toBe(0);
        expect(data.equals(payloads as Uint8Array)).toBe(true);
      }
    });

    it("goes there and back many at a time", async () => {
      const { lane } = await startLane(kind);
      const sizes = Array.from({ length: 200 }, (_, at) => (at * 7_919) % 70_000);
      const answers = await Promise.all(
        sizes.map((size) => lane.run(callOf("echo", Buffer.alloc(size, String(size))))),
      );
      answers.forEach(({ payloads }, at) => {
        const size = sizes[at] ?? 0;
        expect(Buffer.alloc(size, String(size)).equals(payloads as Uint8Array)).toBe(true);
      });
    });

    it("comes with everything that is known of the call, and goes back with status and metadata", async () => {
      const { lane } = await startLane(kind);
      const metadata = metadataOf([
        ["a", "1"],
        ["a", "zwei"],
        ["x-bin", Buffer.from([7, 0])],
      ]);
      const deadlineMs = clock.now() + 60_000;
      const outcome = await lane.run(callOf("call", "", { metadata, deadlineMs }));
      const { remainingMs, ...rest } = JSON.parse(
        Buffer.from(outcome.payloads as Uint8Array).toString(),
      ) as { readonly remainingMs: number };
      expect(rest).toEqual({
        door: "grpc",
        method: "/inferwire.predict.v1.PredictService/Predict",
        path: "call",
        peer: "127.0.0.1:1",
        query: "1",
        all: ["1, zwei"],
        bytes: [7, 0],
      });
      expect(remainingMs).toBeGreaterThan(30_000);
      // The clocks of two threads agree within a fraction of a millisecond.
      expect(remainingMs).toBeLessThanOrEqual(60_001);
      expect(outcome.headers.get("seen")).toBe("1, zwei");
      expect([...(outcome.trailers.get("b-bin") as Uint8Array)]).toEqual([0, 255]);
      expect((await lane.run(callOf("status"))).status).toBe(207);
    });

    it("is answered by a processor that knows where it runs", async () => {
      const { lane } = await startLane(kind, { modelPath: "/models/a" });
      expect(await jsonOf(lane, "context")).toMatchObject({
        lane: { kind, index: 0, count: 1 },
        service: "test",
        modelPath: "/models/a",
        modelConfig: { layers: [1, 2] },
        properties: [["depth", "1"]],
      });
    });
  });

  describe(`${kind} lane: pieces`, () => {
    it("make all four kinds of RPC", async () => {
      const { lane } = await startLane(kind);
      expect(await answerOf(lane, "/test.Streams/Unary", "abc")).toBe("ABC");
      expect(await textsOf(lane.run(callOf("/test.Streams/Split", "abc")))).toEqual([
        "a",
        "b",
        "c",
      ]);
      const joined = await lane.run(callOf("/test.Streams/Join", pieces(["a", "b", "c"])));
      expect(Buffer.from(joined.payloads as Uint8Array).toString()).toBe("abc");
      const echoed = lane.run(callOf("/test.Streams/Echo", pieces(["a", "b", "c"])));
      expect(await textsOf(echoed)).toEqual(["A", "B", "C"]);
    });

    it("come in order, also hundreds", async () => {
      const { lane } = await startLane(kind);
      const texts = Array.from({ length: 500 }, (_, at) => `${at} `);
      const echoed = await textsOf(lane.run(callOf("/test.Streams/Echo", pieces(texts))));
      expect(echoed).toEqual(texts);
      expect(await textsOf(lane.run(callOf("pieces", "500")))).toHaveLength(500);
    });

    it("carry headers that are set before the first, and trailers that are set after the last", async () => {
      const { lane } = await startLane(kind);
      const outcome = await lane.run(callOf("heads"));
      expect(await textsOf(Promise.resolve(outcome))).toEqual(["a"]);
      expect(outcome.headers.get("first")).toBe("set before the first piece");
      expect(outcome.trailers.get("last")).toBe("set after the last piece");
    });

    it("are made no faster than they are read, but for a small window", async () => {
      const { lane } = await startLane(kind);
      const { payloads } = await lane.run(callOf("pieces", "1000"));
      const reader = (payloads as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
      for (let read = 0; read < 10; read++) await reader.next();
      const before = await untilSeen(lane, ({ pieces: made }) => made >= 10);
      for (let turn = 0; turn < 20; turn++) await jsonOf(lane, "seen");
      const { pieces: made } = await jsonOf<Seen>(lane, "seen");
      expect(made).toBeLessThanOrEqual(10 + 16);
      expect(made).toBeGreaterThanOrEqual(before.pieces);
      await reader.return?.();
    });

    it("of a request are taken no faster than they are read, but for a small window", async () => {
      const { lane } = await startLane(kind);
      let made = 0;
      const endless = (async function* () {
        for (;;) yield Buffer.from(String(made++));
      })();
      const call = callOf("/test.Streams/Wait", endless);
      const ended = failureOf(lane.run(call));
      for (let turn = 0; turn < 50; turn++) await jsonOf(lane, "seen");
      expect(made).toBeLessThanOrEqual(17);
      call.giveUp(servingError("CANCELLED", "the caller gave the call up"));
      await ended;
    });

    it("of a request that nobody reads to its end are told so", async () => {
      const { lane } = await startLane(kind);
      let stopped = false;
      const endless = (async function* () {
        try {
          for (;;) yield Buffer.from("x");
        } finally {
          stopped = true;
        }
      })();
      const { payloads } = await lane.run(callOf("/test.Streams/First", endless));
      expect(Buffer.from(payloads as Uint8Array).toString()).toBe("x");
      while (!stopped) await jsonOf(lane, "seen");
    });

    it("that nobody reads on end what makes them", async () => {
      const { lane } = await startLane(kind);
      const { payloads } = await lane.run(callOf("pieces", "1000000"));
      for await (const _ of payloads as AsyncIterable<Uint8Array>) break;
      expect((await jsonOf<Seen>(lane, "seen")).stopped).toBe(true);
    });

    it("that fail are read to the failure", async () => {
      const { lane } = await startLane(kind);
      const { payloads } = await lane.run(callOf("failing"));
      const reader = (payloads as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
      expect(Buffer.from((await reader.next()).value).toString()).toBe("a");
      const error = await failureOf(reader.next());
      expect(error).toMatchObject({ reason: "PROCESSOR_THREW", code: 9, message: "no more" });
    });

    it("of a request that fail end the call with that", async () => {
      const { lane } = await startLane(kind);
      const broken = (async function* () {
        yield Buffer.from("a");
        throw servingError("MALFORMED_REQUEST", "the message is no message");
      })();
      const error = await failureOf(lane.run(callOf("/test.Streams/Join", broken)));
      expect(error).toMatchObject({ reason: "MALFORMED_REQUEST" });
    });
  });

  describe(`${kind} lane: errors`, () => {
    it("keep class, reason, code and message, and what was thrown stays hidden", async () => {
      const { lane, lines } = await startLane(kind);
      const thrown = await failureOf(lane.run(callOf("throw")));
      expect(thrown).toMatchObject({
        name: "ProcessorError",
        reason: "PROCESSOR_THREW",
        code: 2,
        message: "process() threw",
      });
      expect(lines.find(({ message }) => message === "process() failed")?.fields).toMatchObject({
        err: { message: "a secret" },
      });
      const wrong = await failureOf(lane.run(callOf("wrong")));
      expect(wrong).toMatchObject({ reason: "PROCESSOR_BAD_ANSWER", code: 13 });
      const unknown = await failureOf(lane.run(callOf("nothing", "", { handler: "function" })));
      expect(unknown).toMatchObject({ name: "HostError", reason: "UNKNOWN_FUNCTION", code: 5 });
    });

    it("are logged as errors, under the name that the host has for their call", async () => {
      const { lane, lines } = await startLane(kind);
      // So that a count of the lane's own would differ.
      for (let other = 0; other < 5; other++) requestIdOf(callOf("echo"));
      const call = callOf("throw");
      await failureOf(lane.run(call));
      const line = lines.find(({ message }) => message === "process() failed");
      expect(line?.fields).toMatchObject({ requestId: requestIdOf(call) });
      const err = line?.fields["err"] as Error;
      expect(err).toBeInstanceOf(Error);
      expect([err.name, err.constructor.name, err.message]).toEqual(["Error", "Error", "a secret"]);
    });

    it("that are thrown on purpose keep status, text and trailers", async () => {
      const { lane } = await startLane(kind);
      const error = await failureOf(lane.run(callOf("deliberate")));
      expect(error).toMatchObject({ code: 5, message: "no such digit" });
      expect(isDeliberate(error)).toBe(true);
      const trailers = deliberateTrailers(error);
      expect(trailers?.get("why")).toBe("because");
      expect(Buffer.from(trailers?.get("why-bin") ?? "").toJSON().data).toEqual([1, 2]);
    });

    it("of initialize() say what was thrown", async () => {
      const { lanes } = await lanesOf(kind, { modelPath: "broken" });
      const lane = lanes(0);
      const error = await failureOf(lane.start());
      expect(error).toMatchObject({
        reason: "INITIALIZE_FAILED",
        message: "initialize() threw: no model there",
        cause: { name: "RangeError" },
      });
      await lane.close(0);
    });
  });

  describe(`${kind} lane: a call that is given up`, () => {
    it.each(["CANCELLED", "DEADLINE_EXCEEDED", "ABORTED_BY_STOP"] as const)(
      "with %s aborts the signal with that reason and message, and ends with the same error",
      async (reason) => {
        const { lane } = await startLane(kind);
        const call = callOf("abort");
        const ended = failureOf(lane.run(call));
        await jsonOf(lane, "seen");
        const given = servingError(reason, `it was ${reason}`);
        call.giveUp(given);
        expect(await ended).toBe(given);
        const { aborted } = await untilSeen(lane, (seen) => seen.aborted !== undefined);
        expect(aborted).toEqual({ reason, message: `it was ${reason}`, code: given.code });
      },
    );

    it("before it ran never runs", async () => {
      const { lane } = await startLane(kind);
      const call = callOf("start", "given up");
      call.giveUp(servingError("CANCELLED", "gone"));
      expect(await failureOf(lane.run(call))).toBe(call.abort.reason);
      expect((await jsonOf<Seen>(lane, "seen")).started).toEqual([]);
    });
  });

  describe(`${kind} lane: besides calls`, () => {
    it("hands messages to onTell", async () => {
      const { lane } = await startLane(kind);
      lane.tell(Buffer.from("one"));
      lane.tell(Buffer.from("two"));
      await untilSeen(lane, ({ told }) => told.length === 2);
    });

    it("asks isReady", async () => {
      const { lane } = await startLane(kind);
      const { signal } = new AbortController();
      expect(lane.checksReady).toBe(true);
      expect(await lane.isReady(signal)).toBe(true);
      await answerOf(lane, "ready", "no");
      expect(await lane.isReady(signal)).toBe(false);
    });

    it("logs to the host's logger", async () => {
      const { lane, lines } = await startLane(kind);
      await answerOf(lane, "log");
      const line = lines.find(({ message }) => message === "from the lane");
      expect(line).toMatchObject({ level: "warn", fields: { depth: 3, err: { message: "odd" } } });
      expect(line?.fields["err"]).toMatchObject({
        name: "TypeError",
        stack: expect.stringContaining("lane-processor.mjs"),
      });
    });

    it("disposes of the processor when it is closed, and can be closed twice", async () => {
      const { lane, lines } = await startLane(kind);
      await Promise.all([lane.close(5_000), lane.close(5_000)]);
      expect(lines.filter(({ message }) => message === "disposed")).toHaveLength(1);
    });
  });
}
