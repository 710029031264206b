import { type Bar, never } from "../../src/cli/chaos/report.js";
import { seededRandom } from "../../src/core/seeded-random.js";
import { Status } from "../../src/core/status.js";
import type { AttemptEnd } from "../../src/transport/transport.js";
import { endOf } from "../support/client-fake-transport.js";
import { percent } from "../support/percent.js";
import { atLeast, atMost } from "./bars.js";
import type { ServerMode } from "./simulated-server.js";
import {
  type CallLimits,
  type Simulation,
  type Stretch,
  simulate,
  tenHalfBusy,
} from "./simulation.js";

/** How long, and from which seed. */
export interface OutlierSize {
  readonly seconds: number;
}

export const outlierSizes: Readonly<Record<"full" | "small", OutlierSize>> = {
  full: { seconds: 60 },
  small: { seconds: 5 },
};

/** What a server answers that fails everything. */
export const unavailable: AttemptEnd = endOf("CALL_FAILED", {
  code: Status.UNAVAILABLE,
  remote: true,
});

const failing = { kind: "failing", end: unavailable, part: 1 } as const;

/** Before anything fails, in milliseconds. */
export const WARM_MS = 2_000;

const SERVERS = tenHalfBusy.servers;

/** Calls while one of ten servers, or more, misbehave. */
export interface OutlierFigures {
  readonly oneFails: Stretch;
  readonly oneFailsOnce: Stretch;
  readonly oneFailsOften: Stretch;
  readonly halfFail: Stretch;
  readonly allFail: Stretch;
  readonly changing: Stretch;
}

/** Has one of ten servers fail, half of them, and all, and each of them now and then; in virtual time. */
export async function runOutlier({
  seconds,
  seed,
}: OutlierSize & { readonly seed: number }): Promise<OutlierFigures> {
  const failed = (count: number, mode: ServerMode, policy: CallLimits = {}) =>
    simulate({ ...tenHalfBusy, seed, policy }, async (simulation) => {
      await simulation.run(WARM_MS);
      for (const server of simulation.servers.slice(0, count)) server.mode = mode;
      const stretch = simulation.stretch();
      await simulation.run(seconds * 1_000);
      await simulation.settle();
      return stretch;
    });
  return {
    oneFails: await failed(1, failing),
    oneFailsOnce: await failed(1, failing, { maxAttempts: 1 }),
    oneFailsOften: await failed(1, { ...failing, part: 0.6 }),
    halfFail: await failed(SERVERS / 2, failing),
    allFail: await failed(SERVERS, failing),
    changing: await simulate({ ...tenHalfBusy, seed }, (simulation) =>
      changing(simulation, seconds, seed),
    ),
  };
}

const modes: readonly ServerMode[] = [
  { kind: "healthy" },
  failing,
  { ...failing, part: 0.7 },
  { kind: "slow", factor: 20 },
  { kind: "silent" },
];

/** Twice a second one server begins to behave in another way, crashes or comes back. */
async function changing(simulation: Simulation, seconds: number, seed: number): Promise<Stretch> {
  const random = seededRandom(seed);
  const stretch = simulation.stretch();
  for (let half = 0; half < 2 * seconds; half++) {
    const server = simulation.servers[Math.floor(random() * SERVERS)];
    const mode = modes[Math.floor(random() * (modes.length + 1))];
    server?.restart();
    if (server !== undefined && mode !== undefined) server.mode = mode;
    else server?.crash();
    await simulation.run(500);
  }
  await simulation.settle();
  return stretch;
}

/** What has to hold. */
export function outlierBars(figures: OutlierFigures): readonly Bar[] {
  const { oneFails, oneFailsOnce, oneFailsOften, allFail } = figures;
  const stretches = Object.values(figures);
  const lost = stretches.reduce((sum, { calls, ended }) => sum + calls - ended, 0);
  const mostOut = Math.max(...stretches.map((stretch) => stretch.mostOut));
  const shared = "one of ten fails everything, one attempt a call";
  return [
    successBar("one of ten fails everything: success", oneFails),
    attemptsBar("one of ten fails everything: attempts", oneFails),
    successBar("one of ten fails six in ten: success", oneFailsOften),
    attemptsBar("one of ten fails six in ten: attempts", oneFailsOften),
    atMost(
      `${shared}: calls that failed, of ${oneFailsOnce.calls}`,
      50,
      oneFailsOnce.failures.total,
    ),
    attemptsBar("all fail: attempts", allFail),
    atMost("most of ten out at once, in all runs", SERVERS / 2, mostOut),
    never("calls that never ended", lost),
  ];
}

function successBar(what: string, { successes, calls }: Stretch): Bar {
  return atLeast(`${what}, of ${calls}`, 0.9999, successes, percent);
}

/** Nothing that servers do may make a client send much more than it is asked to. */
export function attemptsBar(what: string, { attempts, calls }: Stretch, besides = 0): Bar {
  const rest = besides === 0 ? "" : `, and ${besides} besides`;
  return {
    what: `${what}, of ${calls}`,
    bar: `at most 1.1 x calls${rest}`,
    figure: `${(attempts / calls).toFixed(3)} x`,
    met: attempts <= 1.1 * calls + besides,
  };
}
