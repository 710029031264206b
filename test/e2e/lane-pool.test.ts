import { afterEach, describe, expect, it } from "vitest";
import type { Outcome } from "../../src/core/invocation.js";
import type { LanePool } from "../../src/lane/lane-pool.js";
import { callOf, clock, createLanePool, lanesOf } from "../support/built-lanes.js";
import type { LogLine } from "../support/recording-logger.js";
import { recordingLogger } from "../support/recording-logger.js";

const running: LanePool[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((pool) => pool.close(0)));
});

async function startPool(
  kind: "thread" | "process",
  times: { heartbeatTimeoutMs?: number; hangTimeoutMs?: number } = {},
): Promise<{ readonly pool: LanePool; readonly lines: readonly LogLine[] }> {
  const { lanes } = await lanesOf(kind, { count: 2 });
  const { lines, logger } = recordingLogger();
  const pool = createLanePool({
    kind,
    lanes,
    count: 2,
    callsPerLane: 1,
    heartbeatTimeoutMs: 250,
    hangTimeoutMs: 30_000,
    readyCheckTimeoutMs: 1_000,
    clock,
    random: Math.random,
    logger,
    ...times,
  });
  running.push(pool);
  await pool.start();
  return { pool, lines };
}

function run(pool: LanePool, path: string, data = ""): Promise<Outcome> {
  const place = pool.take();
  if (place === undefined) throw new Error("no place");
  return place.run(callOf(path, data)).finally(() => place.release());
}

/** Waits until so many lanes are ready. */
function untilReady(pool: LanePool, lanes: number): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (pool.readyLanes === lanes) resolve();
    };
    pool.onReadyLanes(check);
    check();
  });
}

describe.each(["thread", "process"] as const)("createLanePool with %s lanes", (kind) => {
  it("loses only the lane that dies, and replaces it", async () => {
    const { pool, lines } = await startPool(kind);
    const other = run(pool, "wait", "kept");
    const fatal = expect(run(pool, "exit", "3")).rejects.toMatchObject({ reason: "LANE_DIED" });
    await fatal;
    await untilReady(pool, 1);
    expect(Buffer.from((await other).payloads as Uint8Array).toString()).toBe("kept");
    await untilReady(pool, 2);
    expect(lines.map(({ message }) => message)).toEqual([
      "lane ready",
      "lane ready",
      "lane died: the lane ended with exit code 3",
      "lane replaced",
    ]);
    await expect(run(pool, "echo")).resolves.toMatchObject({ status: 0 });
  });

  it("keeps a lane ready that computes, and replaces one that does so for too long", async () => {
    const { pool, lines } = await startPool(kind, { hangTimeoutMs: 10_000 });
    await run(pool, "block", "600");
    expect(pool.readyLanes).toBe(2);
    await expect(run(pool, "loop")).rejects.toMatchObject({ reason: "LANE_DIED" });
    await untilReady(pool, 2);
    expect(lines.map(({ message }) => message).slice(2)).toEqual([
      "lane stuck: it is ended",
      "lane replaced",
    ]);
  }, 60_000);

  it("does not count a lane that is idle but mute", async () => {
    const { pool } = await startPool(kind);
    // Answered first, and then silent.
    await run(pool, "later-block", "1200");
    await untilReady(pool, 1);
    expect(pool.load.map(({ state }) => state).sort()).toEqual(["mute", "ready"]);
    await untilReady(pool, 2);
  });
});
