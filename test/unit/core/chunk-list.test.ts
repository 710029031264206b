import { describe, expect, it } from "vitest";
import { ChunkList } from "../../../src/core/chunk-list.js";

function listOf(count: number, bytesEach: number): ChunkList {
  const list = new ChunkList();
  for (let n = 0; n < count; n++) list.push(Buffer.alloc(bytesEach, n));
  return list;
}

describe("ChunkList", () => {
  it("gives an only chunk as it is", () => {
    const list = new ChunkList();
    const chunk = Buffer.from("one");
    list.push(chunk);
    expect(list.whole()).toBe(chunk);
  });

  it("is empty without chunks", () => {
    expect([listOf(0, 1).bytes, listOf(0, 1).whole().length]).toEqual([0, 0]);
  });

  it.each([
    [1, 100_000, 391],
    [1_023, 1_000, 235],
    [1_024, 1_000, 1_000],
    [65_536, 300, 300],
  ])("of %i bytes each, %i times, holds %i parts and loses nothing", (bytesEach, count, parts) => {
    const list = listOf(count, bytesEach);
    expect(list.parts.length).toBeLessThanOrEqual(parts + 255);
    expect(list.parts.length).toBeGreaterThanOrEqual(Math.min(count, parts));
    const whole = list.whole();
    expect([list.bytes, whole.length]).toEqual([count * bytesEach, count * bytesEach]);
    for (const at of [0, 255, 256, count - 1]) {
      expect(whole[at * bytesEach]).toBe(at % 256);
    }
  });
});
