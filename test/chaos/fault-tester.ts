import { setTimeout as wait } from "node:timers/promises";
import type { ReadyWatch } from "../../src/cli/chaos/ready-watch.js";
import { pace } from "../support/pace.js";
import type { FaultLoad } from "./fault-load.js";
import type { LaneWatch } from "./lane-watch.js";
import { type Deed, orderTo } from "./order.js";

/** What is done to a lane, by the name of the fault: a signal from outside, or an order that it carries out. */
const deeds: Readonly<Record<string, NodeJS.Signals | Deed>> = {
  SIGKILL: "SIGKILL",
  SIGSTOP: "SIGSTOP",
  "busy loop": "hang",
  "exit in a reply": "exit-in-reply",
  "out of memory": "exhaust",
};

/** All faults there are. */
export const faultKinds: readonly string[] = Object.keys(deeds);

/** What one fault led to; times in milliseconds after the lane's death. */
export interface FaultFigures {
  readonly kind: string;
  /** From the fault to the death of the lane. */
  readonly diedAfterMs: number;
  /** Until `/readyz` said that something is missing, or nothing was missing any more. */
  readonly toldMs: number;
  /** Until each call that was in the lane had ended; grows until the last of them has. */
  readonly callsEndedMs: readonly number[];
  /** Until `/readyz` was 200 again and the lane that took the dead one's place had answered a call. */
  readonly backMs: number;
}

/** A lane that has lived for less is no longer replaced at once; a crash loop is not what is looked at here. */
const LEAST_LIFE_MS = 2_100;
const GIVE_UP_MS = 15_000;
const MOST_TRIES = 20;

/** What a tester works with. */
export interface FaultTesterParts {
  /** How many lanes the host has when all is well. */
  readonly count: number;
  readonly load: FaultLoad;
  readonly lanes: LaneWatch;
  readonly ready: ReadyWatch;
  readonly random: () => number;
}

/** Does one fault at a time, and measures what comes of it. */
export class FaultTester {
  readonly figures: FaultFigures[] = [];
  /** Times that the host said it was not ready while nothing was wrong. */
  falseAlarms: number = 0;
  readonly #parts: FaultTesterParts;
  #calmSinceMs: number = pace.now();

  constructor(parts: FaultTesterParts) {
    this.#parts = parts;
  }

  /** Waits until all is well, hurts a lane, and waits until all is well again. */
  async hurt(kind: string): Promise<void> {
    const { load, lanes, ready, random } = this.#parts;
    await this.healthy();
    const answeredMs = lanes.lookForLanes().map((pid) => load.firstAnswerMs.get(pid) ?? 0);
    const youngMs = Math.max(...answeredMs) + LEAST_LIFE_MS - pace.now();
    await wait(Math.max(0, youngMs) + random() * 200);
    this.falseAlarms += ready.flips.filter((f) => !f.ready && f.atMs > this.#calmSinceMs).length;
    const before = lanes.lookForLanes();
    lanes.begin();
    const faultMs = pace.now();
    const victim = await this.#strike(kind, before);
    if (victim === undefined) return;
    await pace.until(() => lanes.deathOf(victim) !== undefined, GIVE_UP_MS);
    const death = lanes.deathOf(victim);
    if (death === undefined) return;
    const answered = (): number | undefined => {
      const successor = lanes.lookForLanes().find((pid) => !before.includes(pid));
      return successor === undefined ? undefined : load.firstAnswerMs.get(successor);
    };
    await pace.until(() => answered() !== undefined && ready.ready, GIVE_UP_MS);
    const firstMs = answered();
    if (firstMs === undefined) return;
    const { lastAliveMs, callsEndedMs } = death;
    const toldMs = ready.firstSince(lastAliveMs, false) ?? firstMs;
    const backMs = Math.max(firstMs, ready.firstSince(toldMs, true) ?? firstMs);
    this.figures.push({
      kind,
      diedAfterMs: lastAliveMs - faultMs,
      toldMs: toldMs - lastAliveMs,
      callsEndedMs,
      backMs: backMs - lastAliveMs,
    });
  }

  /** Waits until all lanes answer and the host says that it is ready. */
  async healthy(): Promise<void> {
    const { count, load, lanes, ready } = this.#parts;
    const answers = (): boolean => {
      const pids = lanes.lookForLanes();
      return ready.ready && pids.length === count && pids.every((p) => load.firstAnswerMs.has(p));
    };
    if (!(await pace.until(answers, GIVE_UP_MS))) throw new Error("the host did not recover");
    this.#calmSinceMs = pace.now();
  }

  /** Does it; tells which lane is the victim. */
  async #strike(kind: string, pids: readonly number[]): Promise<number | undefined> {
    const { load, lanes, random } = this.#parts;
    const what = deeds[kind] ?? "SIGKILL";
    if (what === "SIGKILL" || what === "SIGSTOP") {
      const victim = pids[Math.floor(random() * pids.length)];
      if (victim !== undefined) process.kill(victim, what);
      return victim;
    }
    // An order may run out of time before a busy lane comes to it.
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const order = orderTo(what as Deed, 20);
      load.give(order);
      await pace.until(
        () => lanes.laneOf(order.id) !== undefined || !load.isOpen(order.id),
        GIVE_UP_MS,
      );
      const victim = lanes.laneOf(order.id);
      if (victim !== undefined) return victim;
    }
    return undefined;
  }
}
