import { monitorEventLoopDelay } from "node:perf_hooks";
import { isAlive } from "../../src/cli/chaos/processes.js";
import { ReadyWatch } from "../../src/cli/chaos/ready-watch.js";
import { atMostMs, type Bar, type Counts, never } from "../../src/cli/chaos/report.js";
import { median } from "../support/figures.js";
import { pace } from "../support/pace.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { FaultLoad } from "./fault-load.js";
import { type FaultFigures, FaultTester, faultKinds } from "./fault-tester.js";
import { LaneWatch } from "./lane-watch.js";
import { ToyHost } from "./toy-host.js";

/** How many faults. */
export interface FaultsSize {
  readonly faults: number;
}

export const faultsSizes: { readonly full: FaultsSize; readonly small: FaultsSize } = {
  full: { faults: 300 },
  small: { faults: 5 },
};

/** What all of them led to. */
export interface FaultsFigures {
  readonly faults: readonly FaultFigures[];
  /** Faults that killed no lane, or after which no other one took its place. */
  readonly unnoticed: number;
  /** Lanes that died, or were replaced, without a fault. */
  readonly wronglyReplaced: number;
  /** Times that the host said it was not ready while nothing was wrong. */
  readonly falseAlarms: number;
  readonly outcomes: Counts;
  /** How long the calls that outlived their deadline did so, in milliseconds. */
  readonly overrunsMs: readonly number[];
  readonly leftBehind: number;
  /** The exit code of the host in the end. */
  readonly exitCode: number | null;
}

const LANES = 2;
/** Well above the 600 ms that a healthy lane may be busy. */
const HANG_TIMEOUT_MS = 1_500;
const LANE_HEAP_MIB = 64;

const MOST_TOLD_MS = 250;
const MOST_CALLS_MS = 100;
const MOST_BACK_MS = 1_000;
const MOST_OVERRUN_MS = 100;

/** How a call may end here: answered, out of time, or with its lane. */
const known = ["OK", "DEADLINE_EXCEEDED", "LANE_DIED"];

/** Hurts one lane after the other of a host under load, each only when the host has its full capacity back. */
export async function runFaults(
  size: FaultsSize,
  { random, print }: ProofPorts,
): Promise<FaultsFigures> {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  using host = await ToyHost.start(
    {
      workerProcesses: LANES,
      callsPerLane: 4,
      minReadyLanes: LANES,
      hangTimeoutMs: HANG_TIMEOUT_MS,
      maxQueueLength: 1_000,
    },
    [`--max-old-space-size=${LANE_HEAP_MIB}`],
  );
  const load = new FaultLoad(host.port, random);
  const lanes = new LaneWatch(host, load);
  const ready = new ReadyWatch(host.port, pace.clock);
  const tester = new FaultTester({ count: LANES, load, lanes, ready, random });
  const kinds = [...faultKinds];
  for (let n = 0; n < size.faults; n++) {
    // Each kind as often as the others, in random order within its round.
    if (n % kinds.length === 0) shuffle(kinds, random);
    await tester.hurt(kinds[n % kinds.length] ?? "SIGKILL");
    if ((n + 1) % 10 === 0) print(`  ${n + 1} faults, ${load.outcomes}`);
  }
  await tester.healthy();
  const { lanes: loads } = await host.monitor();
  const replaced = loads.reduce((sum, lane) => sum + lane.restarts, 0);
  await load.stop();
  ready.stop();
  lanes.stop();
  const exitCode = await host.stop();
  const worstDelayMs = delay.max / 1e6;
  delay.disable();
  const figures = tester.figures;
  for (const kind of kinds) print(`  ${kind.padEnd(16)}${summary(figures, kind)}`);
  print(
    `  ${load.outcomes}; this process itself was late by ${worstDelayMs.toFixed(0)} ms at most`,
  );
  return {
    faults: figures,
    unnoticed: size.faults - figures.length,
    wronglyReplaced: Math.max(replaced, lanes.deaths.length) - figures.length,
    falseAlarms: tester.falseAlarms,
    outcomes: load.outcomes,
    overrunsMs: load.overrunsMs,
    leftBehind: [...lanes.seen].filter(isAlive).length,
    exitCode,
  };
}

function shuffle(list: string[], random: () => number): void {
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [list[last], list[other]] = [list[other] ?? "", list[last] ?? ""];
  }
}

function summary(figures: readonly FaultFigures[], kind: string): string {
  const own = figures.filter((figure) => figure.kind === kind);
  const of = (key: "diedAfterMs" | "toldMs" | "callsEndedMs" | "backMs"): string => {
    const values = own.map((figure) => worst(figure[key]));
    return `${median(values).toFixed(0)} (most ${Math.max(...values).toFixed(0)})`;
  };
  return (
    `${own.length} x, died after ${of("diedAfterMs")}, told ${of("toldMs")}, ` +
    `calls ended ${of("callsEndedMs")}, back ${of("backMs")} ms`
  );
}

function worst(ms: number | readonly number[]): number {
  return typeof ms === "number" ? ms : Math.max(0, ...ms);
}

/** What has to hold. */
export function faultsBars(f: FaultsFigures): readonly Bar[] {
  const total = f.faults.length + f.unnoticed;
  const of = (key: "toldMs" | "callsEndedMs" | "backMs"): readonly number[] =>
    f.faults.map((figure) => worst(figure[key]));
  return [
    atMostMs("lane's death until readiness tells", MOST_TOLD_MS, of("toldMs")),
    atMostMs("lane's death until its calls have ended", MOST_CALLS_MS, of("callsEndedMs")),
    atMostMs("lane's death until full capacity", MOST_BACK_MS, of("backMs")),
    atMostMs("calls outlive their deadline", MOST_OVERRUN_MS, f.overrunsMs),
    never("faults that were not made good", f.unnoticed, total),
    never("healthy lanes declared dead", f.wronglyReplaced),
    never("not ready without a fault", f.falseAlarms),
    never("calls without a known end", f.outcomes.beyond(known), f.outcomes.total),
    never("processes left behind", f.leftBehind),
    never("hosts that did not end with 0", f.exitCode === 0 ? 0 : 1),
  ];
}
