import { describe, expect, it } from "vitest";
import type { Bar } from "../../src/cli/chaos/report.js";
import { seededRandom } from "../../src/core/seeded-random.js";
import { blackholeBars, runBlackhole } from "../calls/blackhole.js";
import { runChain } from "../calls/chain.js";
import { runCost } from "../calls/cost.js";
import { runDeadline } from "../calls/deadline.js";
import { herdBars, herdSizes, runHerd } from "../calls/herd.js";
import { lagBars, lagSizes, runLag } from "../calls/lag.js";
import { leakBars, runLeak } from "../calls/leak.js";
import { runOpening } from "../calls/opening.js";
import { outlierBars, outlierSizes, runOutlier } from "../calls/outlier.js";
import { runPick } from "../calls/pick.js";
import { runSlow, slowBars, slowSizes } from "../calls/slow.js";
import { runStorm, stormBars, stormSizes } from "../calls/storm.js";

// The least of `npm run calls`, and nothing that is measured in milliseconds of this machine.
const seed = 1;
const ports = () => ({ random: seededRandom(seed), print() {} });

const missed = (bars: readonly Bar[]): readonly Bar[] => bars.filter(({ met }) => !met);

/** Bars for what must never happen, but for what is late. */
const never = (bars: readonly Bar[]): readonly Bar[] => bars.filter(({ bar }) => bar === "0");

describe("calls in virtual time", () => {
  it("are spread by weight, with no lag of a whole call", async () => {
    const bars = lagBars(await runLag(lagSizes.small, ports()));
    expect(bars.length).toBeGreaterThan(0);
    expect(missed(bars)).toEqual([]);
  });

  it("of clients that have just begun do not meet at one instance", async () => {
    const bars = herdBars(await runHerd(herdSizes.small, ports()));
    expect(bars.length).toBeGreaterThan(0);
    expect(missed(bars)).toEqual([]);
  });

  it.each([
    ["some fail", async () => outlierBars(await runOutlier({ ...outlierSizes.small, seed }))],
    ["nothing goes well", async () => stormBars(await runStorm({ ...stormSizes.small, seed }))],
    ["one is slow", async () => slowBars(await runSlow({ ...slowSizes.small, seed }))],
  ])("hold their bars while %s", { timeout: 60_000 }, async (_name, run) => {
    const bars = await run();
    expect(bars.length).toBeGreaterThan(0);
    expect(missed(bars)).toEqual([]);
  });
});

describe("calls over real sockets", () => {
  it("leave nobody behind when hosts fall silent and come back", {
    timeout: 90_000,
  }, async () => {
    const figures = await runBlackhole({ rounds: 1, ways: ["gRPC"] }, ports());
    expect(figures.map(({ outMs, backMs }) => [outMs.length, backMs.length])).toEqual([[1, 1]]);
    expect(missed(never(blackholeBars(figures)))).toEqual([]);
  });

  it("are given up by their servers when their time is over", { timeout: 60_000 }, async () => {
    const figures = await runDeadline({ calls: 4 }, ports());
    expect(figures.length).toBeGreaterThan(0);
    for (const { lane, way, calls, kept } of figures) {
      expect([lane, way, calls, kept]).toEqual([lane, way, 4, 0]);
    }
  });

  it("have less time at each service of a chain, and go on at none", {
    timeout: 60_000,
  }, async () => {
    const { hops, notLess, kept } = await runChain({ calls: 4 }, ports());
    expect(hops).toBeGreaterThan(0);
    expect([notLess, kept]).toEqual([0, 0]);
  });

  it("open a connection to each of many instances", { timeout: 60_000 }, async () => {
    const figures = await runOpening({ instances: 20, rounds: 1 }, ports());
    const ours = figures.filter((each) => each.ours);
    expect(ours.map(({ blocks, unopened }) => [blocks.length, unopened])).toEqual(
      ours.map(() => [1, 0]),
    );
  });

  it("leave nothing open when their clients are closed", { timeout: 60_000 }, async () => {
    const figures = await runLeak({ clients: 100, samples: 5, settleMs: 200 }, ports());
    expect(figures.samples).toHaveLength(5);
    expect(missed(never(leakBars(figures)))).toEqual([]);
  });
});

describe("what a call costs", () => {
  it("is measured beside others' clients", { timeout: 60_000 }, async () => {
    const figures = await runCost({ rounds: 1, calls: 100 }, ports());
    expect(figures.map(({ ratio }) => ratio > 0)).toEqual(figures.map(() => true));
  });

  it("is measured of every policy, for few instances and for many", {
    timeout: 60_000,
  }, async () => {
    const figures = await runPick({ rounds: 2, picks: 1_000 }, ports());
    expect(new Set(figures.map(({ policy }) => policy)).size).toBeGreaterThanOrEqual(3);
    expect(new Set(figures.map(({ instances }) => instances)).size).toBeGreaterThan(1);
  });
});
