import type { Bar } from "../../src/cli/chaos/report.js";
import type { PoolOptions } from "../../src/client/pool-options.js";
import { atMost, times } from "./bars.js";
import { WARM_MS } from "./outlier.js";
import { type Stretch, simulate, tenHalfBusy } from "./simulation.js";

/** How long. */
export interface SlowSize {
  readonly seconds: number;
}

export const slowSizes: Readonly<Record<"full" | "small", SlowSize>> = {
  full: { seconds: 60 },
  small: { seconds: 5 },
};

/** How a pool is set up, and whether that has to keep the slow one from being felt. */
const ways: Readonly<Record<string, { readonly pool: PoolOptions; readonly held: boolean }>> = {
  "peak-ewma": { pool: { balance: "peak-ewma" }, held: true },
  "weighted-round-robin, slowerThan 3": { pool: { ejection: { slowerThan: 3 } }, held: true },
  "weighted-round-robin": { pool: {}, held: false },
  "least-requests": { pool: { balance: "least-requests" }, held: false },
};

/** The same calls with all servers healthy, and with one that is ten times as slow. */
export interface SlowFigures {
  readonly way: string;
  readonly held: boolean;
  readonly healthy: Stretch;
  readonly slow: Stretch;
}

/** Has one of ten servers become ten times as slow, in virtual time. */
export async function runSlow({
  seconds,
  seed,
}: SlowSize & { readonly seed: number }): Promise<readonly SlowFigures[]> {
  const run = (pool: PoolOptions, factor: number) =>
    simulate({ ...tenHalfBusy, seed, pool }, async (simulation) => {
      await simulation.run(WARM_MS);
      const [first] = simulation.servers;
      if (first !== undefined) first.mode = { kind: "slow", factor };
      const stretch = simulation.stretch();
      await simulation.run(seconds * 1_000);
      await simulation.settle();
      return stretch;
    });
  const figures: SlowFigures[] = [];
  for (const [way, { pool, held }] of Object.entries(ways)) {
    figures.push({ way, held, healthy: await run(pool, 1), slow: await run(pool, 10) });
  }
  return figures;
}

/** What has to hold; the ways that promise nothing stand beside the others. */
export function slowBars(figures: readonly SlowFigures[]): readonly Bar[] {
  return figures.map(({ way, held, healthy, slow }) => {
    const shown = `${slow.p99Ms.toFixed(1)} ms, ${healthy.p99Ms.toFixed(1)} ms with all healthy`;
    const what = `one of ten is ten times as slow, ${way}: p99 (${shown})`;
    const ratio = slow.p99Ms / healthy.p99Ms;
    return held
      ? atMost(what, 1.5, ratio, times)
      : { what, bar: "none, to compare", figure: times(ratio), met: true };
  });
}
