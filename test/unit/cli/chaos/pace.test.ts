import { describe, expect, it } from "vitest";
import { Pace } from "../../../../src/cli/chaos/pace.js";
import { createFakeClock, flushPromises } from "../../../support/fake-clock.js";

function paced() {
  const clock = createFakeClock();
  const stop = new AbortController();
  return { clock, stop, pace: new Pace(clock, stop.signal) };
}

describe("Pace", () => {
  it("waits as long as it is told", async () => {
    const { clock, pace } = paced();
    let over = false;
    void pace.wait(100).then(() => {
      over = true;
    });
    clock.advance(99);
    await flushPromises();
    expect(over).toBe(false);
    clock.advance(1);
    await flushPromises();
    expect(over).toBe(true);
  });

  it("gives up everything that waits when the run is ended, and leaves no timer", async () => {
    const { clock, stop, pace } = paced();
    const waits = [pace.wait(10_000), pace.until(() => false, 10_000, 5_000)];
    stop.abort();
    for (const each of waits) await expect(each).rejects.toMatchObject({ reason: "CANCELLED" });
    await expect(pace.wait(1)).rejects.toMatchObject({ reason: "CANCELLED" });
    expect(clock.pending()).toEqual([]);
  });

  it("tells whether something came to hold in time", async () => {
    const { clock, pace } = paced();
    let holds = false;
    const soon = pace.until(() => holds, 100, 10);
    const never = pace.until(() => false, 100, 10);
    for (let n = 0; n < 11; n++) {
      if (n === 5) holds = true;
      clock.advance(10);
      await flushPromises();
    }
    expect(await soon).toBe(true);
    expect(await never).toBe(false);
  });
});
