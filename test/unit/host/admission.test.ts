import { beforeEach, describe, expect, it } from "vitest";
import type { Invocation } from "../../../src/core/invocation.js";
import type { Random } from "../../../src/core/ports.js";
import { seededRandom } from "../../../src/core/seeded-random.js";
import { type ServingError, servingError } from "../../../src/core/serving-error.js";
import {
  Admission,
  type AdmissionLimits,
  type AdmissionPorts,
} from "../../../src/host/admission.js";
import type { Place } from "../../../src/lane/lane-pool.js";
import { admissionCall, type CallTraits } from "../../support/admission-call.js";
import { FakePool } from "../../support/admission-places.js";
import { createFakeClock, type FakeClock, flushPromises } from "../../support/fake-clock.js";

/** An admission with what happened to each call, by name. */
class Scene {
  readonly clock: FakeClock = createFakeClock();
  readonly pool: FakePool;
  readonly admission: Admission;
  /** Names of those that got a place, in order. */
  readonly order: string[] = [];
  readonly refused: Record<string, ServingError> = {};
  readonly calls: Record<string, Invocation> = {};
  readonly #places: Record<string, Place> = {};

  constructor(
    limits: Partial<AdmissionLimits> = {},
    places = 1,
    ports: Partial<Omit<AdmissionPorts, "clock">> = {},
  ) {
    this.pool = new FakePool(places);
    this.admission = new Admission(
      { maxQueueLength: 2, maxQueueBytes: 100, requestsPerSecond: 0, ...limits },
      this.pool,
      { clock: this.clock, random: () => 0.5, ...ports },
    );
  }

  /** Comes in; whatever becomes of it is noted. */
  async arrive(name: string, traits: CallTraits = {}): Promise<void> {
    const call = admissionCall({ name, ...traits });
    this.calls[name] = call;
    try {
      const entering = this.admission.enter(call);
      const noted = (place: Place): void => {
        this.order.push(name);
        this.#places[name] = place;
      };
      if (entering instanceof Promise) {
        entering.then(noted, (error: ServingError) => {
          this.refused[name] = error;
        });
      } else noted(entering);
    } catch (error) {
      this.refused[name] = error as ServingError;
    }
    await flushPromises();
  }

  async end(name: string): Promise<void> {
    const place = this.#places[name];
    if (place === undefined) throw new Error(`${name} has no place`);
    this.admission.leave(place);
    await flushPromises();
  }

  refusals(): Record<string, string> {
    return Object.fromEntries(
      Object.entries(this.refused).map(([name, { reason }]) => [name, reason]),
    );
  }

  retryMs(name: string): unknown {
    return this.refused[name]?.details["retryAfterMs"];
  }
}

describe("Admission", () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });

  it("gives places at once, then in order of arrival", async () => {
    for (const name of ["a", "b", "c"]) await scene.arrive(name);
    expect(scene.order).toEqual(["a"]);
    expect(scene.admission).toMatchObject({ running: 1, queueLength: 2 });
    await scene.end("a");
    expect(scene.order).toEqual(["a", "b"]);
    await scene.end("b");
    expect(scene.order).toEqual(["a", "b", "c"]);
    expect(scene.admission).toMatchObject({ running: 1, queueLength: 0, queueBytes: 0 });
  });

  it("gives a free place without a promise", () => {
    expect(scene.admission.enter(admissionCall())).not.toBeInstanceOf(Promise);
  });

  it("lets in as many as there are places when lanes come", async () => {
    scene = new Scene({ maxQueueLength: 5 }, 0);
    for (const name of ["a", "b", "c", "d"]) await scene.arrive(name);
    expect(scene.order).toEqual([]);
    scene.pool.setPlaces(3);
    await flushPromises();
    expect(scene.order).toEqual(["a", "b", "c"]);
    expect(scene.admission.running).toBe(3);
  });

  it("refuses by count and by bytes, and counts neither of those it refused", async () => {
    await scene.arrive("a");
    await scene.arrive("b", { bytes: 60 });
    await scene.arrive("c", { bytes: 50 });
    await scene.arrive("d", { bytes: 40 });
    await scene.arrive("e");
    expect(scene.refusals()).toEqual({ c: "QUEUE_FULL", e: "QUEUE_FULL" });
    expect(scene.refused["c"]?.message).toMatch(/hold 60 bytes, this one has 50, at most 100/);
    expect(scene.refused["e"]?.message).toMatch(/2 waiting calls, at most 2 may wait/);
    expect(scene.admission).toMatchObject({ queueLength: 2, queueBytes: 100 });
  });

  it("has no queue for anybody at maxQueueLength 0", async () => {
    scene = new Scene({ maxQueueLength: 0 });
    await scene.arrive("a");
    await scene.arrive("b");
    await scene.arrive("c", { priority: "high" });
    expect(scene.refusals()).toEqual({ b: "QUEUE_FULL", c: "QUEUE_FULL" });
    await scene.end("a");
    await scene.arrive("d");
    expect(scene.order).toEqual(["a", "d"]);
  });

  it("lets a waiting call leave from anywhere, and never starts it", async () => {
    scene = new Scene({ maxQueueLength: 3 });
    for (const name of ["a", "b", "c", "d"]) await scene.arrive(name, { bytes: 10 });
    const reason = servingError("CANCELLED", "gone");
    scene.calls["c"]?.giveUp(reason);
    await flushPromises();
    expect(scene.refused["c"]).toBe(reason);
    expect(scene.admission).toMatchObject({ queueLength: 2, queueBytes: 20 });
    await scene.end("a");
    await scene.end("b");
    expect(scene.order).toEqual(["a", "b", "d"]);
  });

  it("refuses what was given up, or whose time was over, before it came", async () => {
    const given = admissionCall();
    given.giveUp(servingError("CANCELLED", "gone"));
    expect(() => scene.admission.enter(given)).toThrow("gone");
    await scene.arrive("late", { deadlineMs: scene.clock.now() });
    expect(scene.refusals()).toEqual({ late: "DEADLINE_EXCEEDED" });
    expect(scene.admission.running).toBe(0);
  });

  it("refuses a waiting call whose time is over though no timer has said so, and goes on to the next", async () => {
    await scene.arrive("a");
    await scene.arrive("late", { deadlineMs: scene.clock.now() + 10 });
    await scene.arrive("next", { deadlineMs: scene.clock.now() + 11 });
    scene.clock.advance(10);
    await scene.end("a");
    expect(scene.refusals()).toEqual({ late: "DEADLINE_EXCEEDED" });
    expect(scene.order).toEqual(["a", "next"]);
  });

  it("tells how long each call waited", async () => {
    const waits: [string, number][] = [];
    scene = new Scene({}, 1, { onAdmitted: ({ path }, ms) => waits.push([path, ms]) });
    await scene.arrive("a");
    await scene.arrive("b");
    scene.clock.advance(30);
    await scene.end("a");
    expect(waits).toEqual([
      ["a", 0],
      ["b", 30],
    ]);
  });

  it("tells when nothing runs", async () => {
    await scene.admission.idle();
    await scene.arrive("a");
    await scene.arrive("b");
    let idle = false;
    void scene.admission.idle().then(() => {
      idle = true;
    });
    await scene.end("a");
    expect(idle).toBe(false);
    await scene.end("b");
    expect(idle).toBe(true);
  });
});

describe("Admission's refusal of calls to come", () => {
  const reason = (scene: Scene, traits: CallTraits = {}, ahead?: number) =>
    scene.admission.refusal(admissionCall(traits), ahead)?.reason;

  it("is what they would be refused with, and takes neither place nor token", async () => {
    const scene = new Scene({ requestsPerSecond: 1 });
    for (let times = 0; times < 3; times++) expect(reason(scene)).toBeUndefined();
    await scene.arrive("a");
    expect(scene.order).toEqual(["a"]);
    for (let times = 0; times < 3; times++) expect(reason(scene)).toBe("RATE_LIMITED");
    scene.clock.advance(1_000);
    expect(reason(scene)).toBeUndefined();
    await scene.arrive("b");
    expect([scene.admission.queueLength, scene.refusals()]).toEqual([1, {}]);
  });

  it("is that of a full queue, which goes by priority, and throws nobody out", async () => {
    const scene = new Scene();
    for (const name of ["a", "b"]) await scene.arrive(name);
    expect(reason(scene)).toBeUndefined();
    await scene.arrive("c");
    expect(scene.admission.refusal(admissionCall())).toMatchObject({
      reason: "QUEUE_FULL",
      message: "2 waiting calls, at most 2 may wait",
      details: { retryAfterMs: 1_000 },
    });
    expect(reason(scene, { priority: "high" })).toBeUndefined();
    expect([scene.admission.queueLength, scene.refusals()]).toEqual([2, {}]);
  });

  it("lets those come that may find a place though none may wait", async () => {
    const scene = new Scene({ maxQueueLength: 0 }, 2);
    const reasons = () => [undefined, 0, 1, 2].map((ahead) => reason(scene, {}, ahead));
    expect(reasons()).toEqual([undefined, undefined, undefined, "QUEUE_FULL"]);
    await scene.arrive("a");
    expect(reasons()).toEqual([undefined, undefined, "QUEUE_FULL", "QUEUE_FULL"]);
    await scene.arrive("b");
    expect(reasons()).toEqual(Array(4).fill("QUEUE_FULL"));
  });

  it("is that of bodies that wait, by the limit in force, with when to come back", async () => {
    const scene = new Scene();
    await scene.arrive("a");
    scene.clock.advance(40);
    await scene.end("a");
    await scene.arrive("b");
    expect([0, 1, 2, 3].map((ahead) => reason(scene, {}, ahead))).toEqual([
      undefined,
      undefined,
      "QUEUE_FULL",
      "QUEUE_FULL",
    ]);
    scene.admission.setLimits({ maxQueueLength: 10 });
    expect(reason(scene, {}, 9)).toBeUndefined();
    expect(scene.admission.refusal(admissionCall(), 10)).toMatchObject({
      message: "10 bodies wait to be decompressed, at most 10 may wait",
      details: { retryAfterMs: 200 },
    });
  });

  it("is that of calls whose time is over and of a host without lanes", async () => {
    const scene = new Scene();
    expect(reason(scene, { deadlineMs: scene.clock.now() })).toBe("DEADLINE_EXCEEDED");
    scene.pool.loseHope();
    expect(reason(scene)).toBe("NOT_READY");
  });
});

describe("Admission by priority", () => {
  it("lets high calls in before all normal ones, in order of arrival", async () => {
    const scene = new Scene({ maxQueueLength: 9 });
    await scene.arrive("a");
    await scene.arrive("n1");
    await scene.arrive("h1", { priority: "high" });
    await scene.arrive("n2", { priority: "normal" });
    await scene.arrive("f", { handler: "function" });
    await scene.arrive("h2", { priority: "high" });
    for (const name of ["a", "h1", "f", "h2", "n1"]) await scene.end(name);
    expect(scene.order).toEqual(["a", "h1", "f", "h2", "n1", "n2"]);
  });

  it("lets nobody overtake who waits, but for high calls past normal ones", async () => {
    const scene = new Scene({ maxQueueLength: 9 });
    await scene.arrive("a");
    await scene.arrive("n1");
    scene.pool.setPlacesUntold(2);
    await scene.arrive("n2");
    await scene.arrive("h1", { priority: "high" });
    await scene.arrive("h2", { priority: "high" });
    scene.pool.setPlacesUntold(3);
    await scene.arrive("h3", { priority: "high" });
    expect(scene.order).toEqual(["a", "h1"]);
    scene.pool.setPlaces(5);
    await flushPromises();
    expect(scene.order).toEqual(["a", "h1", "h2", "h3", "n1"]);
  });

  it.each(["High", "HIGH", "1", "urgent", ""])("takes %j for normal", async (value) => {
    const scene = new Scene();
    await scene.arrive("a");
    await scene.arrive("first");
    await scene.arrive("second", { priority: value as "high" });
    await scene.end("a");
    expect(scene.order).toEqual(["a", "first"]);
  });

  it("gives a high call the place of the youngest normal one when the queue is full by count", async () => {
    const scene = new Scene();
    for (const name of ["a", "old", "young"]) await scene.arrive(name);
    await scene.arrive("h1", { priority: "high" });
    expect(scene.refusals()).toEqual({ young: "QUEUE_FULL" });
    expect(scene.refused["young"]?.message).toMatch(/high priority took the place/);
    await scene.arrive("h2", { priority: "high" });
    expect(scene.refusals()).toEqual({ young: "QUEUE_FULL", old: "QUEUE_FULL" });
    await scene.arrive("h3", { priority: "high" });
    expect(scene.refusals()["h3"]).toBe("QUEUE_FULL");
    expect(scene.refused["h3"]?.message).toMatch(/2 waiting calls of high priority, at most 2/);
    expect(scene.admission.queueLength).toBe(2);
  });

  it("refuses as many of the youngest as hold the bytes that a high call needs", async () => {
    const scene = new Scene({ maxQueueLength: 9 });
    await scene.arrive("a");
    for (const name of ["n1", "n2", "n3", "n4"]) await scene.arrive(name, { bytes: 25 });
    await scene.arrive("h", { priority: "high", bytes: 30 });
    expect(Object.keys(scene.refused)).toEqual(["n4", "n3"]);
    expect(scene.admission).toMatchObject({ queueLength: 3, queueBytes: 80 });
  });

  it("throws nobody out for a high call that would not fit all the same", async () => {
    const scene = new Scene({ maxQueueLength: 9 });
    await scene.arrive("a");
    await scene.arrive("h1", { priority: "high", bytes: 60 });
    await scene.arrive("n1", { bytes: 40 });
    await scene.arrive("h2", { priority: "high", bytes: 41 });
    expect(Object.keys(scene.refused)).toEqual(["h2"]);
    expect(scene.admission.queueBytes).toBe(100);
  });
});

describe("Admission without lanes", () => {
  it("refuses at once, and ends those that wait, when no lane lives and none is started", async () => {
    const scene = new Scene({}, 1);
    await scene.arrive("a");
    await scene.arrive("n");
    await scene.arrive("h", { priority: "high" });
    scene.pool.loseHope();
    await flushPromises();
    await scene.arrive("new");
    expect(scene.refusals()).toEqual({ n: "NOT_READY", h: "NOT_READY", new: "NOT_READY" });
    expect(["n", "h", "new"].map((name) => scene.retryMs(name))).toEqual([1_000, 1_000, 1_000]);
    expect(scene.refused["new"]?.safeToRepeat).toBe(true);
    expect(scene.admission).toMatchObject({ queueLength: 0, queueBytes: 0 });
  });

  it("ends those that wait when the next call comes, if nobody told", async () => {
    const scene = new Scene({}, 0);
    await scene.arrive("a");
    scene.pool.hopeful = false;
    await scene.arrive("b");
    expect(scene.refusals()).toEqual({ a: "NOT_READY", b: "NOT_READY" });
  });

  it("waits for a lane that is being started", async () => {
    const scene = new Scene({}, 0);
    await scene.arrive("a");
    expect(scene.admission.queueLength).toBe(1);
    scene.pool.setPlaces(1);
    await flushPromises();
    expect(scene.order).toEqual(["a"]);
  });
});

describe("Admission by rate", () => {
  it("refuses normal calls while the reserve is left, and high ones when it is gone", async () => {
    const scene = new Scene({ requestsPerSecond: 4 }, 100);
    for (const name of ["a", "b", "c", "d"]) await scene.arrive(name);
    expect(scene.refusals()).toEqual({ d: "RATE_LIMITED" });
    expect(scene.retryMs("d")).toBe(250);
    await scene.arrive("h1", { priority: "high" });
    await scene.arrive("h2", { handler: "function" });
    expect(scene.order).toEqual(["a", "b", "c", "h1"]);
    expect(scene.refusals()).toEqual({ d: "RATE_LIMITED", h2: "RATE_LIMITED" });
    scene.clock.advance(250);
    await scene.arrive("e");
    await scene.arrive("h3", { priority: "high" });
    expect(scene.refusals()).toMatchObject({ e: "RATE_LIMITED" });
    expect(scene.retryMs("e")).toBe(250);
    expect(scene.order).toEqual(["a", "b", "c", "h1", "h3"]);
  });

  it("takes no token for calls that are refused for other reasons, at once or later", async () => {
    const scene = new Scene({ requestsPerSecond: 20, maxQueueLength: 1 });
    const high = { priority: "high" } as const;
    await scene.arrive("runs", high);
    await scene.arrive("waits", high);
    for (let count = 0; count < 30; count++) await scene.arrive(`full${count}`, high);
    await scene.arrive("late", { ...high, deadlineMs: 0 });
    expect(new Set(Object.values(scene.refusals()))).toEqual(
      new Set(["QUEUE_FULL", "DEADLINE_EXCEEDED"]),
    );
    scene.pool.loseHope();
    await flushPromises();
    expect(scene.refusals()["waits"]).toBe("NOT_READY");
    for (let count = 0; count < 30; count++) await scene.arrive(`none${count}`, high);
    scene.pool.hopeful = true;
    scene.pool.setPlaces(100);
    for (let count = 0; count < 30; count++) await scene.arrive(`after${count}`, high);
    expect(scene.order).toHaveLength(20);
  });

  it("gives the token of a normal call back whose place a high one takes", async () => {
    const scene = new Scene({ requestsPerSecond: 3, maxQueueLength: 1 });
    await scene.arrive("runs");
    await scene.arrive("normal");
    await scene.arrive("high", { priority: "high" });
    expect(scene.refusals()).toEqual({ normal: "QUEUE_FULL" });
    scene.pool.setPlaces(10);
    await flushPromises();
    await scene.arrive("one more", { priority: "high" });
    await scene.arrive("too many", { priority: "high" });
    expect(scene.refusals()).toMatchObject({ "too many": "RATE_LIMITED" });
    expect(scene.order).toEqual(["runs", "high", "one more"]);
  });
});

describe("Admission's pushback of a full queue", () => {
  /** Fills the queue after `calls` calls of `ms` each, one at a time, and refuses one. */
  async function refusedAfter(
    calls: number,
    ms: number,
    limits: Partial<AdmissionLimits> = {},
    random: Random = () => 0.5,
  ): Promise<Scene> {
    const scene = new Scene({ maxQueueLength: 10, ...limits }, 1, { random });
    for (let count = 0; count < calls; count++) {
      await scene.arrive("one");
      scene.clock.advance(ms);
      await scene.end("one");
      scene.clock.advance(60_000);
    }
    await scene.arrive("runs");
    while (scene.refused["last"] === undefined) await scene.arrive("last");
    return scene;
  }

  it("is a second before any call has ended", async () => {
    expect((await refusedAfter(0, 0)).retryMs("last")).toBe(1_000);
  });

  it("is the time in which half the queue empties, at the rate at which calls end", async () => {
    expect((await refusedAfter(5, 40)).retryMs("last")).toBe(200);
    expect((await refusedAfter(5, 40, { maxQueueLength: 7 })).retryMs("last")).toBe(160);
    expect((await refusedAfter(5, 40, { maxQueueLength: 0 })).retryMs("last")).toBe(40);
  });

  it("is spread by a fifth to both sides and stays within 10 to 5,000 ms", async () => {
    const least = () => 0;
    const most = () => 1 - Number.EPSILON;
    expect((await refusedAfter(5, 40, {}, least)).retryMs("last")).toBe(160);
    expect((await refusedAfter(5, 40, {}, most)).retryMs("last")).toBe(240);
    expect((await refusedAfter(5, 0, {}, least)).retryMs("last")).toBe(10);
    expect((await refusedAfter(5, 60_000, {}, most)).retryMs("last")).toBe(5_000);
  });

  it("differs from caller to caller", async () => {
    const scene = await refusedAfter(5, 40, {}, seededRandom(7));
    for (let count = 0; count < 20; count++) await scene.arrive(`more${count}`);
    const seen = new Set(Object.keys(scene.refused).map((name) => scene.retryMs(name)));
    expect(seen.size).toBeGreaterThan(10);
    for (const ms of seen) {
      expect(ms).toBeGreaterThanOrEqual(160);
      expect(ms).toBeLessThanOrEqual(240);
    }
  });
});

describe("Admission.setLimits", () => {
  it("lets more wait", async () => {
    const scene = new Scene({ maxQueueLength: 1, maxQueueBytes: 10 });
    await scene.arrive("a");
    await scene.arrive("b", { bytes: 10 });
    scene.admission.setLimits({ maxQueueLength: 2 });
    await scene.arrive("c", { bytes: 1 });
    scene.admission.setLimits({ maxQueueBytes: 11 });
    await scene.arrive("d", { bytes: 1 });
    expect(scene.refusals()).toEqual({ c: "QUEUE_FULL" });
    expect(scene.admission.queueLength).toBe(2);
  });

  it("throws nobody out when the bounds are lowered; a high call still takes one place", async () => {
    const scene = new Scene({ maxQueueLength: 9 });
    for (const name of ["a", "n1", "n2", "n3"]) await scene.arrive(name, { bytes: 30 });
    scene.admission.setLimits({ maxQueueLength: 1, maxQueueBytes: 30 });
    await flushPromises();
    expect(scene.admission).toMatchObject({ queueLength: 3, queueBytes: 90 });
    await scene.arrive("n4");
    await scene.arrive("h", { priority: "high", bytes: 30 });
    expect(scene.refusals()).toEqual({ n4: "QUEUE_FULL", n3: "QUEUE_FULL" });
    for (const name of ["a", "h", "n1"]) await scene.end(name);
    expect(scene.order).toEqual(["a", "h", "n1", "n2"]);
  });

  it("turns the rate limit on and off", async () => {
    const scene = new Scene({}, 100);
    scene.admission.setLimits({ requestsPerSecond: 1 });
    await scene.arrive("a");
    await scene.arrive("b");
    scene.admission.setLimits({ requestsPerSecond: 0 });
    await scene.arrive("c");
    expect(scene.refusals()).toEqual({ b: "RATE_LIMITED" });
    expect(scene.order).toEqual(["a", "c"]);
  });
});
