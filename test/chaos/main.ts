/**
 * `npm run chaos -- [faults restarts overload deadlines leak predicts] [--small] [--seed N]`: all proofs, or those that are named,
 * one after the other; ends with a table of bars and figures, and with 1 when a bar is missed. Linux only: it reads
 * `/proc`.
 */
import { loadavg } from "node:os";
import { type Bar, barTable } from "../../src/cli/chaos/report.js";
import { seededRandom } from "../../src/core/seeded-random.js";
import type { ChaosPorts } from "./chaos-ports.js";
import { deadlinesBars, deadlinesSizes, runDeadlines } from "./deadlines.js";
import { faultsBars, faultsSizes, runFaults } from "./faults.js";
import { leakBars, leakSizes, runLeak } from "./leak.js";
import { overloadBars, overloadSizes, runOverload } from "./overload.js";
import { percent } from "./percent.js";
import { predictsBars, predictsSizes, runPredicts } from "./predicts.js";
import { restartsBars, restartsSizes, runRestarts } from "./restarts.js";
import { waitedForCoreUs } from "./waited-for-core.js";

type Size = "full" | "small";
type Proof = (size: Size, ports: ChaosPorts) => Promise<readonly Bar[]>;

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

const isProof = (name: string): name is keyof typeof proofs => Object.hasOwn(proofs, name);

interface Asked {
  readonly names: readonly (keyof typeof proofs)[];
  readonly size: Size;
  readonly seed: number;
}

function refuse(why: string): never {
  console.error(why);
  process.exit(2);
}

function askedFor(words: readonly string[]): Asked {
  const names: (keyof typeof proofs)[] = [];
  let size: Size = "full";
  let seed = Date.now() % 1_000_000;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "--small") size = "small";
    else if (word === "--seed") seed = Number(words[++at]);
    else if (isProof(word)) names.push(word);
    else refuse(`no proof ${word}; known: ${Object.keys(proofs).join(", ")}`);
  }
  if (!Number.isInteger(seed)) refuse("--seed takes an integer");
  return { names: names.length > 0 ? names : Object.keys(proofs).filter(isProof), size, seed };
}

const { names, size, seed } = askedFor(process.argv.slice(2));
console.log(
  `Node ${process.version}, ${process.platform} ${process.arch}, seed ${seed}, load ${loadavg()[0]?.toFixed(1)}`,
);
const bars: Bar[] = [];
for (const name of names) {
  const started = performance.now();
  const waitedBefore = waitedForCoreUs();
  console.log(`\n${name}`);
  const ports = { random: seededRandom(seed), print: (line: string) => console.log(line) };
  const held = await proofs[name](size, ports);
  bars.push(...held.map((bar) => ({ ...bar, what: `${name}, ${bar.what}` })));
  const ms = performance.now() - started;
  const waited = (waitedForCoreUs() - waitedBefore) / 1_000 / ms;
  console.log(
    `  ${(ms / 1_000).toFixed(0)} s; somebody waited for a core for ${percent(waited)} of it`,
  );
}
console.log(`\n${barTable(bars)}\n`);
const missed = bars.filter((bar) => !bar.met).length;
console.log(`${bars.length - missed} bars met, ${missed} missed`);
process.exitCode = missed === 0 ? 0 : 1;
