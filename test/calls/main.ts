/**
 * `npm run calls -- [lag pick herd outlier storm slow blackhole deadline chain opening cost leak] [--small] [--seed N]`: what a
 * call does when there are very many instances, or when they are slow, mute, dead or hostile; see `runProofs`.
 */
import type { ProofPorts } from "../support/proof-ports.js";
import { type Proof, runProofs } from "../support/run-proofs.js";
import { blackholeBars, blackholeSizes, runBlackhole } from "./blackhole.js";
import { chainBars, chainSizes, runChain } from "./chain.js";
import { costBars, costSizes, runCost } from "./cost.js";
import { deadlineBars, deadlineSizes, runDeadline } from "./deadline.js";
import { herdBars, herdSizes, runHerd } from "./herd.js";
import { lagBars, lagSizes, runLag } from "./lag.js";
import { leakBars, leakSizes, runLeak } from "./leak.js";
import { openingBars, openingSizes, runOpening } from "./opening.js";
import { outlierBars, outlierSizes, runOutlier } from "./outlier.js";
import { pickBars, pickSizes, runPick } from "./pick.js";
import { runSlow, slowBars, slowSizes } from "./slow.js";
import { runStorm, stormBars, stormSizes } from "./storm.js";

const seedFrom = ({ random }: ProofPorts): number => Math.floor(random() * 1_000_000);

const proofs = {
  lag: async (size, ports) => lagBars(await runLag(lagSizes[size], ports)),
  pick: async (size, ports) => pickBars(await runPick(pickSizes[size], ports)),
  herd: async (size, ports) => herdBars(await runHerd(herdSizes[size], ports)),
  outlier: async (size, ports) =>
    outlierBars(await runOutlier({ ...outlierSizes[size], seed: seedFrom(ports) })),
  storm: async (size, ports) =>
    stormBars(await runStorm({ ...stormSizes[size], seed: seedFrom(ports) })),
  slow: async (size, ports) =>
    slowBars(await runSlow({ ...slowSizes[size], seed: seedFrom(ports) })),
  blackhole: async (size, ports) => blackholeBars(await runBlackhole(blackholeSizes[size], ports)),
  deadline: async (size, ports) => deadlineBars(await runDeadline(deadlineSizes[size], ports)),
  chain: async (size, ports) => chainBars(await runChain(chainSizes[size], ports)),
  opening: async (size, ports) => openingBars(await runOpening(openingSizes[size], ports)),
  cost: async (size, ports) => costBars(await runCost(costSizes[size], ports)),
  leak: async (size, ports) => leakBars(await runLeak(leakSizes[size], ports)),
} satisfies Readonly<Record<string, Proof>>;

await runProofs(proofs, process.argv.slice(2));
