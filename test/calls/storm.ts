import type { Bar } from "../../src/cli/chaos/report.js";
import type { PoolOptions } from "../../src/client/pool-options.js";
import { percent } from "../support/percent.js";
import { atLeast, atMost, times } from "./bars.js";
import { attemptsBar, unavailable, WARM_MS } from "./outlier.js";
import type { ServerMode } from "./simulated-server.js";
import {
  type CallLimits,
  type Simulation,
  type SimulationSetup,
  type Stretch,
  simulate,
  tenHalfBusy,
} from "./simulation.js";

/** How long a storm lasts. */
export interface StormSize {
  readonly seconds: number;
}

export const stormSizes: Readonly<Record<"full" | "small", StormSize>> = {
  full: { seconds: 60 },
  small: { seconds: 5 },
};

/** Calls while nothing goes well anywhere. */
export interface StormFigures {
  readonly allFail: Stretch;
  readonly overloaded: Stretch;
  readonly overloadedLeastRequests: Stretch;
  /** How much of what the servers can do they did in the first of these two. */
  readonly goodput: number;
  readonly hedged: Stretch;
  readonly brownout: Stretch;
  /** The same for a client that takes nobody out of rotation. */
  readonly brownoutWithoutEjection: Stretch;
  /** From the end of the brownout to the first second in which all but one in a thousand succeed; Infinity for never. */
  readonly recoveredAfterS: number;
}

const { servers, server, callsPerSecond } = tenHalfBusy;
const capacityPerSecond = (servers * server.places * 1_000) / server.workMs;

/** What a retry budget can have saved up. */
const SAVED_UP = 100;

/** Puts too much on all servers at once, in virtual time. */
export async function runStorm({
  seconds,
  seed,
}: StormSize & { readonly seed: number }): Promise<StormFigures> {
  const overload = async (pool: PoolOptions) => {
    const simulation = { ...tenHalfBusy, seed, pool };
    return await storm(simulation, seconds, { callsPerSecond: 2 * capacityPerSecond });
  };
  const overloaded = await overload({});
  const hedging: CallLimits = { hedgeDelayMs: 15 };
  const slow: ServerMode = { kind: "slow", factor: 1.8 };
  const failing: ServerMode = { kind: "failing", end: unavailable, part: 1 };
  const [brownout, recoveredAfterS] = await brownouts(seconds, seed, {});
  const [brownoutWithoutEjection] = await brownouts(seconds, seed, { ejection: false });
  return {
    allFail: await storm({ ...tenHalfBusy, seed }, seconds, { mode: failing }),
    overloaded,
    overloadedLeastRequests: await overload({ balance: "least-requests" }),
    goodput: overloaded.succeeded / seconds / capacityPerSecond,
    hedged: await storm({ ...tenHalfBusy, seed, policy: hedging }, seconds, { mode: slow }),
    brownout,
    brownoutWithoutEjection,
    recoveredAfterS,
  };
}

/** What changes for all. */
interface Change {
  readonly mode?: ServerMode;
  readonly callsPerSecond?: number;
}

/** Not waited for until the last call has ended: what is answered after the storm does not count. */
function storm(setup: SimulationSetup, seconds: number, change: Change): Promise<Stretch> {
  return simulate(setup, async (simulation) => {
    await simulation.run(WARM_MS);
    simulation.callsPerSecond = change.callsPerSecond ?? callsPerSecond;
    if (change.mode !== undefined) setAll(simulation, change.mode);
    const stretch = simulation.stretch();
    await simulation.run(seconds * 1_000);
    return stretch;
  });
}

function setAll(simulation: Simulation, mode: ServerMode): void {
  for (const server of simulation.servers) server.mode = mode;
}

/** Three times as slow at half load is half too much: queues are full, deadlines are missed, retries are made. */
function brownouts(
  seconds: number,
  seed: number,
  pool: PoolOptions,
): Promise<readonly [during: Stretch, recoveredAfterS: number]> {
  const setup = { ...tenHalfBusy, seed, pool, policy: { timeoutMs: 500 } };
  return simulate(setup, async (simulation) => {
    await simulation.run(WARM_MS);
    setAll(simulation, { kind: "slow", factor: 3 });
    const during = simulation.stretch();
    await simulation.run(seconds * 1_000);
    setAll(simulation, { kind: "healthy" });
    const after: Stretch[] = [];
    for (let second = 0; second < 10; second++) {
      after.push(simulation.stretch());
      await simulation.run(1_000);
    }
    simulation.stretch();
    await simulation.settle();
    const first = after.findIndex(({ successes }) => successes >= 0.999);
    return [during, first < 0 ? Number.POSITIVE_INFINITY : first];
  });
}

/** What has to hold. */
export function stormBars(figures: StormFigures): readonly Bar[] {
  const { allFail, overloaded, overloadedLeastRequests, hedged, brownout } = figures;
  const twice = "twice too many calls, queues full";
  const unshared = figures.brownoutWithoutEjection;
  const inSeconds = (s: number): string => `${s} s`;
  return [
    attemptsBar("all fail: attempts", allFail),
    attemptsBar(`${twice}: attempts`, overloaded),
    attemptsBar(`${twice}, least-requests: attempts`, overloadedLeastRequests),
    atLeast(`${twice}: answers, of what can be done`, 0.95, figures.goodput, percent),
    atMost(`${twice}: most out at once`, 0, overloaded.mostOut),
    attemptsBar("all slow, calls hedged: attempts", hedged, SAVED_UP),
    attemptsBar("a brownout: attempts", brownout),
    atLeast(
      `a brownout: answers, of those without ejection (${percent(unshared.successes)} of calls)`,
      0.95,
      brownout.succeeded / unshared.succeeded,
      times,
    ),
    atMost(
      "a brownout that is over: until 99.9 % of calls succeed",
      5,
      figures.recoveredAfterS,
      inSeconds,
    ),
  ];
}
