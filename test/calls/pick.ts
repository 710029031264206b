import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { balanceNames } from "../../src/balance/create-picker.js";
import { type Bar, barTable } from "../../src/cli/chaos/report.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { atMost, times } from "./bars.js";
import type { PickFigures } from "./programs/pick-child.js";

/** How often picks are measured, and how many at a time. */
export interface PickSettings {
  readonly rounds: number;
  readonly picks: number;
}

/** Settings of a whole run and of a quick one. */
export const pickSizes: Readonly<Record<"full" | "small", PickSettings>> = {
  full: { rounds: 15, picks: 200_000 },
  small: { rounds: 9, picks: 100_000 },
};

const child = fileURLToPath(new URL("programs/pick-child.ts", import.meta.url));

/** Measures one pick of every policy and of grpc-js's own, at 100 and 10,000 instances in turns. */
export async function runPick(
  { rounds, picks }: PickSettings,
  { print }: Pick<ProofPorts, "print">,
): Promise<readonly PickFigures[]> {
  const args = ["--expose-gc", "--import", "tsx", child, String(rounds), String(picks)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const figures: readonly PickFigures[] = JSON.parse(stdout);
  for (const { policy, instances, nanoseconds, bytes } of figures) {
    print(
      `  ${policy}, ${instances} instances: ${nanoseconds.toFixed(0)} ns, ${bytes.toFixed(2)} bytes`,
    );
  }
  return figures;
}

/** The bars of these figures; those of grpc-js are for comparison. */
export function pickBars(figures: readonly PickFigures[]): readonly Bar[] {
  const at = (policy: string, instances: number): PickFigures | undefined =>
    figures.find((one) => one.policy === policy && one.instances === instances);
  const nsAt = (policy: string, instances: number): number =>
    at(policy, instances)?.nanoseconds ?? Number.NaN;
  const theirs = (["round_robin", "weighted_round_robin"] as const)
    .map((name) => `${nsAt(`grpc-js ${name}`, 10_000).toFixed(0)} ns`)
    .join(" and ");
  return balanceNames.flatMap((name) => {
    const ratio = nsAt(name, 10_000) / nsAt(name, 100);
    return [
      {
        what: `${name}: a pick of 10,000 by one of 100`,
        bar: `at most ${times(4)}`,
        figure: `${times(ratio)} (${nsAt(name, 10_000).toFixed(0)} ns; grpc-js's own ${theirs})`,
        met: ratio <= 4,
      },
      atMost(
        `${name}: bytes allocated by a pick of 10,000`,
        0,
        at(name, 10_000)?.bytes ?? Number.NaN,
      ),
    ];
  });
}

if (process.argv[1] !== undefined && import.meta.filename === process.argv[1]) {
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  print(barTable(pickBars(await runPick(pickSizes.full, { print }))));
}
