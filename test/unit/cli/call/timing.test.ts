import { describe, expect, it } from "vitest";
import { CallStopwatch, timingText } from "../../../../src/cli/call/timing.js";
import { Status } from "../../../../src/core/status.js";
import { createFakeClock } from "../../../support/fake-clock.js";

const attempt = {
  instance: "a:1",
  code: Status.OK,
  reason: undefined,
  connectMs: 7,
  durationMs: 30,
};
const failed = {
  ...attempt,
  instance: "b:1",
  code: Status.UNAVAILABLE,
  reason: "QUEUE_FULL",
} as const;
const report = { snapshotVersion: 1, snapshotAgeMs: 0, candidates: 2, resolveMs: 0 };

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
});
