import { describe, expect, it } from "vitest";
import { balanceNames, createPicker } from "../../src/balance/create-picker.js";
import { describePicker, type Named, type PickerDriver } from "./picker-suite.js";

for (const name of balanceNames) {
  describePicker(name, {
    shares: name === "weighted-round-robin" ? "exact" : "random",
    create: (ports) => createPicker<Named>(name, ports),
  } satisfies PickerDriver);
}

describe("createPicker", () => {
  it("makes another picker of each name", () => {
    const picks = balanceNames.map((name) => {
      const picker = createPicker<Named>(name, { random: () => 0.5, now: () => 0 });
      for (const key of "abcdefgh") picker.add({ key, weight: 1 });
      return Array.from({ length: 64 }, () => {
        const picked = picker.pick();
        // Those of one half are slow and nobody is busy.
        if (picked !== undefined) {
          picker.ended(picked, { ok: true, durationMs: picked.key < "e" ? 1 : 100 });
        }
        return picked?.key;
      }).join("");
    });
    expect(new Set(picks).size).toBe(balanceNames.length);
  });
});
