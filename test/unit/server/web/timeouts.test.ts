import { describe, expect, it } from "vitest";
import { connectTimeoutMs, grpcTimeoutMs } from "../../../../src/server/web/timeouts.js";

const malformed = expect.objectContaining({ reason: "MALFORMED_REQUEST" });

describe("grpcTimeoutMs", () => {
  it.each([
    [undefined, Number.POSITIVE_INFINITY],
    ["2H", 7_200_000],
    ["3M", 180_000],
    ["5S", 5_000],
    ["100m", 100],
    ["1500u", 1.5],
    ["0n", 0],
    ["99999999H", 99_999_999 * 3_600_000],
  ])("reads %s", (text, ms) => {
    expect(grpcTimeoutMs(text)).toBe(ms);
  });

  it.each(["", "5", "S", "-5S", "5s", "1.5S", "123456789m", "5S ", "5S, 5S", "toString"])(
    "refuses %j",
    (text) => {
      expect(() => grpcTimeoutMs(text)).toThrow(malformed);
    },
  );
});

describe("connectTimeoutMs", () => {
  it.each([
    [undefined, Number.POSITIVE_INFINITY],
    ["0", 0],
    ["9999999999", 9_999_999_999],
  ])("reads %s", (text, ms) => {
    expect(connectTimeoutMs(text)).toBe(ms);
  });

  it.each(["", "-1", "1.5", "12345678901", "1e3", "5S", " 5"])("refuses %j", (text) => {
    expect(() => connectTimeoutMs(text)).toThrow(malformed);
  });
});
