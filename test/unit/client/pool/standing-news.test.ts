import { describe, expect, it } from "vitest";
import { fakePool } from "../../../support/client-pool.js";

const OUT = "warn 1: instance says that it is not serving";
const BACK = "info 1: instance says that it is serving again";

function connected(...ports: readonly string[]) {
  const made = fakePool({ ejection: undefined }, ...ports);
  made.connect(...ports);
  const lines = (): string[] => made.told().map((line) => line.split(" {")[0] ?? "");
  return { ...made, lines };
}

describe("what the log is told of members that come and go", () => {
  it("is nothing of a return that does not last three seconds", () => {
    const { healthOf, clock, lines } = connected("1", "2");
    for (let n = 0; n < 50; n++) {
      healthOf("1").say(false);
      clock.advance(50);
      healthOf("1").say(true);
      clock.advance(2_900);
    }
    expect(lines()).toEqual([OUT]);
    clock.advance(100);
    expect(lines()).toEqual([BACK]);
  });

  it("is one pair of lines a minute, and what lasts beyond that", () => {
    const { healthOf, clock, lines } = connected("1", "2");
    for (let n = 0; n < 10; n++) {
      healthOf("1").say(false);
      clock.advance(1_000);
      healthOf("1").say(true);
      clock.advance(3_500);
    }
    expect(lines()).toEqual([OUT, BACK]);
    healthOf("1").say(false);
    clock.advance(14_999);
    expect(lines()).toEqual([]);
    clock.advance(1);
    expect(lines()).toEqual([OUT]);
    healthOf("1").say(true);
    clock.advance(3_000);
    expect(lines()).toEqual([BACK]);
  });

  it("is not that it serves again when it only says nothing any more", () => {
    const { healthOf, clock, lines, pool } = connected("1", "2");
    healthOf("1").say(false);
    clock.advance(5_000);
    healthOf("1").say(undefined);
    expect(pool.counts()).toMatchObject({ usable: 2, notServing: 0 });
    clock.advance(10_000);
    expect(lines()).toEqual([OUT]);
  });

  it("is ten lines a second of all together, and how many more there were", () => {
    const ports = Array.from({ length: 500 }, (_, index) => String(index + 1));
    const { to, clock, told } = connected(...ports);
    clock.advance(2_000);
    for (const port of ports) to(port).become("idle");
    expect(told()).toHaveLength(10);
    clock.advance(1_000);
    expect(told()).toEqual([
      'warn undefined: more instances went out of rotation or came back {"wentOut":490,"cameBack":0}',
    ]);
    for (const port of ports) to(port).become("ready");
    clock.advance(2_999);
    expect(told()).toEqual([]);
    clock.advance(1);
    expect(told()).toHaveLength(10);
    clock.advance(1_000);
    expect(told()[0]).toContain('{"wentOut":0,"cameBack":490}');
    expect(clock.pending().length).toBeLessThanOrEqual(1);
  });

  it("is nothing any more of a pool that has closed, but for what it did not say yet", () => {
    const ports = Array.from({ length: 12 }, (_, index) => String(index + 1));
    const { to, clock, told, pool } = connected(...ports);
    clock.advance(2_000);
    for (const port of ports) to(port).become("idle");
    pool.close();
    expect(told()).toHaveLength(11);
    clock.advance(100_000);
    expect([told(), clock.pending()]).toEqual([[], []]);
  });

  it("is once why no connection can be made", () => {
    const { transports, clock, to, lines } = connected("1", "2");
    clock.advance(2_000);
    transports.broken = new Error("no such certificate");
    to("1").become("failed");
    clock.advance(30_000);
    expect(lines()).toEqual([
      "warn 1: instance cannot be reached",
      "warn 1: no connection can be made",
    ]);
  });
});
