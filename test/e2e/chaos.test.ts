import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/core/seeded-random.js";
import { runDeadlines } from "../chaos/deadlines.js";
import { runFaults } from "../chaos/faults.js";
import { runLeak } from "../chaos/leak.js";
import { runOverload } from "../chaos/overload.js";
import { runPredicts } from "../chaos/predicts.js";
import { runRestarts } from "../chaos/restarts.js";

// About 1 % of `npm run chaos`, and nothing that is measured in milliseconds.
const ports = { random: seededRandom(1), print() {} };
const lanes = ["inline", "process"] as const;

describe("a host whose lanes are hurt", () => {
  it("replaces each, and ends every call in a way that is known", { timeout: 60_000 }, async () => {
    const seen = await runFaults({ faults: 5 }, ports);
    expect(seen.faults.map((fault) => fault.kind).toSorted()).toEqual([
      "SIGKILL",
      "SIGSTOP",
      "busy loop",
      "exit in a reply",
      "out of memory",
    ]);
    expect(seen.unnoticed).toBe(0);
    expect(seen.wronglyReplaced).toBe(0);
    expect(seen.outcomes.of("OK")).toBeGreaterThan(0);
    expect(seen.outcomes.of("LANE_DIED")).toBeGreaterThan(0);
    expect(seen.outcomes.beyond(["OK", "DEADLINE_EXCEEDED", "LANE_DIED"])).toBe(0);
    expect(seen.exitCode).toBe(0);
    expect(seen.leftBehind).toBe(0);
  });
});

describe("hosts that are restarted in turn", () => {
  it("fail no call, and leave nothing behind", { timeout: 60_000 }, async () => {
    const seen = await runRestarts({ rounds: 1, perSecond: 50 }, ports);
    expect(seen.restarts).toBe(3);
    expect(seen.calls).toBeGreaterThan(0);
    expect(seen.outcomes.beyond(["OK"])).toBe(0);
    expect(seen.badExits).toBe(0);
    expect(seen.leftBehind).toBe(0);
  });
});

describe("a host that is offered far more than it can do", () => {
  it.each(lanes)("answers calls of high priority before others, %s", async (lane) => {
    const size = { peakMs: 300, overloadMs: 500, offeredPerSecond: 2_000 };
    const { outcomes, highCalls, highOk } = await runOverload(lane, size, ports);
    const normalOk = outcomes.of("OK") - highOk;
    expect(highOk / highCalls).toBeGreaterThan(normalOk / (outcomes.total - highCalls));
    expect(outcomes.of("QUEUE_FULL")).toBeGreaterThan(0);
    expect(outcomes.beyond(["OK", "QUEUE_FULL", "DEADLINE_EXCEEDED"])).toBe(0);
  });
});

describe("calls that are short of time, or whose callers leave", () => {
  it.each(lanes)("never start when it is over, %s", async (lane) => {
    const seen = await runDeadlines(lane, { calls: 1_000 }, ports);
    expect(seen.starts).toBeGreaterThan(0);
    expect(seen.outcomes.of("DEADLINE_EXCEEDED")).toBeGreaterThan(0);
    expect([seen.late, seen.left]).toEqual([0, 0]);
    expect(seen.outcomes.beyond(["OK", "DEADLINE_EXCEEDED", "CANCELLED"])).toBe(0);
  });
});

describe("a host whose heap is sampled", () => {
  it.each(lanes)("ends all kinds of calls as they should, %s", async (lane) => {
    const [seen] = await runLeak(lane, { calls: 1_000, callsPerSample: 250 }, ports);
    expect(seen?.calls).toBe(1_000);
    const ends = ["OK", "CANCELLED", "DEADLINE_EXCEEDED", "CALL_FAILED"];
    expect(seen?.outcomes.beyond(ends)).toBe(0);
  });
});

describe("a client of EAS's own example that goes on and on", () => {
  it("fails no call, and keeps the shares within one call", { timeout: 60_000 }, async () => {
    const seen = await runPredicts({ calls: 1_000, callsPerSample: 250 }, ports);
    expect(seen).toMatchObject({ calls: 1_000, failed: 0, wrong: 0, exitCode: 0 });
    expect(seen.worstShare).toBeLessThanOrEqual(1);
  });
});
