import { describe, expect, it } from "vitest";
import { createJoinedChanges } from "../../../src/resolve/joined-changes.js";
import { createFakeClock } from "../../support/fake-clock.js";

function fixture() {
  const clock = createFakeClock(0);
  const told: number[] = [];
  const changes = createJoinedChanges(clock, () => told.push(clock.now()));
  return { clock, told, changes };
}

describe("JoinedChanges", () => {
  it("tells the first at once and the others together, again and again", () => {
    const { clock, told, changes } = fixture();
    for (let at = 0; at < 120; at++) {
      changes.note();
      clock.advance(1);
    }
    expect(told).toEqual([0, 50, 100]);
    clock.advance(1_000);
    expect(told).toEqual([0, 50, 100, 150]);
    changes.note();
    expect(told.at(-1)).toBe(1_120);
    expect(clock.pending().every(({ background }) => background)).toBe(true);
  });

  it("waits when it is asked to be patient, unless it is flushed", () => {
    const { clock, told, changes } = fixture();
    changes.note({ patiently: true });
    expect(changes.pending).toBe(true);
    clock.advance(50);
    expect(told).toEqual([50]);
    clock.advance(100);
    changes.note({ patiently: true });
    changes.flush();
    changes.flush();
    expect(told).toEqual([50, 150]);
    expect(changes.pending).toBe(false);
  });

  it("is silent when it is closed", () => {
    const { clock, told, changes } = fixture();
    changes.note();
    changes.note();
    changes.close();
    clock.advance(100);
    expect(told).toEqual([0]);
    expect(clock.pending()).toEqual([]);
  });
});
