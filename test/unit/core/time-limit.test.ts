import { describe, expect, it } from "vitest";
import { TimeLimit } from "../../../src/core/time-limit.js";
import { createFakeClock } from "../../support/fake-clock.js";

function setup(ms: number) {
  const clock = createFakeClock();
  const over: string[] = [];
  const limit = new TimeLimit(ms, clock);
  const thing = (name: string) => ({ outOfTime: () => over.push(name) });
  return { clock, over, limit, thing };
}

describe("TimeLimit", () => {
  it("runs out for each thing after its own time, with one timer", () => {
    const { clock, over, limit, thing } = setup(100);
    limit.begin(thing("a"));
    clock.advance(60);
    limit.begin(thing("b"));
    clock.advance(39);
    expect(over).toEqual([]);
    clock.advance(1);
    expect(over).toEqual(["a"]);
    clock.advance(59);
    expect(over).toEqual(["a"]);
    clock.advance(1);
    expect(over).toEqual(["a", "b"]);
  });

  it("forgets what has ended, and is armed again by what begins later", () => {
    const { clock, over, limit, thing } = setup(100);
    const a = thing("a");
    limit.begin(a);
    limit.end(a);
    clock.advance(500);
    expect(over).toEqual([]);
    limit.begin(thing("b"));
    clock.advance(100);
    expect(over).toEqual(["b"]);
  });

  it("lets one thing end another while it runs out", () => {
    const { clock, over, limit, thing } = setup(100);
    const b = thing("b");
    limit.begin({
      outOfTime() {
        over.push("a");
        limit.end(b);
      },
    });
    limit.begin(b);
    clock.advance(100);
    expect(over).toEqual(["a"]);
  });

  it("lets a thing begin again while it runs out, still with one timer", () => {
    const { clock, over, limit, thing } = setup(100);
    const again = {
      outOfTime() {
        over.push("again");
        limit.begin(again);
      },
    };
    limit.begin(again);
    clock.advance(30);
    limit.begin(thing("b"));
    for (const ms of [70, 30, 70]) clock.advance(ms);
    expect(over).toEqual(["again", "b", "again"]);
    expect(clock.pending()).toHaveLength(1);
  });

  it("of Infinity never runs out, and a closed one neither", () => {
    const { clock, over, limit, thing } = setup(Number.POSITIVE_INFINITY);
    limit.begin(thing("never"));
    clock.advance(1e9);
    const closed = setup(100);
    closed.limit.begin(closed.thing("closed"));
    closed.limit.close();
    closed.clock.advance(1_000);
    expect([...over, ...closed.over]).toEqual([]);
  });
});
