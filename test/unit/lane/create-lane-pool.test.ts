import { describe, expect, it } from "vitest";
import type { Invocation, Outcome } from "../../../src/core/invocation.js";
import { servingError } from "../../../src/core/serving-error.js";
import { createLanePool, type LanePoolOptions } from "../../../src/lane/create-lane-pool.js";
import type { LanePool, Place } from "../../../src/lane/lane-pool.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { type FakeLane, fakeLanes } from "../../support/fake-lane.js";
import { laneCall } from "../../support/invocations.js";

interface Fixture {
  readonly clock: FakeClock;
  readonly made: FakeLane[];
  readonly pool: LanePool;
  /** Messages that were logged, without those at the start. */
  readonly lines: string[];
  readonly fields: object[];
  /** Every value of `readyLanes` that was told. */
  readonly ready: number[];
}

async function started(
  options: Partial<LanePoolOptions> = {},
  prepare?: (lane: FakeLane, lanes: readonly FakeLane[]) => void,
): Promise<Fixture> {
  const fixture = unstarted(options, prepare);
  await fixture.pool.start();
  fixture.lines.length = 0;
  fixture.fields.length = 0;
  fixture.ready.length = 0;
  return fixture;
}

function unstarted(
  options: Partial<LanePoolOptions> = {},
  prepare?: (lane: FakeLane, lanes: readonly FakeLane[]) => void,
): Fixture {
  const clock = createFakeClock();
  const { made, lanes } = fakeLanes(clock, prepare);
  const lines: string[] = [];
  const fields: object[] = [];
  const log = (more: object, message: string): void => {
    lines.push(message);
    fields.push(more);
  };
  const pool = createLanePool({
    kind: "process",
    lanes,
    count: 2,
    callsPerLane: 1,
    heartbeatTimeoutMs: 250,
    hangTimeoutMs: 30_000,
    readyCheckTimeoutMs: 1_000,
    clock,
    random: () => 0.5,
    logger: { debug: log, info: log, warn: log, error: log },
    ...options,
  });
  const ready: number[] = [];
  pool.onReadyLanes(() => ready.push(pool.readyLanes));
  return { clock, made, pool, lines, fields, ready };
}

function taken(pool: LanePool): Place {
  const place = pool.take();
  if (place === undefined) throw new Error("no place");
  return place;
}

function run(pool: LanePool, call: Invocation = laneCall()): Promise<Outcome> {
  const place = taken(pool);
  return place.run(call).finally(() => place.release());
}

async function readAll(pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of pieces);
}

const states = (pool: LanePool): string[] => pool.load.map(({ state }) => state);

describe("createLanePool: places", () => {
  it("are in the least busy lane, lanes that are as busy taking turns", async () => {
    const { pool } = await started({ count: 3, callsPerLane: 2 });
    const first = taken(pool);
    taken(pool);
    taken(pool);
    expect(pool.load.map(({ inFlight }) => inFlight)).toEqual([1, 1, 1]);
    taken(pool);
    first.release();
    taken(pool);
    expect(pool.load.map(({ inFlight }) => inFlight)).toEqual([1, 2, 1]);
    expect(pool.running).toBe(4);
  });

  it("are as many as callsPerLane allows, which can change", async () => {
    const { pool } = await started({ count: 1 });
    let freed = 0;
    pool.onFree(() => freed++);
    expect(pool.free).toBe(1);
    const place = taken(pool);
    expect([pool.free, pool.take()]).toEqual([0, undefined]);
    pool.setCallsPerLane(2);
    expect([freed, pool.free]).toEqual([1, 1]);
    taken(pool);
    pool.setCallsPerLane(1);
    expect(pool.free).toBe(0);
    place.release();
    expect(freed).toBe(2);
    expect([pool.free, pool.take()]).toEqual([0, undefined]);
  });

  it("are in no lane that is mute or not ready", async () => {
    const { clock, pool, made } = await started({ count: 2 });
    const [one] = made as [FakeLane];
    one.hears = false;
    await clock.settle(500);
    expect(states(pool)).toEqual(["mute", "ready"]);
    expect([pool.readyLanes, pool.free]).toEqual([1, 1]);
    taken(pool);
    expect([pool.free, pool.take()]).toEqual([0, undefined]);
    expect(states(pool)).toEqual(["mute", "busy"]);
  });
});

describe("createLanePool: start", () => {
  it("is over when every lane takes calls", async () => {
    const { pool, lines, fields, ready } = unstarted();
    await pool.start();
    expect(lines).toEqual(["lane ready", "lane ready"]);
    expect(fields[1]).toEqual({ lane: 1, kind: "process", lanePid: 101 });
    expect([ready.at(-1), pool.readyLanes]).toEqual([2, 2]);
  });

  it("fails with the first lane that fails, and closes the others", async () => {
    const broken = servingError("INITIALIZE_FAILED", "initialize() threw: no model");
    const { pool, made } = unstarted({}, (lane) => {
      lane.begins = lane.index === 1 ? broken : "never";
    });
    await expect(pool.start()).rejects.toBe(broken);
    expect(made.map(({ closed }) => closed)).toEqual([0, 0]);
    expect(pool.hopeful).toBe(false);
  });
});

describe("createLanePool: a lane that dies", () => {
  it("ends its calls, counts no more at once, and is replaced at once the first time", async () => {
    const { clock, pool, made, lines, fields, ready } = await started();
    const call = run(pool);
    made[0]?.die(
      servingError("LANE_DIED", "the lane ended with exit code 3", { details: { exitCode: 3 } }),
    );
    await expect(call).rejects.toMatchObject({ reason: "LANE_DIED", code: 14 });
    await clock.settle();
    expect(ready).toEqual([1, 2]);
    expect(lines).toEqual(["lane died: the lane ended with exit code 3", "lane replaced"]);
    expect(fields[0]).toMatchObject({ lane: 0, lanePid: 100, exitCode: 3 });
    expect(pool.load[0]).toMatchObject({ restarts: 1, calls: 1, state: "ready" });
  });

  it("soon after its last death is replaced after waits that grow to ten seconds", async () => {
    const { clock, made, pool } = await started({ count: 1 });
    const waits: number[] = [];
    made[0]?.die();
    await clock.settle();
    for (let death = 0; death < 14; death++) {
      const before = made.length;
      made.at(-1)?.die();
      await clock.settle();
      expect(pool.hopeful).toBe(false);
      let waited = 0;
      while (made.length === before) {
        await clock.settle(20);
        waited += 20;
      }
      waits.push(waited);
    }
    expect(waits.slice(0, 3)).toEqual([100, 160, 260]);
    expect(waits.at(-1)).toBe(10_000);
  });

  it("after two seconds of being ready is replaced at once again", async () => {
    const { clock, made } = await started({ count: 1 });
    for (let death = 1; death <= 3; death++) {
      await clock.settle(2_000);
      made.at(-1)?.die();
      await clock.settle();
      expect(made).toHaveLength(death + 1);
    }
  });

  it("is tried again when its replacement cannot be initialised", async () => {
    const { clock, made, pool, lines } = await started({ count: 1 }, (lane, lanes) => {
      if (lanes.length === 2)
        lane.begins = servingError("INITIALIZE_FAILED", "initialize() threw: no model");
    });
    made[0]?.die();
    await clock.settle();
    expect(lines.at(-1)).toBe("lane not replaced: initialize() threw: no model");
    expect(pool.readyLanes).toBe(0);
    expect(made[1]?.killed).toBeDefined();
    await clock.settle(100);
    expect(pool.readyLanes).toBe(1);
    expect(made).toHaveLength(3);
  });

  it("is not replaced once the pool is closed", async () => {
    const { clock, made, pool } = await started({ count: 1 });
    made[0]?.die();
    await clock.settle();
    made[1]?.die();
    await pool.close(5);
    await clock.settle(60_000);
    expect(made).toHaveLength(2);
    expect(pool.hopeful).toBe(false);
    expect(clock.pending()).toEqual([]);
  });
});

describe("createLanePool: a silent lane", () => {
  it("is mute while it is idle, until it is heard again; both are logged once", async () => {
    const { clock, made, pool, lines, ready } = await started({ count: 1 });
    const [lane] = made as [FakeLane];
    lane.hears = false;
    await clock.settle(350);
    expect(ready).toEqual([]);
    await clock.settle(150);
    expect(ready).toEqual([0]);
    await clock.settle(5_000);
    lane.wake();
    await clock.settle(100);
    expect([ready, lines]).toEqual([
      [0, 1],
      ["lane mute: it takes no calls", "lane no longer mute"],
    ]);
    expect(pool.take()).toBeDefined();
  });

  it("is busy, not dead, while it has a call in progress, however long that keeps it silent", async () => {
    const { clock, made, pool, ready } = await started({ count: 1 });
    const [lane] = made as [FakeLane];
    const call = run(pool);
    lane.hears = false;
    await clock.settle(29_000);
    expect([states(pool), ready]).toEqual([["busy"], []]);
    lane.wake();
    lane.answer();
    await call;
    await clock.settle(1_000);
    expect([states(pool), made.length]).toEqual([["ready"], 1]);
  });

  it("gives no hope any more after four heartbeatTimeoutMs, of which whoever waits is told", async () => {
    const { clock, made, pool } = await started({ count: 1 });
    const hopes: boolean[] = [];
    pool.onFree(() => hopes.push(pool.hopeful));
    const [lane] = made as [FakeLane];
    lane.hears = false;
    await clock.settle(1_000);
    expect([states(pool), pool.hopeful, hopes]).toEqual([["mute"], true, []]);
    await clock.settle(200);
    expect([pool.hopeful, hopes]).toEqual([false, [false]]);
    lane.wake();
    await clock.settle(100);
    expect([pool.hopeful, hopes]).toEqual([true, [false, true]]);
  });

  it("that replaces another is ended too while it starts, and tried again after a wait", async () => {
    const { clock, made, pool, lines } = await started({ count: 1 }, (lane, lanes) => {
      lane.begins = lanes.length === 2 ? "never" : "at once";
      lane.hears = lanes.length !== 2;
    });
    made[0]?.die();
    await clock.settle(30_000);
    expect([states(pool), made.length]).toEqual([["starting"], 2]);
    await clock.settle(400);
    expect(lines.slice(1)).toEqual([
      "lane stuck: it is ended",
      expect.stringMatching(/^lane not replaced: the lane said nothing for 30\d{3} ms/),
      "lane replaced",
    ]);
    expect([states(pool), made.length]).toEqual([["ready"], 3]);
  });

  it("may take three times as long to start as one before it", async () => {
    const fixture = unstarted(
      {
        count: 1,
        hangTimeoutMs: 1_000,
        prepare: () => fixture.clock.settle(2_000),
      },
      (lane, lanes) => {
        lane.begins = lanes.length === 1 ? "at once" : "never";
        lane.hears = lanes.length === 1;
      },
    );
    const { clock, made, pool } = fixture;
    await pool.start();
    made[0]?.die();
    await clock.settle(6_000);
    expect([states(pool), made[1]?.killed]).toEqual([["starting"], undefined]);
    await clock.settle(200);
    expect(made[1]?.killed?.message).toMatch(/said nothing for 6\d{3} ms/);
  });

  it("with a call in progress is ended and replaced after hangTimeoutMs", async () => {
    const { clock, made, pool, lines } = await started({ count: 1 });
    const [lane] = made as [FakeLane];
    const call = run(pool);
    lane.hears = false;
    const ended = expect(call).rejects.toMatchObject({ reason: "LANE_DIED" });
    await clock.settle(30_200);
    await ended;
    expect(lane.killed?.message).toMatch(/said nothing for 30\d{3} ms/);
    expect(lines).toEqual(["lane stuck: it is ended", "lane replaced"]);
    expect(states(pool)).toEqual(["ready"]);
  });

  it("is replaced too when it is idle", async () => {
    const { clock, made, lines } = await started({ count: 1 });
    (made[0] as FakeLane).hears = false;
    await clock.settle(30_200);
    expect(made).toHaveLength(2);
    expect(lines).toEqual([
      "lane mute: it takes no calls",
      "lane stuck: it is ended",
      "lane replaced",
    ]);
  });

  it("answers pings during a long asynchronous call, and is healthy for ever", async () => {
    const { clock, made, pool } = await started({ count: 1 });
    void run(pool);
    await clock.settle(600_000);
    expect([states(pool), made.length]).toEqual([["busy"], 1]);
  });

  it("is not blamed for a stall of the host: what has arrived is read before it is judged", async () => {
    const { clock, made, pool, ready } = await started({ count: 1 });
    const [lane] = made as [FakeLane];
    lane.hears = false;
    await clock.settle(100);
    // The stall: time passes, and the timers run before what the lane has said long ago is read.
    clock.advance(60_000);
    setImmediate(() => lane.wake());
    lane.wake();
    await clock.settle(100);
    expect([states(pool), made.length, ready]).toEqual([["ready"], 1, []]);
  });
});

describe("createLanePool: calls that were given up and do not end", () => {
  const givenUp = servingError("DEADLINE_EXCEEDED", "too long");

  it("end a lane when they hold all its places for hangTimeoutMs, and give the places back", async () => {
    const { clock, made, pool, lines } = await started({ count: 1, callsPerLane: 2 });
    const calls = [laneCall({ path: "/a" }), laneCall({ path: "/b" })] as const;
    const ended = calls.map((call) =>
      expect(run(pool, call)).rejects.toMatchObject({ reason: "LANE_DIED" }),
    );
    calls[0].giveUp(givenUp);
    await clock.settle(60_000);
    expect(made).toHaveLength(1);
    calls[1].giveUp(givenUp);
    await clock.settle(29_000);
    expect(made).toHaveLength(1);
    await clock.settle(3_000);
    await Promise.all(ended);
    expect(lines).toEqual(["lane stuck: it is ended", "lane replaced"]);
    expect(made[0]?.killed?.message).toMatch(/given up 30000 ms ago or longer/);
    expect(pool.load[0]).toMatchObject({ inFlight: 0, state: "ready" });
  });

  it("leave a lane alone that has a place left, or a call that is wanted", async () => {
    const { clock, made, pool } = await started({ count: 1, callsPerLane: 2 });
    const call = laneCall();
    void run(pool, call);
    call.giveUp(givenUp);
    await clock.settle(60_000);
    expect(made).toHaveLength(1);
    void run(pool);
    await clock.settle(60_000);
    expect(made).toHaveLength(1);
  });

  it("are told once of the host's own thread, which cannot be ended", async () => {
    const { clock, made, pool, lines } = await started(
      { kind: "inline", count: 1 },
      (lane) => void Object.assign(lane, { kind: "inline" }),
    );
    const call = laneCall();
    void run(pool, call);
    call.giveUp(givenUp);
    await clock.settle(90_000);
    expect(lines).toEqual([expect.stringMatching(/^every place is taken by a call/)]);
    expect([made.length, made[0]?.killed]).toEqual([1, undefined]);
  });
});

describe("createLanePool: isReady", () => {
  it("is asked every second, and takes a lane out while it says no", async () => {
    const { clock, made, pool, ready } = await started({ count: 1 }, (lane) => {
      lane.checksReady = true;
    });
    const [lane] = made as [FakeLane];
    expect(pool.readyLanes).toBe(1);
    lane.ready = false;
    await clock.settle(1_000);
    expect([states(pool), pool.take()]).toEqual([["unready"], undefined]);
    lane.ready = true;
    await clock.settle(1_000);
    expect(ready).toEqual([0, 1]);
  });

  it("that says no in every lane leaves no hope, of which whoever waits for a place is told", async () => {
    const { clock, made, pool } = await started({ count: 2 }, (lane) => {
      lane.checksReady = true;
    });
    const hopes: boolean[] = [];
    pool.onFree(() => hopes.push(pool.hopeful));
    const [one, two] = made as [FakeLane, FakeLane];
    one.ready = false;
    await clock.settle(1_000);
    expect([pool.hopeful, hopes]).toEqual([true, []]);
    two.ready = false;
    await clock.settle(1_000);
    expect([pool.hopeful, hopes]).toEqual([false, [false]]);
    one.ready = true;
    await clock.settle(1_000);
    expect([pool.hopeful, hopes]).toEqual([true, [false, true]]);
  });

  it("counts as no when it takes too long", async () => {
    const { clock, made, pool } = await started({ count: 1 }, (lane) => {
      lane.checksReady = true;
    });
    (made[0] as FakeLane).ready = "never";
    await clock.settle(1_999);
    expect(states(pool)).toEqual(["ready"]);
    await clock.settle(1);
    expect(states(pool)).toEqual(["unready"]);
  });

  it("is asked once at a time", async () => {
    const { clock, made } = await started({ count: 1, readyCheckTimeoutMs: 5_000 }, (lane) => {
      lane.checksReady = true;
    });
    const [lane] = made as [FakeLane];
    lane.ready = "never";
    const before = lane.questions;
    await clock.settle(5_900);
    expect(lane.questions).toBe(before + 1);
    await clock.settle(1_100);
    expect(lane.questions).toBe(before + 2);
  });

  it("keeps its last answer while a call keeps the lane from answering anything", async () => {
    const { clock, made, pool } = await started({ count: 1 }, (lane) => {
      lane.checksReady = true;
    });
    const [lane] = made as [FakeLane];
    void run(pool);
    lane.hears = false;
    lane.ready = "never";
    await clock.settle(10_000);
    expect(states(pool)).toEqual(["busy"]);
    expect(pool.readyLanes).toBe(1);
  });
});

describe("createLanePool: tell and setProperties", () => {
  it("reach every living lane, properties those to come too", async () => {
    const { clock, made, pool } = await started();
    expect(pool.tell(Buffer.from("hello"))).toBe(2);
    pool.setProperties(new Map([["depth", "3"]]));
    made[1]?.die();
    await clock.settle();
    expect(made.map(({ properties }) => properties?.get("depth"))).toEqual(["3", "3", "3"]);
    expect(made.map(({ told }) => told)).toEqual([["hello"], ["hello"], []]);
  });
});

describe("createLanePool: a request that kills", () => {
  it("is refused after the second lane; others are not", async () => {
    const { clock, made, pool, lines } = await started({ count: 2 });
    const poison = laneCall({ payloads: Buffer.from("poison") });
    for (let death = 0; death < 2; death++) {
      expect(pool.refusal(poison)).toBeUndefined();
      const call = run(pool, poison);
      made.find(({ calls }) => calls.length > 0)?.die();
      await expect(call).rejects.toMatchObject({ reason: "LANE_DIED" });
    }
    expect(pool.refusal(poison)).toMatchObject({ reason: "REQUEST_QUARANTINED" });
    expect(pool.refusal(laneCall({ payloads: Buffer.from("pepper") }))).toBeUndefined();
    await clock.settle();
    expect(lines.filter((line) => line.startsWith("request quarantined"))).toHaveLength(1);
  });

  it("is one that answers in pieces too, when the lane dies between them", async () => {
    const { made, pool } = await started({ count: 2 });
    const poison = laneCall({ payloads: Buffer.from("poison") });
    for (let death = 0; death < 2; death++) {
      const answering = run(pool, poison);
      made
        .find(({ calls }) => calls.length > 0)
        ?.answer(
          (async function* () {
            yield Buffer.from("piece");
            throw servingError("LANE_DIED", "the lane was ended by SIGSEGV");
          })(),
        );
      const pieces = (await answering).payloads as AsyncIterable<Uint8Array>;
      await expect(readAll(pieces)).rejects.toMatchObject({ reason: "LANE_DIED" });
    }
    expect(pool.refusal(poison)).toMatchObject({ reason: "REQUEST_QUARANTINED" });
  });
});
