import { describe, expect, it } from "vitest";
import { emptyMetadata } from "../../../src/core/metadata.js";
import { silentLogger } from "../../../src/core/ports.js";
import { servingError } from "../../../src/core/serving-error.js";
import type { Lane } from "../../../src/lane/lane.js";
import { createRemoteLane } from "../../../src/lane/remote-lane.js";
import { requestIdOf } from "../../../src/processor/request-id.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { laneCall } from "../../support/invocations.js";
import { TestBody } from "../../support/lane-body.js";

interface Fixture {
  readonly body: TestBody;
  readonly clock: FakeClock;
  readonly lane: Lane;
  /** Fields of what was logged as an error. */
  readonly lines: readonly object[];
}

async function started(): Promise<Fixture> {
  const body = new TestBody();
  const clock = createFakeClock();
  const order = {
    module: "file:///a.mjs",
    kind: "process" as const,
    index: 0,
    count: 1,
    service: "",
    modelPath: undefined,
    modelConfig: undefined,
    properties: new Map<string, string>(),
    exposeErrors: false,
  };
  const lines: object[] = [];
  const logger = { ...silentLogger, error: (fields: object) => void lines.push(fields) };
  const lane = createRemoteLane(body, { order, clock, logger });
  const start = lane.start();
  body.say({ type: "ready", checksReady: true });
  await start;
  body.types();
  return { body, clock, lane, lines };
}

const answer = (id: number): Parameters<TestBody["say"]>[0] => ({
  type: "answer",
  id,
  status: 0,
  headers: emptyMetadata,
  trailers: emptyMetadata,
  payload: Buffer.from("ok"),
});

describe("createRemoteLane: the end", () => {
  it("reads what was sent before an exit that is known first", async () => {
    const { body, lane } = await started();
    const call = lane.run(laneCall());
    body.exit();
    body.say(answer(1));
    body.hangUp();
    expect(Buffer.from((await call).payloads as Uint8Array).toString()).toBe("ok");
    expect((await lane.died).message).toBe("the lane ended with exit code 3");
  });

  it("waits for the link no longer than 50 ms", async () => {
    const { body, clock, lane } = await started();
    const call = expect(lane.run(laneCall())).rejects.toMatchObject({ reason: "LANE_DIED" });
    body.exit();
    await clock.settle(50);
    await call;
    await lane.died;
  });

  it("waits for the cause no longer than 50 ms, and kills what has let go of its link", async () => {
    const { body, clock, lane } = await started();
    const call = expect(lane.run(laneCall())).rejects.toMatchObject({ reason: "LANE_DIED" });
    body.hangUp();
    expect(body.killed).toBe(true);
    await clock.settle(50);
    await call;
    body.exit("was ended by SIGKILL");
    expect((await lane.died).message).toBe("the lane was ended by SIGKILL");
  });

  it("is made when the lane breaks the protocol", async () => {
    const { body } = await started();
    body.sayBytes(Buffer.from("no message, by far not one"));
    expect(body.killed).toBe(true);
  });

  it("by kill() ends calls, questions and pieces with its reason, at once", async () => {
    const { body, lane } = await started();
    const reason = servingError("LANE_DIED", "stuck");
    const call = expect(lane.run(laneCall())).rejects.toBe(reason);
    const answering = lane.run(laneCall());
    body.say({ type: "pieces", id: 2, status: 0 });
    body.say({ type: "piece", id: 2, bytes: Buffer.from("a") });
    const pieces = (await answering).payloads as AsyncIterable<Uint8Array>;
    const reader = pieces[Symbol.asyncIterator]();
    const ready = lane.isReady(new AbortController().signal);
    lane.kill(reason);
    await call;
    expect(await ready).toBe(false);
    expect((await reader.next()).done).toBe(false);
    await expect(reader.next()).rejects.toBe(reason);
    expect((await reader.next()).done).toBe(true);
    await expect(lane.run(laneCall())).rejects.toBe(reason);
  });
});

describe("createRemoteLane: a log line", () => {
  it("comes with its errors as errors, of the name that they had", async () => {
    const { body, lines } = await started();
    const err = {
      type: "RangeError",
      message: "too deep",
      stack: "RangeError: too deep\n    at model.js",
      depth: 3,
      cause: { type: "Error", message: "no memory", stack: "Error: no memory" },
    };
    body.say({ type: "log", level: "error", message: "it failed", fields: { err, tries: 2 } });
    const { err: thrown, ...rest } = lines[0] as { readonly err: Error };
    expect(rest).toEqual({ lane: 0, tries: 2 });
    expect(thrown).toBeInstanceOf(Error);
    const { name, message, stack } = thrown;
    expect({ name, message, stack }).toEqual({
      name: err.type,
      message: err.message,
      stack: err.stack,
    });
    // Loggers such as pino call an error by its class.
    expect(thrown.constructor.name).toBe("RangeError");
    expect(thrown).toMatchObject({ depth: 3, cause: { name: "Error", message: "no memory" } });
    expect(thrown.cause).toBeInstanceOf(Error);
  });
});

describe("createRemoteLane: the question whether it lives", () => {
  it("is asked once, and answered by whatever comes", async () => {
    const { body, clock, lane } = await started();
    lane.ask();
    clock.advance(100);
    lane.ask();
    expect([body.types(), lane.silentMs]).toEqual([["ping"], 100]);
    body.say({ type: "log", level: "info", message: "here", fields: {} });
    expect(lane.silentMs).toBe(0);
    lane.ask();
    expect(body.types()).toEqual(["ping"]);
  });
});

describe("createRemoteLane: a call", () => {
  it("crosses with its time on a clock that both sides have", async () => {
    const { body, clock, lane } = await started();
    void lane.run(laneCall({ arrivedMs: clock.now() - 5, deadlineMs: clock.now() + 1_000 }));
    const [call] = body.heard;
    const head = call?.type === "call" ? call.head : undefined;
    const leftMs = (head?.deadlineMs ?? 0) - Number(process.hrtime.bigint()) / 1e6;
    expect((head?.deadlineMs ?? 0) - (head?.arrivedMs ?? 0)).toBeCloseTo(1_005, 3);
    // The clock stands still while the test runs.
    expect(leftMs).toBeLessThanOrEqual(1_000);
  });

  it("crosses with the name that its host has for it", async () => {
    const { body, lane } = await started();
    const given = laneCall();
    void lane.run(given);
    const [call] = body.heard;
    expect(call?.type === "call" ? call.head.requestId : undefined).toBe(requestIdOf(given));
  });

  it("is aborted once, and not after it has ended", async () => {
    const { body, lane } = await started();
    const given = laneCall();
    const call = lane.run(given);
    const other = laneCall();
    const otherCall = lane.run(other);
    const reason = servingError("CANCELLED", "gone");
    given.giveUp(reason);
    given.giveUp(servingError("DEADLINE_EXCEEDED", "late"));
    body.say(answer(2));
    await otherCall;
    other.giveUp(reason);
    expect(body.types()).toEqual(["call", "call", "abort"]);
    body.say({
      type: "error",
      id: 1,
      aborted: true,
      error: { reason: "CANCELLED", code: 1, message: "gone", details: {}, metadata: {} },
    });
    await expect(call).rejects.toBe(reason);
  });

  it("gives credit back in batches, and none when its pieces have ended", async () => {
    const { body, lane } = await started();
    const answering = lane.run(laneCall());
    body.say({ type: "pieces", id: 1, status: 0 });
    for (let piece = 0; piece < 16; piece++) {
      body.say({ type: "piece", id: 1, bytes: Buffer.from([piece]) });
    }
    const pieces = (await answering).payloads as AsyncIterable<Uint8Array>;
    const reader = pieces[Symbol.asyncIterator]();
    body.types();
    for (let piece = 0; piece < 8; piece++) await reader.next();
    expect(body.heard.splice(0)).toEqual([{ type: "credit", id: 1, pieces: 8, bytes: 8 }]);
    body.say({ type: "end", id: 1, trailers: emptyMetadata });
    for (let piece = 0; piece < 8; piece++) expect((await reader.next()).done).toBe(false);
    expect((await reader.next()).done).toBe(true);
    expect(body.types()).toEqual([]);
  });
});

describe("createRemoteLane: a lane that breaks the protocol", () => {
  const pieces = { type: "pieces", id: 1, status: 0 } as const;

  it.each([
    ["a status that is none", [{ ...pieces, status: 99 }]],
    ["a status that is no whole number", [{ ...answer(1), status: 200.5 }]],
    ["pieces twice", [pieces, pieces]],
    ["an answer after its pieces have begun", [pieces, answer(1)]],
    ["a level that no logger has", [{ type: "log", level: "fatal", message: "", fields: {} }]],
    ["an error that is none", [{ type: "error", id: 1, error: 5, aborted: false }]],
  ])("is killed, and the host lives on: %s", async (_, messages) => {
    const { body, lane, lines } = await started();
    const call = lane.run(laneCall());
    call.catch(() => {});
    for (const message of messages) body.say(message as Parameters<TestBody["say"]>[0]);
    expect(body.killed).toBe(true);
    expect(lines).toHaveLength(1);
  });
});
