import { describe, expect, it } from "vitest";
import { CompletionRate } from "../../../src/host/completion-rate.js";

describe("CompletionRate", () => {
  it("knows nothing before a call has ended", () => {
    expect(new CompletionRate().msFor(10)).toBeUndefined();
  });

  it("tells how long calls take to end, of busy time alone", () => {
    const rate = new CompletionRate();
    for (let nowMs = 0; nowMs < 1_000_000; nowMs += 100_000) {
      rate.busy(nowMs);
      rate.completed(nowMs + 40);
    }
    expect(rate.msFor(3)).toBeCloseTo(120);
  });

  it("is not misled by calls that end in the same moment", () => {
    const rate = new CompletionRate();
    rate.busy(0);
    for (let nowMs = 100; nowMs <= 20_000; nowMs += 100) {
      for (let lane = 0; lane < 50; lane++) rate.completed(nowMs);
    }
    expect(rate.msFor(50)).toBeGreaterThan(90);
    expect(rate.msFor(50)).toBeLessThan(110);
  });

  it("follows a change within its memory", () => {
    const rate = new CompletionRate();
    rate.busy(0);
    for (let nowMs = 10; nowMs <= 20_000; nowMs += 10) rate.completed(nowMs);
    for (let nowMs = 21_000; nowMs <= 50_000; nowMs += 1_000) rate.completed(nowMs);
    expect(rate.msFor(1)).toBeGreaterThan(400);
  });
});
