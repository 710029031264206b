import { describe, expect, it } from "vitest";
import { someAtOnce } from "../../../src/cli/some-at-once.js";

describe("someAtOnce", () => {
  it("works on so many at a time, and returns what came of each in order", async () => {
    let running = 0;
    let most = 0;
    const results = await someAtOnce([5, 4, 3, 2, 1, 0], 2, async (turns) => {
      running += 1;
      most = Math.max(most, running);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      running -= 1;
      return turns * 10;
    });
    expect(results).toEqual([50, 40, 30, 20, 10, 0]);
    expect(most).toBe(2);
    expect(await someAtOnce([], 2, async () => 1)).toEqual([]);
  });

  it("begins no more when one has failed, and throws what that threw", async () => {
    const begun: number[] = [];
    const work = someAtOnce([1, 2, 3, 4], 2, async (each) => {
      begun.push(each);
      if (each === 1) throw new Error("no");
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    });
    await expect(work).rejects.toThrow("no");
    await Promise.resolve();
    expect(begun).toEqual([1, 2]);
  });
});
