import { describe, expect, it } from "vitest";
import { type CallEnd, Recorder } from "../../../../src/cli/bench/recorder.js";
import type { Measured } from "../../../../src/cli/bench/result.js";
import { closedPace, openPace, type Pace, runLoad } from "../../../../src/cli/bench/run-load.js";
import { createSchedule } from "../../../../src/cli/bench/schedule.js";
import { warningsOf } from "../../../../src/cli/bench/warnings.js";
import { benchRun } from "../../../support/bench-runs.js";
import { createFakeClock } from "../../../support/fake-clock.js";

const TURN_MS = 0.5;
const good: CallEnd = { instance: "a:1", messages: 1, receivedBytes: 10 };
const bad: CallEnd = {
  instance: "b:1",
  messages: 0,
  receivedBytes: 0,
  error: { code: "UNAVAILABLE", reason: "CALL_REFUSED", message: "full" },
};

interface RunOptions {
  readonly pace?: (warmUpMs: number) => Pace;
  /** How long the call that begins now takes, in milliseconds from the start of what is measured. */
  readonly tookMs: (nowMs: number, number: number) => number;
  readonly endOf?: (number: number) => CallEnd;
  readonly durationMs?: number;
  readonly warmUpMs?: number;
  /** How long a turn of the event loop takes. */
  readonly turnMs?: (nowMs: number) => number;
  readonly interruptAtMs?: number;
}

/** 100 calls a second, unless told otherwise. */
async function run(options: RunOptions) {
  const { tookMs, durationMs = 10_000, warmUpMs = 0, interruptAtMs } = options;
  const clock = createFakeClock();
  const zeroMs = clock.now() + warmUpMs;
  const recorder = new Recorder(100);
  const stop = new AbortController();
  const pace =
    options.pace?.(warmUpMs) ??
    openPace(createSchedule(100, "constant", Math.random), 10_000, warmUpMs);
  let abandoned = false;
  const ending = new Set<() => void>();
  const done = runLoad(pace, {
    clock,
    soon: (next) => void clock.after(options.turnMs?.(clock.now() - zeroMs) ?? TURN_MS, next),
    signal: stop.signal,
    recorder,
    warmUpMs,
    durationMs,
    call: (number) =>
      new Promise((resolve) => {
        const end = (): void => resolve(options.endOf?.(number) ?? good);
        ending.add(() => resolve(bad));
        clock.after(tookMs(clock.now() - zeroMs, number), end);
      }),
    abandon: () => {
      abandoned = true;
      for (const end of ending) end();
    },
  });
  if (interruptAtMs !== undefined) clock.after(interruptAtMs, () => stop.abort());
  let ended = false;
  void done.then(() => {
    ended = true;
  });
  while (!ended) await clock.settle(1_000);
  const end = await done;
  return { end, abandoned, measured: recorder.measured(end.measuredMs) };
}

/** Answers in 1 ms, but for a second in which it does not answer at all. */
const stalls = (nowMs: number): number => (nowMs >= 5_000 && nowMs < 6_000 ? 6_000 - nowMs + 1 : 1);

const sum = ({ calls }: Measured): number => calls.succeeded + calls.failed + calls.notSent;

describe("runLoad with an open pace", () => {
  it("shows a second without answers in the percentiles, and not only once", async () => {
    const { measured } = await run({ tookMs: stalls });
    const { latencyUs, calls } = measured;
    expect(calls).toEqual({ scheduled: 1_000, succeeded: 1_000, failed: 0, notSent: 0 });
    expect(latencyUs.p50).toBeLessThan(2_000);
    // A tenth of all that came met the stall, and waited half a second on average.
    expect(latencyUs.p99).toBeGreaterThan(850_000);
    expect(latencyUs.p99).toBeLessThan(1_010_000);
    expect(latencyUs.max).toBeGreaterThan(990_000);
    const [before, during] = [measured.seconds[4], measured.seconds[5]];
    expect(before?.p99).toBeLessThan(2_000);
    expect(during?.p50).toBeGreaterThan(450_000);
  });

  it("counts time in which the generator itself was held up, and says so", async () => {
    const { measured } = await run({
      tookMs: () => 1,
      // As if the generator's own thread were busy for a second: what is due meanwhile is sent behind it.
      turnMs: (nowMs) => (nowMs >= 5_000 && nowMs < 6_000 ? 6_000 - nowMs : TURN_MS),
    });
    expect(measured.calls.scheduled).toBe(1_000);
    expect(measured.latencyUs.p99).toBeGreaterThan(850_000);
    expect(measured.latenessUs.p99).toBeGreaterThan(850_000);
    expect(measured.fromSendUs.p99).toBeLessThan(2_000);
    const { settings } = benchRun({});
    expect(warningsOf(measured, settings).join()).toContain("the generator itself was late");
  });

  it("does not count the warm-up", async () => {
    const { measured, end } = await run({
      tookMs: (nowMs) => (nowMs < 0 ? 500 : 1),
      warmUpMs: 2_000,
      durationMs: 3_000,
    });
    expect(end).toEqual({ measuredMs: 3_000, interrupted: false });
    expect(measured.calls.scheduled).toBe(300);
    expect(measured.latencyUs.max).toBeLessThan(2_000);
    expect(measured.seconds.map(({ second, calls }) => [second, calls])).toEqual([
      [0, 100],
      [1, 100],
      [2, 100],
    ]);
  });

  it("sends no more than its bound, and counts what it did not send", async () => {
    const { measured } = await run({
      tookMs: stalls,
      pace: (warmUpMs) => openPace(createSchedule(100, "constant", Math.random), 20, warmUpMs),
    });
    expect(measured.calls).toEqual({ scheduled: 1_000, succeeded: 919, failed: 0, notSent: 81 });
    expect(measured.seconds[5]).toMatchObject({ calls: 100, succeeded: 20, notSent: 80 });
    const { settings } = benchRun({});
    expect(warningsOf(measured, settings).join()).toContain("81 calls were not sent");
  });

  it("counts failures by reason, and calls by instance", async () => {
    const { measured } = await run({
      tookMs: () => 1,
      endOf: (number) => (number % 4 === 0 ? bad : good),
    });
    expect(measured.calls).toMatchObject({ scheduled: 1_000, succeeded: 750, failed: 250 });
    expect(measured.errors).toEqual([
      { code: "UNAVAILABLE", reason: "CALL_REFUSED", message: "full", calls: 250 },
    ]);
    expect(measured.instances).toEqual([
      { instance: "a:1", calls: 750, failed: 0 },
      { instance: "b:1", calls: 250, failed: 250 },
    ]);
    expect(measured.bytes).toEqual({ sent: 100_000, received: 7_500 });
  });

  it("ends early when told to, and measures what there was", async () => {
    const { measured, end, abandoned } = await run({ tookMs: () => 100, interruptAtMs: 2_500 });
    expect(end).toEqual({ measuredMs: 2_500, interrupted: true });
    expect(abandoned).toBe(false);
    expect(measured.calls.scheduled).toBe(250);
    expect(sum(measured)).toBe(250);
  });

  it("gives up calls that go on for a second after it was told to end", async () => {
    const { measured, end, abandoned } = await run({ tookMs: () => 60_000, interruptAtMs: 2_500 });
    expect(end).toEqual({ measuredMs: 2_500, interrupted: true });
    expect(abandoned).toBe(true);
    expect(measured.calls).toEqual({ scheduled: 250, succeeded: 0, failed: 250, notSent: 0 });
  });
});

describe("runLoad with a closed pace", () => {
  it("keeps so many calls in progress", async () => {
    const { measured } = await run({
      tookMs: () => 10,
      pace: () => closedPace(8),
      durationMs: 1_000,
    });
    expect(measured.calls.succeeded).toBe(800);
    expect(sum(measured)).toBe(measured.calls.scheduled);
  });

  it("meets a second without answers once for each call in progress: why it is not what is measured by", async () => {
    const { measured } = await run({ tookMs: stalls, pace: () => closedPace(1) });
    expect(measured.latencyUs["p99.9"]).toBeLessThan(2_000);
    expect(measured.latencyUs.max).toBeGreaterThan(990_000);
  });
});
