import { describe, expect, it } from "vitest";
import { CallJudge, HUNG } from "../../../../src/cli/chaos/call-judge.js";
import type { WireEnd } from "../../../../src/cli/chaos/wire-client.js";

const endOf = (outcome: string, parts: Partial<WireEnd> = {}): WireEnd => ({
  outcome,
  message: "",
  answers: [],
  beganMs: 1_000,
  endedMs: 1_010,
  timeoutMs: 100,
  ...parts,
});

describe("CallJudge", () => {
  it.each([
    // outcome, calm, whose fault
    ["OK", true, "nobody"],
    ["PROCESSOR_THREW", false, "processor"],
    ["PROCESSOR_BAD_ANSWER", false, "processor"],
    ["REQUEST_QUARANTINED", false, "processor"],
    ["DEADLINE_EXCEEDED", true, "processor"],
    ["DEADLINE_EXCEEDED", false, "nobody"],
    ["LANE_DIED", true, "processor"],
    ["LANE_DIED", false, "nobody"],
    ["QUEUE_FULL", false, "nobody"],
    ["CANCELLED", false, "nobody"],
    ["LOST", false, "host"],
    ["UNKNOWN", false, "host"],
    [HUNG, false, "host"],
  ] as const)("takes %s for the fault it is (calm: %s)", (outcome, calm, whose) => {
    const judge = new CallJudge();
    judge.judge(endOf(outcome), calm);
    expect(judge.outcomes.of(outcome)).toBe(1);
    expect(judge.processorFaults.total).toBe(whose === "processor" ? 1 : 0);
    expect(judge.hostFaults.total).toBe(whose === "host" ? 1 : 0);
  });

  it("excuses lost calls that began before the host was back", () => {
    const judge = new CallJudge();
    judge.goneAway();
    judge.judge(endOf("LOST"), false);
    judge.backAt(2_000);
    judge.judge(endOf("LOST", { beganMs: 1_999 }), false);
    expect(judge.hostFaults.total).toBe(0);
    judge.judge(endOf("LOST", { beganMs: 2_001 }), false);
    expect(judge.hostFaults.total).toBe(1);
  });

  it("notes by how much calls outlived their deadline, but not those that never ended", () => {
    const judge = new CallJudge();
    judge.judge(endOf("DEADLINE_EXCEEDED", { endedMs: 1_130 }), false);
    judge.judge(endOf("OK", { endedMs: 1_100 }), false);
    judge.judge(endOf(HUNG, { endedMs: 6_100 }), false);
    expect(judge.overrunsMs).toEqual([30]);
  });

  it("compares answers with the reference, once there is one", () => {
    const judge = new CallJudge();
    judge.judge(endOf("OK", { answers: [Buffer.from("x")] }), true);
    judge.reference = Buffer.from("ab");
    judge.judge(endOf("OK", { answers: [Buffer.from("a"), Buffer.from("b")] }), true);
    judge.judge(endOf("OK", { answers: [Buffer.from("b")] }), true);
    expect([judge.compared, judge.different]).toEqual([2, 1]);
  });

  it("wants nothing of what is no proper call but that it ends", () => {
    const judge = new CallJudge();
    judge.judgeOdd(endOf("LOST"));
    judge.judgeOdd(endOf(HUNG));
    expect(String(judge.hostFaults)).toBe(`${HUNG} 1`);
  });
});
