/**
 * Measures picks in a process of its own, with `--expose-gc`: told `ROUNDS PICKS` it prints a line of JSON with the nanoseconds
 * and the bytes of one pick, of every policy and size. All take turns, so that a busy moment of the machine hits all of them.
 */
import { balanceNames, createPicker } from "../../../src/balance/create-picker.js";
import type { Weighted } from "../../../src/balance/picker.js";
import { systemClock } from "../../../src/core/ports.js";
import { seededRandom } from "../../../src/core/seeded-random.js";
import { grpcPickers } from "./grpc-pickers.js";

/** What one pick costs. */
export interface PickFigures {
  readonly policy: string;
  readonly instances: number;
  /** Of CPU, in the fastest round: what others do on the machine can only add to it. */
  readonly nanoseconds: number;
  /** In the round with the fewest: what every pick allocates is seen in all of them, what the engine does for itself is not. */
  readonly bytes: number;
}

interface Measured {
  readonly policy: string;
  readonly instances: number;
  readonly pick: () => void;
  readonly nanoseconds: number[];
  readonly bytes: number[];
}

/** Rounds before those that count, in which the engine compiles. */
const warmUp = 5;

/** What looking costs: the object that `memoryUsage` gives, and the like. */
const lookBytes = 1_024;

const [rounds = 0, picks = 0] = process.argv.slice(2).map(Number);

function measuredOf(instances: number): Measured[] {
  const random = seededRandom(instances);
  const list: Weighted[] = Array.from({ length: instances }, (_, at) => ({
    key: `10.0.${at >> 8}.${at & 255}:8080`,
    weight: 50 + Math.floor(random() * 101),
  }));
  const ways: [string, () => void][] = balanceNames.map((name) => {
    const picker = createPicker<Weighted>(name, { random, now: systemClock.now });
    picker.update(list);
    return [name, () => void picker.pick()];
  });
  for (const [name, pick] of Object.entries(grpcPickers(list.map(({ weight }) => weight)))) {
    ways.push([`grpc-js ${name}`, pick]);
  }
  return ways.map(([policy, pick]) => ({ policy, instances, pick, nanoseconds: [], bytes: [] }));
}

function measure({ pick, nanoseconds, bytes }: Measured): void {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const start = process.cpuUsage();
  for (let count = 0; count < picks; count++) pick();
  const { user, system } = process.cpuUsage(start);
  nanoseconds.push(((user + system) * 1_000) / picks);
  const used = process.memoryUsage().heapUsed - before;
  bytes.push(Math.max(0, used - lookBytes) / picks);
}

if (globalThis.gc === undefined) throw new Error("needs --expose-gc");
const all = [100, 10_000].flatMap(measuredOf);
for (let round = 0; round < warmUp + rounds; round++) for (const one of all) measure(one);
const figures = all.map(
  ({ policy, instances, nanoseconds, bytes }): PickFigures => ({
    policy,
    instances,
    nanoseconds: Math.min(...nanoseconds.slice(warmUp)),
    bytes: Math.min(...bytes.slice(warmUp)),
  }),
);
process.stdout.write(`${JSON.stringify(figures)}\n`);
