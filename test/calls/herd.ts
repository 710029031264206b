import { balanceNames, createPicker } from "../../src/balance/create-picker.js";
import type { Weighted } from "../../src/balance/picker.js";
import { type Bar, barTable } from "../../src/cli/chaos/report.js";
import { InstancePool } from "../../src/client/pool/instance-pool.js";
import { type Instance, instanceOf } from "../../src/core/instance.js";
import { silentLogger } from "../../src/core/ports.js";
import { seededRandom } from "../../src/core/seeded-random.js";
import { endOf, FakeTransports } from "../support/client-fake-transport.js";
import { createFakeClock } from "../support/fake-clock.js";
import { defaultPoolPolicy } from "../support/pool-policy.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { atMost, times } from "./bars.js";

/** How many clients start at the same time. */
export interface HerdSettings {
  readonly clients: number;
}

/** Settings of a whole run and of a quick one: the same, since of fewer clients the worst is further off by chance alone. */
export const herdSizes: Readonly<Record<"full" | "small", HerdSettings>> = {
  full: { clients: 2_000 },
  small: { clients: 2_000 },
};

/** How the load of first calls is spread. */
export interface HerdFigures {
  readonly what: string;
  /** Load by fair load of the instance where that is largest, of those with a share of 1 % or more. */
  readonly worst: number;
  readonly clients: number;
}

const instances = 50;
const firstCalls = 3;

const lists = {
  "equal weights": (): number => 100,
  "mixed weights": (_at: number, random: () => number): number => 50 + Math.floor(random() * 101),
  "weights of 1, 4 and 10": (at: number): number => [1, 4, 10][at % 3] ?? 1,
} as const;

/** Lets fresh clients make their first calls, and counts which instances they go to. */
export async function runHerd(
  { clients }: HerdSettings,
  { random, print }: ProofPorts,
): Promise<readonly HerdFigures[]> {
  const figures: HerdFigures[] = [];
  for (const [list, weightOf] of Object.entries(lists)) {
    const listed = Array.from({ length: instances }, (_, at) =>
      instanceOf({ host: `10.0.0.${at}`, port: 8080, weight: weightOf(at, random) }),
    );
    for (const name of balanceNames) {
      figures.push({
        what: `${name}, ${list}`,
        worst: worstOf(listed, clients, () =>
          callsOfPicker(createPicker<Weighted>(name, portsOf(random)), listed),
        ),
        clients,
      });
    }
    figures.push({
      what: `a pool, ${list}`,
      worst: worstOf(listed, clients, () => callsOfPool(listed, random)),
      clients,
    });
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const { what, worst, clients: count } of figures) {
    print(`  ${what}: the worst of ${instances} at ${times(worst)} fair (${count} clients)`);
  }
  return figures;
}

function portsOf(random: () => number): { random: () => number; now: () => number } {
  const seed = Math.floor(random() * 2 ** 32);
  return { random: seededRandom(seed), now: () => 0 };
}

function worstOf(
  listed: readonly Instance[],
  clients: number,
  callsOfClient: () => readonly (string | undefined)[],
): number {
  const calls = new Map<string, number>();
  for (let client = 0; client < clients; client++) {
    for (const key of callsOfClient()) calls.set(key ?? "", (calls.get(key ?? "") ?? 0) + 1);
  }
  const total = listed.reduce((sum, { weight }) => sum + weight, 0);
  const loads = listed
    .filter(({ weight }) => weight / total >= 0.01)
    .map(({ key, weight }) => (calls.get(key) ?? 0) / ((clients * firstCalls * weight) / total));
  return Math.max(...loads);
}

function callsOfPicker(
  picker: ReturnType<typeof createPicker<Weighted>>,
  listed: readonly Weighted[],
): (string | undefined)[] {
  picker.update(listed);
  return Array.from({ length: firstCalls }, () => {
    const picked = picker.pick();
    if (picked !== undefined) picker.ended(picked, { ok: true, durationMs: 5 });
    return picked?.key;
  });
}

function callsOfPool(listed: readonly Instance[], random: () => number): (string | undefined)[] {
  const transports = new FakeTransports();
  transports.readyAtOnce = true;
  const pool = new InstancePool({
    policy: defaultPoolPolicy,
    onEjected() {},
    createTransport: transports.create,
    clock: createFakeClock(),
    logger: silentLogger,
    random: portsOf(random).random,
  });
  pool.update(listed);
  const keys = Array.from({ length: firstCalls }, () => {
    const member = pool.pick();
    if (member !== undefined) pool.ended(member, endOf(undefined), 5);
    return member?.key;
  });
  pool.close();
  return keys;
}

/** The bars of these figures. */
export function herdBars(figures: readonly HerdFigures[]): readonly Bar[] {
  return figures.map(({ what, worst, clients }) =>
    atMost(`${what}: worst by fair, first calls of ${clients} clients`, 1.5, worst, times),
  );
}

if (process.argv[1] !== undefined && import.meta.filename === process.argv[1]) {
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const seen = await runHerd(herdSizes.full, { random: seededRandom(1), print });
  print(barTable(herdBars(seen)));
}
