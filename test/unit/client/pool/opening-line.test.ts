import { describe, expect, it } from "vitest";
import { type Opener, OpeningLine } from "../../../../src/client/pool/opening-line.js";
import { fakePool } from "../../../support/client-pool.js";
import { createFakeClock } from "../../../support/fake-clock.js";

/** A line at which everybody takes so many milliseconds of work to open. */
function lineOf(workMs: number, gapMs = 0) {
  const clock = createFakeClock();
  let workedMs = 0;
  const line = new OpeningLine({
    clock: { ...clock, now: () => clock.now() + workedMs },
    retryGapMs: () => gapMs,
  });
  const opened: number[] = [];
  const openers = Array.from(
    { length: 200 },
    (_, index): Opener => ({
      open() {
        workedMs += workMs;
        opened.push(index);
      },
    }),
  );
  return { clock, line, opened, openers };
}

describe("OpeningLine", () => {
  it("opens in order, a few milliseconds of work at a time", () => {
    const { clock, line, opened, openers } = lineOf(1);
    for (const opener of openers.slice(0, 10)) line.again(opener, false);
    expect(opened).toEqual([0, 1, 2]);
    clock.advance(10);
    expect(opened).toEqual([0, 1, 2, 3, 4, 5]);
    clock.advance(30);
    expect(opened).toEqual(Array.from({ length: 10 }, (_, index) => index));
    expect(clock.pending()).toEqual([]);
  });

  it("begins four joiners in ten milliseconds, with eight connecting at most but for those that take longer", () => {
    const { clock, line, opened, openers } = lineOf(0);
    for (const opener of openers) line.join(opener);
    expect(opened).toHaveLength(4);
    clock.advance(10);
    expect(opened).toHaveLength(8);
    clock.advance(100);
    expect(opened).toHaveLength(8);
    for (const opener of openers.slice(0, 5)) line.leave(opener);
    expect(opened).toHaveLength(12);
    clock.advance(10);
    expect(opened).toHaveLength(13);
    clock.advance(250);
    expect(opened).toHaveLength(21);
  });

  it("lets nobody who tries again wait for those that connect", () => {
    const { line, opened, openers } = lineOf(0);
    for (const opener of openers.slice(0, 100)) line.join(opener);
    for (const opener of openers.slice(100)) line.again(opener, false);
    expect(opened).toHaveLength(104);
  });

  it("lets those that join, try again and have tried for long take turns", () => {
    const { clock, line, opened, openers } = lineOf(1);
    for (const opener of openers.slice(0, 50)) line.again(opener, true);
    for (const opener of openers.slice(50, 100)) line.again(opener, false);
    for (const opener of openers.slice(100)) line.join(opener);
    expect(opened).toEqual([0, 1, 2]);
    clock.advance(10);
    for (const opener of openers.slice(100)) line.leave(opener);
    clock.advance(10);
    expect(opened.slice(3, 6).map((index) => Math.floor(index / 50))).toEqual([2, 1, 0]);
    expect(opened.slice(6, 9).map((index) => Math.floor(index / 50))).toEqual([1, 0, 1]);
  });

  it("keeps tries again apart, but lets those that join pass", () => {
    const { clock, line, opened, openers } = lineOf(0, 20);
    for (const opener of openers.slice(0, 100)) line.again(opener, false);
    clock.advance(200);
    const before = opened.length;
    expect(before).toBeLessThanOrEqual(11);
    clock.advance(1_000);
    expect(opened.length - before).toBe(50);
    line.join(openers[150] ?? { open() {} });
    expect(opened.at(-1)).toBe(150);
  });

  it("opens nobody again while there are to be no tries, and holds no timer", () => {
    const { clock, line, opened, openers } = lineOf(0, Number.POSITIVE_INFINITY);
    for (const opener of openers.slice(0, 10)) line.again(opener, false);
    clock.advance(60_000);
    expect([opened, clock.pending()]).toEqual([[], []]);
  });

  it("forgets who leaves it, and everybody when it closes", () => {
    const { clock, line, opened, openers } = lineOf(0);
    for (const opener of openers) line.join(opener);
    for (const opener of openers.slice(4, 100)) line.leave(opener);
    clock.advance(10);
    expect(opened).toEqual([0, 1, 2, 3, 100, 101, 102, 103]);
    line.close();
    clock.advance(1_000);
    expect([opened.length, clock.pending()]).toEqual([8, []]);
  });

  it("lets a thousand joiners prove themselves one after the other", () => {
    const made = fakePool({ idleTimeoutMs: Number.POSITIVE_INFINITY }, "1");
    made.connect("1");
    const ports = Array.from({ length: 1_000 }, (_, index) => String(index + 1));
    made.update(...ports);
    expect(made.pool.usable).toBe(1);
    for (let n = 0; n < made.transports.all.length; n++) {
      made.transports.all[n]?.become("ready");
      made.clock.advance(10);
    }
    expect(made.pool.counts()).toMatchObject({ usable: 1_000, connected: 1_000 });
    made.clock.advance(250);
    expect(made.clock.pending()).toEqual([]);
  });

  it("goes on trying when a connection cannot even be made, and says so", () => {
    const made = fakePool({}, "1");
    made.connect("1");
    made.transports.broken = new Error("no such certificate");
    made.update("1", "2");
    expect(made.pool.usable).toBe(1);
    expect(made.told()[0]).toContain("no connection can be made");
    made.transports.broken = undefined;
    made.clock.advance(240);
    made.to("2").become("ready");
    expect(made.pool.usable).toBe(2);
  });
});
