/**
 * `npm run chaos -- [faults restarts overload deadlines leak predicts] [--small] [--seed N]`: what a host and its lanes hold under
 * faults and load; see `runProofs`.
 */
import type { Bar } from "../../src/cli/chaos/report.js";
import { type Proof, runProofs } from "../support/run-proofs.js";
import { deadlinesBars, deadlinesSizes, runDeadlines } from "./deadlines.js";
import { faultsBars, faultsSizes, runFaults } from "./faults.js";
import { leakBars, leakSizes, runLeak } from "./leak.js";
import { overloadBars, overloadSizes, runOverload } from "./overload.js";
import { predictsBars, predictsSizes, runPredicts } from "./predicts.js";
import { restartsBars, restartsSizes, runRestarts } from "./restarts.js";

const lanes = ["inline", "process"] as const;

async function inLanes(
  prove: (lane: (typeof lanes)[number]) => Promise<readonly Bar[]>,
): Promise<readonly Bar[]> {
  const bars: Bar[] = [];
  for (const lane of lanes) bars.push(...(await prove(lane)));
  return bars;
}

const proofs = {
  faults: async (size, ports) => faultsBars(await runFaults(faultsSizes[size], ports)),
  restarts: async (size, ports) => restartsBars(await runRestarts(restartsSizes[size], ports)),
  overload: (size, ports) =>
    inLanes(async (lane) => overloadBars(await runOverload(lane, overloadSizes[size], ports))),
  deadlines: (size, ports) =>
    inLanes(async (lane) => deadlinesBars(await runDeadlines(lane, deadlinesSizes[size], ports))),
  leak: (size, ports) =>
    inLanes(async (lane) => leakBars(await runLeak(lane, leakSizes[size][lane], ports))),
  predicts: async (size, ports) => predictsBars(await runPredicts(predictsSizes[size], ports)),
} satisfies Readonly<Record<string, Proof>>;

await runProofs(proofs, process.argv.slice(2));
