import { describe, expect, it } from "vitest";
import { CallStopwatch, timingText } from "../../../../src/cli/call/timing.js";
import type { AttemptReport } from "../../../../src/core/serving-error.js";
import { Status } from "../../../../src/core/status.js";
import { createFakeClock } from "../../../support/fake-clock.js";

const attempt = {
  instance: "a:1",
  code: Status.OK,
  reason: undefined,
  outcome: "answered" as const,
  hedge: false,
  startedMs: 0,
  connectMs: 7,
  waitMs: 13,
  transferMs: 10,
  durationMs: 30,
};
const failed = {
  ...attempt,
  outcome: "repeated",
  instance: "b:1",
  code: Status.UNAVAILABLE,
  reason: "QUEUE_FULL",
} as const;
const report = {
  snapshotVersion: 1,
  snapshotAgeMs: 0,
  candidates: 2,
  resolveMs: 0,
  timeoutMs: 5_000,
  inherited: false,
  durationMs: 30,
};

describe("CallStopwatch", () => {
  it("splits the time of a call, and leaves out what came between list and call", () => {
    const clock = createFakeClock();
    const watch = new CallStopwatch(clock);
    clock.advance(5);
    watch.resolved();
    clock.advance(1_000);
    watch.begin();
    clock.advance(20);
    watch.answered();
    clock.advance(10);
    watch.answered();
    watch.onReport({ ...report, attempts: [attempt] });
    expect(watch.timing()).toEqual({
      resolveMs: 5,
      connectMs: 7,
      waitMs: 13,
      transferMs: 10,
      totalMs: 35,
    });
  });
});

describe("timingText", () => {
  it("names the instance, counts the attempts, and says of each failed one why", () => {
    const timing = { resolveMs: 0.4, connectMs: 7, waitMs: 13, transferMs: 0, totalMs: 20.4 };
    expect(timingText({ ...report, attempts: [failed, attempt] }, timing)).toBe(
      "a:1, 2 attempts, 20 ms (resolve 0, connect 7, wait 13, transfer 0); b:1 failed with UNAVAILABLE (QUEUE_FULL) after 30 ms",
    );
  });

  const timing = { resolveMs: 0, connectMs: 0, waitMs: 0, transferMs: 0, totalMs: 0 };
  const line = (...attempts: AttemptReport[]) => timingText({ ...report, attempts }, timing);

  it("names the attempt that answered, not the one it overtook", () => {
    const overtaken = { ...failed, outcome: "overtaken", hedge: true } as const;
    expect(line(attempt, overtaken)).toMatch(/^a:1, 2 attempts,.*; b:1 overtaken after 30 ms$/);
  });

  it("says why there was no other attempt, and names the latest one when none was the end", () => {
    expect(line({ ...failed, outcome: "budget-empty" })).toContain("the retry budget was empty");
    expect(line({ ...failed, outcome: "not-safe-to-repeat" })).toContain("--idempotent");
    expect(line({ ...failed, outcome: "repeated" })).toMatch(/^b:1, 1 attempt,.*after 30 ms$/);
  });
});
