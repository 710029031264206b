import { predictRpc } from "../../wire/predict.js";
import { signalTo } from "./processes.js";
import { type ChaosRun, LOOK_EVERY_MS } from "./run.js";
import type { FaultName } from "./settings.js";
import { framed } from "./wire-client.js";

/** Calls of one volley. */
const VOLLEY = 20;
const SLOW_MS = 300;
const LONGEST_SHORT_MS = 50;
/** Longer than the bar, so that it can be missed. */
const TELL_WITHIN_MS = 2_000;

/** Does one thing to the host or its callers, and waits for what comes of it. */
export type Fault = (run: ChaosRun) => Promise<void>;

/** All faults; each is repeated while its time lasts. */
export const faults: Readonly<Record<FaultName, Fault>> = {
  kill: (run) => hurtLane(run, "SIGKILL"),
  stop: (run) => hurtLane(run, "SIGSTOP"),

  async overload(run) {
    const { load, limits } = run;
    const calls = Array.from({ length: limits.overload }, () => load.call());
    await Promise.all(calls);
  },

  async cancel({ load, random, limits, pace }) {
    await volley(async () => {
      await load.call(load.timeoutMs, (call) => {
        pace.clock.after(random() * 2 * limits.usualMs, () => call.cancel());
      });
    });
  },

  async deadlines({ load, random, limits }) {
    const longestMs = Math.min(load.timeoutMs, Math.max(LONGEST_SHORT_MS, 2 * limits.usualMs));
    await volley(async () => {
      await load.call(1 + random() * longestMs);
    });
  },

  async broken(run) {
    const { load, limits } = run;
    const { path, body } = load.request;
    const large = framed(Buffer.alloc(limits.maxMessageBytes + 1));
    const noise = framed(Buffer.from(Array.from({ length: 64 }, () => 255)));
    const wrongFlag = Buffer.from(body);
    wrongFlag.writeUInt8(7, 0);
    const refused = await Promise.all([
      load.odd(path, large),
      load.odd(path, wrongFlag),
      load.odd(path, body.subarray(0, body.byteLength - 1)),
      load.odd("/no.such.Service/Method", body),
      load.odd(predictRpc.path, noise),
    ]);
    run.taken += refused.filter(({ outcome }) => outcome === "OK").length;
  },

  async slow({ load, pace }) {
    await volley(async () => {
      await load.call(load.timeoutMs + SLOW_MS, (call) => {
        call.pause();
        pace.clock.after(SLOW_MS, () => call.resume());
      });
    });
  },

  restart: (run) => run.restart(),
};

async function volley(one: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: VOLLEY }, one));
}

/** Hurts a lane, and waits until the host has said so and has all of them again. */
async function hurtLane(run: ChaosRun, signal: "SIGKILL" | "SIGSTOP"): Promise<void> {
  const { census, random, limits, pace } = run;
  const pids = census.look();
  const victim = pids[Math.floor(random() * pids.length)];
  if (victim === undefined) return;
  census.take(victim);
  const sinceMs = pace.now();
  signalTo(victim, signal);
  const gone = await pace.until(
    () => !census.look().includes(victim),
    limits.goneMs,
    LOOK_EVERY_MS,
  );
  const goneMs = pace.now();
  if (!gone) {
    run.notReplaced++;
    signalTo(victim, "SIGKILL");
    return;
  }
  // Its successor may be there before the host's answers say that one is missing.
  const told = (): number | undefined => run.ready.firstSince(sinceMs, false);
  await pace.until(() => told() !== undefined, TELL_WITHIN_MS);
  run.toldMs.push(Math.max(0, (told() ?? pace.now()) - goneMs));
  if (!(await run.healthy())) return;
  run.backMs.push(pace.now() - goneMs);
  // The same request in two lanes that die one after the other looks like their murderer: answers between them clear it.
  for (let n = 0; n < limits.lanes; n++) await run.load.call();
}
