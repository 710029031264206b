import { describe, expect, it } from "vitest";
import {
  calmBars,
  exitCodeFor,
  memoryBars,
  runBars,
  timeBars,
} from "../../../../src/cli/chaos/bars.js";
import { CallJudge } from "../../../../src/cli/chaos/call-judge.js";
import type { HostFigures } from "../../../../src/cli/chaos/run.js";

const MIB = 2 ** 20;
const fine: HostFigures = {
  toldMs: [5],
  backMs: [200],
  lanesLost: 0,
  notReplaced: 0,
  notBack: 0,
  notBackText: "",
  falseAlarms: 0,
  taken: 0,
  stops: 1,
  badExits: 0,
  leftBehind: 0,
};

function judged(figures: Partial<HostFigures>, change: (calls: CallJudge) => void = () => {}) {
  const calls = new CallJudge();
  calls.reference = Buffer.from("a");
  change(calls);
  return runBars(calls, { ...fine, ...figures }, { backMs: 20_000 });
}

describe("runBars", () => {
  it("are all met when nothing was wrong", () => {
    const bars = judged({});
    expect(bars).toHaveLength(13);
    expect(bars.filter(({ met }) => !met)).toEqual([]);
  });

  it.each<[Partial<HostFigures>, "processor" | "host", string, string]>([
    [{ lanesLost: 2 }, "processor", "lanes that ended without a fault", "2"],
    [{ toldMs: [5, 1_500] }, "host", "readyz told of a lost lane after", "1500 ms"],
    [{ backMs: [20_001] }, "host", "all lanes back after", "20001 ms"],
    [{ falseAlarms: 1 }, "host", "times not ready without a fault", "1"],
    [{ notReplaced: 1 }, "host", "hurt lanes that were not replaced", "1"],
    [{ notBack: 1 }, "host", "times that it did not recover", "1"],
    [{ notBack: 1, notBackText: "no model" }, "host", "times that it did not", "1: no model"],
    [{ taken: 3 }, "host", "broken requests that were answered", "3"],
    [{ badExits: 1, stops: 4 }, "host", "stops with an exit code", "1 of 4"],
    [{ leftBehind: 2 }, "host", "processes left after a stop", "2"],
  ])("miss the one of %j", (figures, owner, what, figure) => {
    const missed = judged(figures).filter(({ met }) => !met);
    expect(missed).toHaveLength(1);
    expect(missed[0]).toMatchObject({ owner, figure: expect.stringContaining(figure) });
    expect(missed[0]?.what).toContain(what);
  });

  it("miss those of calls, with what became of them", () => {
    const missed = judged({}, (calls) => {
      calls.processorFaults.add("PROCESSOR_THREW");
      calls.hostFaults.add("LOST");
      calls.overrunsMs.push(1_001);
      calls.compared = 9;
      calls.different = 1;
    }).filter(({ met }) => !met);
    expect(missed.map(({ figure }) => figure)).toEqual([
      "1 of 0: PROCESSOR_THREW 1",
      "1 of 9",
      "1 of 0: LOST 1",
      "1001 ms (median 1001, 1 of 1 above)",
    ]);
  });

  it("skip the comparison of answers that differ by themselves", () => {
    const bars = judged({}, (calls) => {
      calls.reference = undefined;
    });
    const skipped = bars.find(({ bar }) => bar.startsWith("skipped"));
    expect(skipped).toMatchObject({ what: "answers as before the faults", met: true });
  });
});

describe("calmBars", () => {
  it("tells what became of calls before any fault", () => {
    expect(calmBars(0, 20, "OK 20")).toMatchObject([{ figure: "0 of 20", met: true }]);
    expect(calmBars(2, 20, "OK 18, LANE_DIED 2")).toMatchObject([
      { owner: "processor", figure: "2 of 20: OK 18, LANE_DIED 2", met: false },
    ]);
  });
});

describe("memoryBars", () => {
  it.each([
    // before, after, met: 64 MiB are allowed, or half where that is more
    [100, 164, true],
    [100, 165, false],
    [400, 600, true],
    [400, 601, false],
    [400, 100, true],
  ])("from %i to %i MiB: %s", (before, after, met) => {
    const grown = [before * MIB, after * MIB] as const;
    const still = [MIB, MIB] as const;
    const [lanes, host] = memoryBars({ lanes: grown, host: still, calls: 200 });
    expect([lanes?.owner, lanes?.met]).toEqual(["processor", met]);
    expect([host?.owner, host?.met]).toEqual(["host", true]);
  });
});

describe("timeBars", () => {
  it("names what a run was ended in", () => {
    expect(timeBars(31_000, 120_000, "restart")).toMatchObject([{ figure: "31 s", met: true }]);
    expect(timeBars(120_000, 120_000, "restart")).toMatchObject([
      { owner: "host", bar: "at most 120 s", figure: "ended in restart", met: false },
    ]);
  });
});

describe("exitCodeFor", () => {
  const bar = (owner: "processor" | "host", met: boolean) => ({
    what: "",
    bar: "",
    figure: "",
    owner,
    met,
  });

  it("is the processor's before the host's", () => {
    expect(exitCodeFor([bar("host", true), bar("processor", true)])).toBe(0);
    expect(exitCodeFor([bar("host", false), bar("processor", true)])).toBe(6);
    expect(exitCodeFor([bar("host", false), bar("processor", false)])).toBe(5);
  });
});
