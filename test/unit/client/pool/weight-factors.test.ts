import { describe, expect, it } from "vitest";
import { WeightFactors } from "../../../../src/client/pool/weight-factors.js";
import type { LoadReport } from "../../../../src/core/load-report.js";
import { seededRandom } from "../../../../src/core/seeded-random.js";
import { createFakeClock } from "../../../support/fake-clock.js";

function factors(slowStartMs = 0) {
  const clock = createFakeClock();
  const told: string[] = [];
  const made = new WeightFactors({ clock, slowStartMs, onFactor: (key) => told.push(key) });
  const report = (key: string, load: Partial<LoadReport>, weight = 100): void =>
    made.reported(key, weight, {
      utilization: 0.5,
      callsPerSecond: 100,
      failuresPerSecond: 0,
      ...load,
    });
  /** The same reports, ten times a second for so long. */
  function reports(seconds: number, loads: Readonly<Record<string, Partial<LoadReport>>>): void {
    for (let tenth = 0; tenth < 10 * seconds; tenth++) {
      for (const [key, load] of Object.entries(loads)) report(key, load);
      clock.advance(100);
    }
  }
  return { clock, told, made, report, reports };
}

describe("WeightFactors: slow start", () => {
  it("lets a factor grow from a tenth to the whole in steps of 5 %, with one background timer", () => {
    const { clock, told, made } = factors(18_000);
    made.entered("a");
    expect(told).toEqual([]);
    const seen: number[] = [made.factorOf("a")];
    for (let second = 0; second < 18; second++) {
      expect(clock.pending()).toMatchObject([{ background: true }]);
      clock.advance(1_000);
      seen.push(made.factorOf("a"));
    }
    expect(seen).toEqual(Array.from({ length: 19 }, (_, step) => (2 + step) / 20));
    expect(told).toHaveLength(18);
    expect(clock.pending()).toEqual([]);
  });

  it("lets several grow with one timer, each from when it came", () => {
    const { clock, made } = factors(18_000);
    made.entered("a");
    clock.advance(9_500);
    made.entered("b");
    expect(clock.pending()).toHaveLength(1);
    clock.advance(500 + 2_000);
    expect([made.factorOf("a"), made.factorOf("b")]).toEqual([0.7, 0.2]);
    clock.advance(30_000);
    expect([made.factorOf("a"), made.factorOf("b"), made.factorOf("c")]).toEqual([1, 1, 1]);
  });

  it("is off with 0, and ends with whoever leaves", () => {
    const off = factors(0);
    off.made.entered("a");
    expect([off.made.factorOf("a"), off.clock.pending()]).toEqual([1, []]);
    const { clock, made } = factors(1_000);
    made.entered("a");
    made.forget("a");
    expect([made.factorOf("a"), clock.pending()]).toEqual([1, []]);
    made.entered("b");
    made.close();
    expect(clock.pending()).toEqual([]);
  });
});

describe("WeightFactors: load reports", () => {
  it("gives more to who could do more, by calls per utilization and weight", () => {
    const { made, reports } = factors();
    reports(60, { a: { utilization: 0.8 }, b: { utilization: 0.2 } });
    expect(made.factorOf("b") / made.factorOf("a")).toBeCloseTo(4, 0);
    expect(made.factorOf("a") * made.factorOf("b")).toBeCloseTo(1, 1);
  });

  it("gives everybody the same whose capacity is as their weight", () => {
    const { clock, told, made } = factors();
    for (let tenth = 0; tenth < 100; tenth++) {
      made.reported("a", 100, { utilization: 0.5, callsPerSecond: 100, failuresPerSecond: 0 });
      made.reported("b", 300, { utilization: 0.5, callsPerSecond: 300, failuresPerSecond: 0 });
      clock.advance(100);
    }
    expect([told, made.factorOf("a"), made.factorOf("b")]).toEqual([[], 1, 1]);
  });

  it("counts failures as load", () => {
    const { made, reports } = factors();
    reports(60, { a: { failuresPerSecond: 50 }, b: {} });
    expect(made.factorOf("b") / made.factorOf("a")).toBeCloseTo(2, 0);
  });

  it("leaves one that does not report its share, also among others that do", () => {
    const { made, reports } = factors();
    reports(60, { a: { utilization: 0.8 }, b: { utilization: 0.2 } });
    expect(made.factorOf("new")).toBe(1);
  });

  it("begins with the share of the weight when the first report comes", () => {
    const { made, reports, report } = factors();
    reports(30, { a: {}, b: {} });
    report("cold", { utilization: 1, callsPerSecond: 1 });
    expect(made.factorOf("cold")).toBe(1);
    reports(2, { a: {}, b: {}, cold: { utilization: 1, callsPerSecond: 1 } });
    expect(made.factorOf("cold")).toBeGreaterThan(0.3);
  });

  it("tells of a change at most once a second for each, and only of 5 % or more", () => {
    const { told, reports } = factors();
    reports(30, { a: { utilization: 0.9 }, b: { utilization: 0.1 } });
    const many = told.length;
    expect(many).toBeGreaterThan(4);
    expect(many).toBeLessThanOrEqual(60);
    reports(30, { a: { utilization: 0.9 }, b: { utilization: 0.1 } });
    expect(told.length - many).toBeLessThanOrEqual(2);
  });

  it.each<readonly [string, Partial<LoadReport>]>([
    ["no calls per second", { callsPerSecond: 0 }],
    ["a negative number of calls", { callsPerSecond: -5 }],
    ["NaN for utilization", { utilization: Number.NaN }],
    ["infinitely many calls", { callsPerSecond: Number.POSITIVE_INFINITY }],
    ["infinite utilization", { utilization: Number.POSITIVE_INFINITY }],
    ["infinitely many failures", { failuresPerSecond: Number.POSITIVE_INFINITY }],
  ])("takes no notice of a report of %s", (_what, load) => {
    const { made, reports, clock } = factors();
    reports(5, { a: load });
    expect([made.factorOf("a"), clock.pending()]).toEqual([1, []]);
  });

  it.each<readonly [string, Partial<LoadReport>]>([
    ["endless capacity", { utilization: 0, callsPerSecond: 1e300 }],
    ["none", { utilization: 1e300, callsPerSecond: 1e-300 }],
  ])("bounds what one that reports %s does to the others", (_what, lie) => {
    const { made, reports } = factors();
    const honest = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`h${i}`, {}]));
    reports(120, { ...honest, liar: lie });
    expect(made.factorOf("liar")).toBeGreaterThanOrEqual(0.1);
    expect(made.factorOf("liar")).toBeLessThanOrEqual(10);
    for (const key of Object.keys(honest)) {
      expect(made.factorOf(key)).toBeGreaterThan(0.7);
      expect(made.factorOf(key)).toBeLessThan(1.4);
    }
    reports(60, { ...honest, liar: {} });
    expect(made.factorOf("liar")).toBeCloseTo(1, 0);
  });

  it("goes back to the weight a minute after the last report, and holds no timer then", () => {
    const { clock, told, made, reports } = factors();
    reports(30, { a: { utilization: 0.8 }, b: { utilization: 0.2 } });
    expect(clock.pending()).toMatchObject([{ background: true }]);
    told.length = 0;
    clock.advance(75_000);
    expect([made.factorOf("a"), made.factorOf("b"), told]).toEqual([1, 1, ["a", "b"]]);
    expect(clock.pending()).toEqual([]);
  });

  it("multiplies with slow start", () => {
    const { made, reports } = factors(18_000);
    reports(60, { a: { utilization: 0.8 }, b: { utilization: 0.2 } });
    const before = made.factorOf("b");
    made.entered("b");
    expect(made.factorOf("b")).toBeCloseTo(before / 10, 9);
  });
});

describe("WeightFactors in a closed loop", () => {
  interface Server {
    readonly capacity: number;
    /** Calls per second that it has had of late, as it measures them. */
    rate: number;
  }

  // How utilization follows from calls per second by capacity: as of a processor, and as of a queue that grows without measure.
  const models = {
    "by work": (load: number) => load,
    "by queue": (load: number) => Math.min(50, load / Math.max(0.02, 1 - load)),
  };

  it.each(Object.entries(models))("settles where all are equally busy, %s", (_name, utilize) => {
    const random = seededRandom(7);
    const { clock, made, report } = factors();
    const capacities = [50, 100, 100, 100, 200, 400];
    const servers = new Map<string, Server>(
      capacities.map((capacity, index) => [`s${index}`, { capacity, rate: 0 }]),
    );
    const total = 0.6 * capacities.reduce((sum, capacity) => sum + capacity, 0);
    const swings: number[] = [];
    let last = 0;
    for (let step = 0; step < 6_000; step++) {
      let sum = 0;
      for (const key of servers.keys()) sum += made.factorOf(key);
      let worst = 0;
      for (const [key, server] of servers) {
        const now = (total * made.factorOf(key)) / sum;
        // Hosts measure over about three seconds, and with noise.
        server.rate += (now - server.rate) / 30;
        worst = Math.max(worst, now / server.capacity);
        const noise = 0.9 + 0.2 * random();
        const utilization = utilize(server.rate / server.capacity) * noise;
        report(key, { utilization, callsPerSecond: server.rate });
      }
      if (step >= 3_000) swings.push(Math.abs(worst - last));
      last = worst;
      clock.advance(100);
      if (step >= 3_000) expect(worst).toBeLessThan(0.75);
    }
    expect(Math.max(...swings)).toBeLessThan(0.06);
  });
});
