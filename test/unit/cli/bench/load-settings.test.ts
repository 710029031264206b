import { describe, expect, it } from "vitest";
import type { BenchFlags } from "../../../../src/cli/bench/flags.js";
import { loadOf } from "../../../../src/cli/bench/load-settings.js";
import { inFlightBound } from "../../../../src/cli/bench/settings.js";

describe("loadOf", () => {
  it("takes modest defaults", () => {
    expect(loadOf({})).toEqual({
      loop: "open",
      callsPerSecond: 50,
      arrivals: "constant",
      maxInFlight: undefined,
      durationS: 10,
      warmUpS: 1,
      connections: 4,
      timeoutMs: 5_000,
      seed: 1,
    });
  });

  it("takes what is given", () => {
    const given = { rate: "0.5", arrivals: "poisson", duration: "2.5", warmUp: "0", seed: "9" };
    expect(loadOf({ ...given, connections: "2", timeout: "100" })).toMatchObject({
      callsPerSecond: 0.5,
      arrivals: "poisson",
      durationS: 2.5,
      warmUpS: 0,
      connections: 2,
      timeoutMs: 100,
      seed: 9,
    });
    expect(loadOf({ closed: "8" })).toMatchObject({ loop: "closed", maxInFlight: 8 });
  });

  it.each<[BenchFlags, string]>([
    [{ rate: "0" }, "--rate is 0, expected a number from 0.1 to 100000"],
    [{ rate: "fast" }, `--rate is "fast", expected a number`],
    [{ rate: "" }, `--rate is ""`],
    [{ rate: "1e9" }, "--rate is 1000000000"],
    [{ duration: "0" }, "--duration is 0"],
    [{ duration: "3601" }, "--duration is 3601"],
    [{ warmUp: "-1" }, "--warm-up is -1"],
    [{ connections: "1.5" }, "--connections is 1.5"],
    [{ connections: "0" }, "--connections is 0"],
    [{ closed: "0" }, "--closed is 0"],
    [{ closed: "8", rate: "5" }, "--closed has no rate"],
    [{ arrivals: "poison" }, `--arrivals is "poison", did you mean "poisson"?`],
    [{ timeout: "0" }, "--timeout is"],
  ])("refuses %j", (flags, message) => {
    expect(() => loadOf(flags)).toThrow(message);
  });
});

describe("inFlightBound", () => {
  it("falls with the size of the request, and is never 0", () => {
    expect(inFlightBound(10)).toBe(10_000);
    expect(inFlightBound(1024 * 1024)).toBe(255);
    expect(inFlightBound(2 ** 31)).toBe(1);
  });
});
