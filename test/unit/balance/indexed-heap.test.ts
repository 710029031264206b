import { describe, expect, it } from "vitest";
import { IndexedHeap } from "../../../src/balance/indexed-heap.js";

function heapOf(keys: readonly number[], ranks: readonly number[] = keys.map((_, slot) => slot)) {
  const heap = new IndexedHeap();
  heap.grow(Float64Array.from(keys), Float64Array.from(ranks));
  return heap;
}

function drained(heap: IndexedHeap): number[] {
  const slots: number[] = [];
  while (heap.size > 0) slots.push(heap.pop());
  return slots;
}

/** 200 keys in a fixed disorder, with ties. */
const manyKeys = Array.from({ length: 200 }, (_, slot) => (slot * 7_919) % 83);
const manySorted = manyKeys
  .map((key, slot) => ({ key, slot }))
  .sort((a, b) => a.key - b.key || a.slot - b.slot)
  .map(({ slot }) => slot);

describe("IndexedHeap", () => {
  it("gives nothing when empty", () => {
    const heap = heapOf([]);
    expect([heap.size, heap.top, heap.pop()]).toEqual([0, -1, -1]);
  });

  it("gives slots in the order of their keys", () => {
    const heap = heapOf(manyKeys);
    for (const slot of manyKeys.keys()) heap.push(slot);
    expect(heap.size).toBe(200);
    expect(heap.top).toBe(manySorted[0]);
    expect(drained(heap)).toEqual(manySorted);
  });

  it("orders equal keys by rank, whatever the order they came in", () => {
    for (const order of [
      [0, 1, 2, 3, 4, 5],
      [5, 3, 1, 0, 2, 4],
    ]) {
      const heap = heapOf([7, 7, 7, 7, 7, 7], [3, 1, 5, 0, 4, 2]);
      for (const slot of order) heap.push(slot);
      expect(drained(heap)).toEqual(
        [3, 1, 5, 0, 4, 2].map((_, rank) => [3, 1, 5, 0, 4, 2].indexOf(rank)),
      );
    }
  });

  it("takes out any slot and keeps the order of the rest", () => {
    for (const gone of manyKeys.keys()) {
      const heap = heapOf(manyKeys);
      for (const slot of manyKeys.keys()) heap.push(slot);
      heap.remove(gone);
      heap.remove(gone);
      expect([...manyKeys.keys()].filter((slot) => !heap.has(slot))).toEqual([gone]);
      expect(drained(heap)).toEqual(manySorted.filter((slot) => slot !== gone));
    }
  });

  it("takes a slot back with another key", () => {
    const keys = Float64Array.from([1, 2, 3]);
    const heap = new IndexedHeap();
    heap.grow(keys, Float64Array.from([0, 1, 2]));
    for (const slot of [0, 1, 2]) heap.push(slot);
    heap.remove(0);
    keys[0] = 2.5;
    heap.push(0);
    expect(drained(heap)).toEqual([1, 0, 2]);
  });

  it("keeps what it holds when it grows, and nothing when it is cleared", () => {
    const heap = heapOf([3, 1]);
    heap.push(0);
    heap.push(1);
    heap.grow(Float64Array.from([3, 1, 2]), Float64Array.from([0, 1, 2]));
    heap.push(2);
    expect(drained(heap)).toEqual([1, 2, 0]);
    heap.push(2);
    heap.clear();
    expect([heap.size, heap.top]).toEqual([0, -1]);
    heap.push(2);
    expect(heap.pop()).toBe(2);
  });
});
