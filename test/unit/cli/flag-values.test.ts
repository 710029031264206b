import { describe, expect, it } from "vitest";
import { durationOf, numberOf, pairOf, repeated } from "../../../src/cli/flag-values.js";

describe("repeated", () => {
  it("keeps every value, in order", () => {
    expect(repeated("b", repeated("a"))).toEqual(["a", "b"]);
  });
});

describe("numberOf", () => {
  const whole = { min: 1, max: 10 };
  const any = { min: 0.1, max: 10, integer: false };

  it.each([
    [undefined, whole, undefined],
    ["1", whole, 1],
    ["10", whole, 10],
    ["0.5", any, 0.5],
    ["1e1", any, 10],
  ])("reads %s", (text, range, expected) => {
    expect(numberOf(text, "--n", range)).toBe(expected);
  });

  it.each([
    ["", whole, '--n is "", expected a number'],
    ["ten", whole, '--n is "ten", expected a number'],
    ["0x5", whole, '--n is "0x5", expected a number'],
    ["0", whole, "--n is 0, expected an integer from 1 to 10"],
    ["1.5", whole, "--n is 1.5, expected an integer from 1 to 10"],
    ["11", any, "--n is 11, expected a number from 0.1 to 10"],
    ["Infinity", any, "--n is Infinity, expected a number from 0.1 to 10"],
  ])("refuses %j", (text, range, expected) => {
    expect(() => numberOf(text, "--n", range)).toThrow(expected);
  });
});

describe("durationOf", () => {
  it.each([
    [undefined, undefined],
    ["500ms", 500],
    ["30s", 30_000],
    ["1.5m", 90_000],
    ["1h", 3_600_000],
  ])("reads %s", (text, expected) => {
    expect(durationOf(text, "--over")).toBe(expected);
  });

  it.each(["", "30", "s", "-1s", "1 s", "1d", "0.5ms", "600h", "1e3s"])("refuses %j", (text) => {
    expect(() => durationOf(text, "--over")).toThrow(
      `--over is ${JSON.stringify(text)}, expected a time such as 500ms, 30s, 5m or 1h`,
    );
  });
});

describe("pairOf", () => {
  it("splits at the first sign", () => {
    expect(pairOf("a=b=c", "--set")).toEqual(["a", "b=c"]);
    expect(pairOf("a=", "--set")).toEqual(["a", ""]);
  });

  it.each(["a", "=a", ""])("refuses %j", (text) => {
    expect(() => pairOf(text, "--set")).toThrow(
      `--set is ${JSON.stringify(text)}, expected name=value`,
    );
  });
});
