import { createWeightedRoundRobin } from "../../src/balance/weighted-round-robin.js";

interface BenchInstance {
  readonly key: string;
  readonly weight: number;
}

const sizes = [10, 100, 1_000, 10_000] as const;
const rounds = 9;
const picksPerRound = 400_000;

/** A small seeded generator (mulberry32), so that every run measures the same weights. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function instancesOf(count: number, random: () => number): BenchInstance[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `10.0.${index >> 8}.${index & 255}:8080`,
    weight: 50 + Math.floor(random() * 101),
  }));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function nanosecondsPer(repeats: number, body: () => void): number {
  const start = process.hrtime.bigint();
  body();
  return Number(process.hrtime.bigint() - start) / repeats;
}

/**
 * Measures one pick of weighted round robin at 10 to 10,000 instances, and an update that changes ten of 10,000.
 *
 * Sizes alternate within a round, so that a busy moment of the machine hits all of them; medians over the rounds.
 */
export async function benchPick(print: (line: string) => void): Promise<void> {
  const cases = sizes.map((size) => {
    const random = seeded(size);
    const picker = createWeightedRoundRobin<BenchInstance>({ random });
    picker.update(instancesOf(size, random));
    const pickMany = (): void => {
      for (let count = 0; count < picksPerRound; count++) picker.pick();
    };
    return { size, pickMany, samples: [] as number[] };
  });
  for (const { pickMany } of cases) pickMany();
  for (let round = 0; round < rounds; round++) {
    for (const { pickMany, samples } of cases)
      samples.push(nanosecondsPer(picksPerRound, pickMany));
  }
  const medians = new Map(cases.map(({ size, samples }) => [size, median(samples)]));
  for (const [size, nanoseconds] of medians) {
    print(`pick, ${size} instances: ${nanoseconds.toFixed(0)} ns (median of ${rounds})`);
  }
  const ratio = (medians.get(10_000) ?? Number.NaN) / (medians.get(100) ?? Number.NaN);
  print(`pick, 10000 instances : 100 instances = ${ratio.toFixed(2)} (at most 3)`);
  benchUpdate(print);
  reportAllocation(print);
}

function benchUpdate(print: (line: string) => void): void {
  const random = seeded(7);
  const picker = createWeightedRoundRobin<BenchInstance>({ random });
  let list = instancesOf(10_000, random);
  picker.update(list);
  const samples: number[] = [];
  for (let round = 0; round < 60; round++) {
    for (let count = 0; count < 1_000; count++) picker.pick();
    const changed = Math.floor(random() * 990);
    list = list.map(({ key, weight }, index) => ({
      key,
      weight: index % 1_000 === changed ? 50 + Math.floor(random() * 101) : weight,
    }));
    samples.push(nanosecondsPer(1_000, () => picker.update(list)));
  }
  print(`update, 10 of 10000 instances reweighed: ${median(samples.slice(10)).toFixed(0)} µs`);
}

/**
 * Only with `--expose-gc`; otherwise garbage of others would be counted. The median of several stretches leaves out
 * those in which the engine compiled anew.
 */
function reportAllocation(print: (line: string) => void): void {
  const collect = globalThis.gc;
  if (collect === undefined) return;
  const random = seeded(11);
  const picker = createWeightedRoundRobin<BenchInstance>({ random });
  picker.update(instancesOf(10_000, random));
  const samples: number[] = [];
  for (let round = 0; round < 2 * rounds; round++) {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < picksPerRound; count++) picker.pick();
    samples.push((process.memoryUsage().heapUsed - before) / picksPerRound);
  }
  print(`pick, 10000 instances: ${median(samples).toFixed(3)} bytes allocated`);
}

if (process.argv[1] !== undefined && import.meta.filename === process.argv[1]) {
  await benchPick((line) => console.log(line));
}
