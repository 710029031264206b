import { describe, expect, it } from "vitest";
import type { Outcome } from "../../../src/core/invocation.js";
import { emptyMetadata } from "../../../src/core/metadata.js";
import { silentLogger } from "../../../src/core/ports.js";
import { servingError } from "../../../src/core/serving-error.js";
import { CallIntake, type CallIntakeOptions } from "../../../src/host/call-intake.js";
import { createCallMetrics } from "../../../src/host/call-metrics.js";
import { serverLimits } from "../../../src/server/limits.js";
import { admissionCall } from "../../support/admission-call.js";
import { FakePool, plainOutcome } from "../../support/admission-places.js";
import { createFakeClock, flushPromises } from "../../support/fake-clock.js";

function scene(given: Partial<CallIntakeOptions> = {}, places = 1) {
  const clock = createFakeClock();
  const pool = new FakePool(places);
  const started: string[] = [];
  const finish: Record<string, (outcome?: Outcome) => void> = {};
  pool.work = ({ path }) => {
    started.push(path);
    return new Promise((resolve) => {
      finish[path] = (outcome = plainOutcome) => resolve(outcome);
    });
  };
  const options: CallIntakeOptions = {
    service: "own",
    requestTimeoutMs: Number.POSITIVE_INFINITY,
    streamIdleTimeoutMs: Number.POSITIVE_INFINITY,
    maxQueueLength: 8,
    maxQueueBytes: 1_000,
    requestsPerSecond: 0,
    loadReport: false,
    limits: serverLimits({}, "limits"),
    ...given,
  };
  const ports = {
    clock,
    logger: silentLogger,
    random: () => 0.5,
    metrics: createCallMetrics(clock),
  };
  const intake = new CallIntake(options, pool, ports);
  const refusalOf = (traits: Parameters<typeof admissionCall>[0]) =>
    intake.invoke(admissionCall(traits)).then(
      () => undefined,
      (error: { reason: string }) => error.reason,
    );
  return { clock, pool, intake, started, finish, refusalOf };
}

describe("CallIntake", () => {
  it("asks again after a wait whether a request is quarantined: copies of it may have ended lanes", async () => {
    const { intake, pool, finish, started, refusalOf } = scene();
    intake.open();
    const first = intake.invoke(admissionCall({ name: "a" }));
    const copy = refusalOf({ name: "b" });
    await flushPromises();
    pool.refusal = () => servingError("REQUEST_QUARANTINED", "it was in progress");
    finish["a"]?.();
    await first;
    expect(await copy).toBe("REQUEST_QUARANTINED");
    expect([started, intake.accepted, pool.running]).toEqual([["a"], 0, 0]);
  });

  it("lets calls in from when it is opened until it refuses", async () => {
    const { intake, refusalOf, finish, started } = scene();
    await expect(intake.invoke(admissionCall())).rejects.toMatchObject({
      reason: "NOT_READY",
      details: { retryAfterMs: 1_000 },
    });
    intake.open();
    const answered = intake.invoke(admissionCall({ name: "a" }));
    expect([started, intake.accepted]).toEqual([["a"], 1]);
    intake.refuse();
    expect(await refusalOf({})).toBe("DRAINING");
    finish["a"]?.();
    expect(await answered).toBe(plainOutcome);
    expect([intake.accepted, intake.admission.running]).toEqual([0, 0]);
  });

  it("tells beforehand what a call would be refused with, but for its body", async () => {
    const { intake, pool, refusalOf, started } = scene({ maxQueueLength: 1 });
    pool.refusal = () => servingError("REQUEST_QUARANTINED", "the body is not known yet");
    const refusal = (service = "", ahead?: number) =>
      intake.refusal(admissionCall({ service }), ahead)?.reason;
    expect(refusal()).toBe("NOT_READY");
    intake.open();
    expect([refusal(), refusal("own"), refusal("other")]).toEqual([
      undefined,
      undefined,
      "UNKNOWN_SERVICE",
    ]);
    expect([refusal("", 1), refusal("", 2)]).toEqual([undefined, "QUEUE_FULL"]);
    pool.refusal = () => undefined;
    for (const name of ["a", "b"]) void refusalOf({ name });
    expect([refusal(), started, intake.accepted]).toEqual(["QUEUE_FULL", ["a"], 2]);
    intake.refuse();
    expect(refusal()).toBe("DRAINING");
  });

  it("runs a call that finds a place before anything else happens", () => {
    const { intake, started } = scene();
    intake.open();
    void intake.invoke(admissionCall({ name: "a" }));
    expect(started).toEqual(["a"]);
  });

  it("asks calls for the service that is hosted, but not functions", async () => {
    const { intake, refusalOf, started } = scene({}, 3);
    intake.open();
    expect(await refusalOf({ service: "other" })).toBe("UNKNOWN_SERVICE");
    void refusalOf({ name: "function", service: "other", handler: "function" });
    void refusalOf({ name: "own", service: "own" });
    void refusalOf({ name: "any" });
    expect(started).toEqual(["function", "own", "any"]);
  });

  it("refuses what is quarantined before it waits or takes a token", async () => {
    const { intake, pool, refusalOf, started } = scene({ requestsPerSecond: 1 });
    intake.open();
    pool.refusal = ({ path }) =>
      path === "deadly" ? servingError("REQUEST_QUARANTINED", "killed two lanes") : undefined;
    expect(await refusalOf({ name: "deadly" })).toBe("REQUEST_QUARANTINED");
    expect(intake.accepted).toBe(0);
    void refusalOf({ name: "fine" });
    expect(started).toEqual(["fine"]);
    expect(await refusalOf({ name: "deadly" })).toBe("REQUEST_QUARANTINED");
    expect(intake.admission.queueLength).toBe(0);
  });

  it("gives every call up that waits or runs; who runs keeps its place until the lane is done with it", async () => {
    const { intake, started, finish, refusalOf } = scene();
    intake.open();
    const [first, second] = [refusalOf({ name: "a" }), refusalOf({ name: "b" })];
    intake.giveUpAll(servingError("ABORTED_BY_STOP", "stopped"));
    expect(await second).toBe("ABORTED_BY_STOP");
    expect([intake.accepted, intake.admission.running]).toEqual([1, 1]);
    finish["a"]?.();
    await first;
    expect([intake.accepted, intake.admission.running, started]).toEqual([0, 0, ["a"]]);
  });

  it("never starts a call that is given up in the moment in which it gets its place", async () => {
    const { intake, pool, started, refusalOf } = scene({}, 0);
    intake.open();
    const waiting = refusalOf({ name: "a" });
    pool.setPlaces(1);
    intake.giveUpAll(servingError("ABORTED_BY_STOP", "stopped"));
    expect(await waiting).toBe("ABORTED_BY_STOP");
    expect([started, intake.admission.running]).toEqual([[], 0]);
  });

  it("never starts a call whose time goes by while others that were let in with it hold the thread", async () => {
    const { clock, intake, pool, started, refusalOf } = scene({}, 0);
    intake.open();
    pool.work = ({ path }) => {
      started.push(path);
      clock.advance(100);
      return Promise.resolve(plainOutcome);
    };
    const calls = ["a", "b"].map((name) => refusalOf({ name, deadlineMs: clock.now() + 50 }));
    pool.setPlaces(2);
    expect(await Promise.all(calls)).toEqual([undefined, "DEADLINE_EXCEEDED"]);
    expect([started, intake.admission.running]).toEqual([["a"], 0]);
  });

  it("gives the place back when the lane throws, or answers more than may go out", async () => {
    const { intake, pool, refusalOf } = scene({ limits: serverLimits({ maxMessageBytes: 4 }, "") });
    intake.open();
    pool.work = () => Promise.reject(servingError("LANE_DIED", "gone"));
    expect(await refusalOf({})).toBe("LANE_DIED");
    pool.work = () => Promise.resolve({ ...plainOutcome, payloads: new Uint8Array(5) });
    expect(await refusalOf({})).toBe("MESSAGE_TOO_LARGE");
    expect([intake.accepted, intake.admission.running]).toEqual([0, 0]);
  });

  it("keeps the place of an answer in pieces until its last piece is read", async () => {
    const { intake, pool } = scene();
    intake.open();
    async function* pieces() {
      yield new Uint8Array(1);
      yield new Uint8Array(2);
    }
    pool.work = () => Promise.resolve({ ...plainOutcome, payloads: pieces() });
    const { payloads } = await intake.invoke(admissionCall());
    const sizes: number[] = [];
    for await (const piece of payloads as AsyncIterable<Uint8Array>) {
      expect([intake.accepted, intake.admission.running]).toEqual([1, 1]);
      sizes.push(piece.length);
    }
    expect(sizes).toEqual([1, 2]);
    expect([intake.accepted, intake.admission.running]).toEqual([0, 0]);
  });

  it("refuses an answer in pieces to who takes none, and gives the place back", async () => {
    const { intake, pool, refusalOf } = scene();
    intake.open();
    async function* pieces() {
      yield new Uint8Array(1);
    }
    pool.work = () =>
      Promise.resolve({
        payloads: pieces(),
        status: 0,
        headers: emptyMetadata,
        trailers: emptyMetadata,
      });
    expect(await refusalOf({ takesPieces: false })).toBe("STREAM_NEEDED");
    await flushPromises();
    expect(intake.admission.running).toBe(0);
  });
});
