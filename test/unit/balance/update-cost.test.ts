import { describe, expect, it, vi } from "vitest";
import { IndexedHeap } from "../../../src/balance/indexed-heap.js";
import { createWeightedRoundRobin } from "../../../src/balance/weighted-round-robin.js";
import { seededRandom } from "../../../src/core/seeded-random.js";

const CHANGES = 900;

/** How often something is put into a heap or taken out while `run` goes on: steps of O(log n) each. */
function stepsOf(run: () => void): number {
  let steps = 0;
  const { push, remove } = IndexedHeap.prototype;
  const spies = [
    vi.spyOn(IndexedHeap.prototype, "push").mockImplementation(function (this: IndexedHeap, slot) {
      steps++;
      push.call(this, slot);
    }),
    vi.spyOn(IndexedHeap.prototype, "remove").mockImplementation(function (
      this: IndexedHeap,
      slot,
    ) {
      steps++;
      remove.call(this, slot);
    }),
  ];
  try {
    run();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return steps;
}

/** Steps for each change of one instance (one leaves, one joins, one is reweighed, in turns) and each pick. */
function stepsEach(instances: number, picksBetween: number): number {
  const random = seededRandom(instances);
  const picker = createWeightedRoundRobin({ random });
  const keyed = (at: number) => ({ key: `k${at}`, weight: 1 + Math.floor(random() * 100) });
  picker.update(Array.from({ length: instances }, (_, at) => keyed(at)));
  for (let pick = 0; pick < instances; pick++) picker.pick();
  const steps = stepsOf(() => {
    for (let change = 0; change < CHANGES; change++) {
      const at = Math.floor(random() * instances);
      if (change % 3 === 0) picker.remove(`k${at}`);
      else picker.add(keyed(change % 3 === 1 ? instances + change : at));
      for (let pick = 0; pick < picksBetween; pick++) picker.pick();
    }
  });
  return steps / (CHANGES * (1 + picksBetween));
}

describe("a weighted round robin whose list changes one by one", () => {
  // What a leaver is owed is spread over those that would be picked next: work that the next picks are spared.
  it.each([0, 1, 20])(
    "takes a few steps for each change and pick, however many there are; %d picks between two",
    (picks) => {
      for (const instances of [200, 20_000]) {
        const steps = stepsEach(instances, picks);
        expect(steps).toBeGreaterThan(1);
        expect(steps).toBeLessThan(12);
      }
    },
  );
});
