import { loadavg } from "node:os";
import { type Bar, barTable } from "../../src/cli/chaos/report.js";
import { seededRandom } from "../../src/core/seeded-random.js";
import { percent } from "./percent.js";
import type { ProofPorts } from "./proof-ports.js";
import { waitedForCoreUs } from "./waited-for-core.js";

/** How much of it: all, or as much as shows that it works. */
export type ProofSize = "full" | "small";

/** Does something long, and gives what has to hold beside what was seen. */
export type Proof = (size: ProofSize, ports: ProofPorts) => Promise<readonly Bar[]>;

interface Asked {
  readonly names: readonly string[];
  readonly size: ProofSize;
  readonly seed: number;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function refuse(why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(2);
}

function askedFor(words: readonly string[], known: readonly string[]): Asked {
  const names: string[] = [];
  let size: ProofSize = "full";
  let seed = Date.now() % 1_000_000;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "--small") size = "small";
    else if (word === "--seed") seed = Number(words[++at]);
    else if (known.includes(word)) names.push(word);
    else refuse(`no proof ${word}; known: ${known.join(", ")}`);
  }
  if (!Number.isInteger(seed)) refuse("--seed takes an integer");
  return { names: names.length > 0 ? names : known, size, seed };
}

/**
 * Runs the proofs that are named, or all, one after the other; ends with a table of bars and figures, and with 1 when a bar is
 * missed. Linux only: it reads `/proc`.
 *
 * @param words - `[NAME...] [--small] [--seed N]`
 */
export async function runProofs(
  proofs: Readonly<Record<string, Proof>>,
  words: readonly string[],
): Promise<void> {
  const { names, size, seed } = askedFor(words, Object.keys(proofs));
  print(
    `Node ${process.version}, ${process.platform} ${process.arch}, seed ${seed}, load ${loadavg()[0]?.toFixed(1)}`,
  );
  const bars: Bar[] = [];
  for (const name of names) {
    const started = performance.now();
    const waitedBefore = waitedForCoreUs();
    print(`\n${name}`);
    const held = (await proofs[name]?.(size, { random: seededRandom(seed), print })) ?? [];
    bars.push(...held.map((bar) => ({ ...bar, what: `${name}, ${bar.what}` })));
    const ms = performance.now() - started;
    const waited = (waitedForCoreUs() - waitedBefore) / 1_000 / ms;
    print(
      `  ${(ms / 1_000).toFixed(0)} s; somebody waited for a core for ${percent(waited)} of it`,
    );
  }
  print(`\n${barTable(bars)}\n`);
  const missed = bars.filter((bar) => !bar.met).length;
  print(`${bars.length - missed} bars met, ${missed} missed`);
  process.exitCode = missed === 0 ? 0 : 1;
}
