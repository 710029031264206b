import type { Picker, Weighted } from "../../src/balance/picker.js";
import { createWeightedRoundRobin } from "../../src/balance/weighted-round-robin.js";
import { type Bar, barTable, never } from "../../src/cli/chaos/report.js";
import { seededRandom } from "../../src/core/seeded-random.js";
import {
  earliestDeadline,
  interleaved,
  smooth,
  staticStride,
} from "../fuzz/balance/other-schedulers.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { atLeast, atMost } from "./bars.js";
import { type LagFigures, LagWatch, noLags } from "./lag-watch.js";

/** How many picks of each kind are watched. */
export interface LagSettings {
  readonly picksPerKind: number;
}

/** Settings of a whole run and of a quick one. */
export const lagSizes: Readonly<Record<"full" | "small", LagSettings>> = {
  full: { picksPerKind: 2_000_000 },
  small: { picksPerKind: 30_000 },
};

/** What happens to a list between picks, besides coming again in another order. */
const kinds = [
  "a fresh start",
  "joins",
  "joins and leaves",
  "weights changed by a fifth",
  "weights changed a thousandfold",
  "exclusions",
  "a random phase",
] as const;

type Kind = (typeof kinds)[number];

/** What was seen, by what happened, and of other schedulers. */
export interface LagsSeen {
  readonly picksPerKind: number;
  readonly ours: ReadonlyMap<Kind, LagFigures>;
  readonly others: ReadonlyMap<string, LagFigures>;
}

const dominated = [100, ...new Array<number>(100).fill(1)];

const others = {
  "smooth (nginx)": [smooth, [36, 1, 36, 36, 1, 36, 1, 3, 36, 3, 3, 3, 1, 3, 1, 1, 1, 1]],
  "earliest deadline first (Envoy)": [earliestDeadline, dominated],
  "static stride (gRPC)": [staticStride, dominated],
  "interleaved (EAS)": [interleaved, dominated],
} as const;

/** Watches the lags of all instances over many picks while lists change; and of other schedulers, with the same watch. */
export async function runLag(
  { picksPerKind }: LagSettings,
  { random, print }: ProofPorts,
): Promise<LagsSeen> {
  const ours = new Map<Kind, LagFigures>();
  for (const kind of kinds) {
    const figures = noLags();
    while (figures.picks < picksPerKind) {
      new Scene(kind, figures, seededRandom(random() * 2 ** 32)).run();
    }
    ours.set(kind, figures);
    const { picks, changes, mostAhead, mostBehind } = figures;
    const worst =
      kind === "a random phase"
        ? ""
        : `, at most ${mostAhead.toFixed(6)} ahead and ${mostBehind.toFixed(6)} behind`;
    print(`  ${kind}: ${picks} picks, ${changes} lists${worst}`);
    // Else nobody would hear anything of a long run.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const seenOfOthers = new Map<string, LagFigures>();
  for (const [name, [scheduler, weights]] of Object.entries(others)) {
    const figures = noLags();
    watchOther(scheduler(weights), weights, figures);
    seenOfOthers.set(name, figures);
  }
  return { picksPerKind, ours, others: seenOfOthers };
}

function watchOther(next: () => number, weights: readonly number[], figures: LagFigures): void {
  const watch = new LagWatch(figures);
  watch.update(
    weights.map((weight, at) => ({ key: `k${at}`, weight })),
    false,
  );
  for (let count = 0; count < 10_000; count++) watch.picked(`k${next()}`);
  watch.end();
}

/** The bars of these figures. */
export function lagBars({ picksPerKind, ours, others: theirs }: LagsSeen): readonly Bar[] {
  const bars: Bar[] = [];
  let picks = 0;
  for (const [kind, figures] of ours) {
    picks += figures.picks;
    bars.push(never(`${kind}: picks of nobody, or of somebody excluded`, figures.wrong));
    if (kind === "a random phase") {
      // Where it starts is not known from outside.
      bars.push(never(`${kind}: stretches two picks off`, figures.windows, figures.changes));
      continue;
    }
    if (kind === "exclusions") {
      // All who may be picked can be ahead then, so one pick is not promised, less than two is.
      const most = Math.max(figures.mostAhead, figures.mostBehind);
      bars.push(atMost(`${kind}: most off`, 2, most, (lag) => lag.toFixed(3)));
      continue;
    }
    bars.push(never(`${kind}: a whole pick ahead`, figures.ahead, figures.picks));
    bars.push(never(`${kind}: a whole pick behind${afterwards(kind)}`, figures.behind));
  }
  const thousandfold = ours.get("weights changed a thousandfold")?.mostBehind ?? Number.NaN;
  bars.push(atMost("most behind, weights changed", 2, thousandfold, (lag) => lag.toFixed(3)));
  bars.push(atLeast("picks watched", ours.size * picksPerKind, picks));
  for (const [name, { ahead, behind, mostAhead, mostBehind }] of theirs) {
    const worst = Math.max(mostAhead, mostBehind).toFixed(1);
    bars.push({
      what: `the same watch on ${name}: a whole pick off`,
      bar: "seen",
      figure: `${ahead + behind} times, ${worst} at worst`,
      met: ahead + behind > 0,
    });
  }
  return bars;
}

function afterwards(kind: Kind): string {
  return graceOf(kind) ? ", a cycle of the lightest later" : "";
}

/** Whether instances may be a whole pick behind for a while after changes of this kind. */
function graceOf(kind: Kind): boolean {
  return kind.startsWith("weights");
}

/** One list and its changes, told to a picker and to the watch. */
class Scene {
  readonly #kind: Kind;
  readonly #random: () => number;
  readonly #watch: LagWatch;
  readonly #picker: Picker<Weighted>;
  #list: Weighted[] = [];
  #made = 0;

  constructor(kind: Kind, figures: LagFigures, random: () => number) {
    this.#kind = kind;
    this.#random = random;
    this.#watch = new LagWatch(figures);
    const phase = kind === "a random phase" ? "random" : "zero";
    this.#picker = createWeightedRoundRobin({ random, phase });
  }

  run(): void {
    const spread = [1, 3, 30, 1_000][this.#below(4)] ?? 1;
    const count = 1 + this.#below([3, 12, 60, 400][this.#below(4)] ?? 3);
    for (let n = 0; n < count; n++) this.#join(spread);
    const changes = this.#kind === "a fresh start" ? 1 : 40;
    for (let change = 0; change < changes; change++) {
      this.#tell();
      if (this.#kind === "exclusions") this.#pickWithExclusions();
      this.#pick(this.#below(this.#below(4) === 0 ? 3_000 : 300));
      this.#change(spread);
    }
    this.#watch.end();
  }

  #tell(): void {
    this.#picker.update(this.#shuffled());
    this.#watch.update(this.#list, graceOf(this.#kind));
  }

  #pick(count: number): void {
    for (let n = 0; n < count && this.#picker.size > 0; n++) {
      // The same list in another order, with other objects.
      if (this.#below(500) === 0) this.#picker.update(this.#shuffled());
      this.#watch.picked(this.#picker.pick()?.key);
    }
  }

  /** As of calls that are tried again elsewhere. */
  #pickWithExclusions(): void {
    for (let n = this.#below(200); n > 0; n--) {
      const tried = new Set<string>();
      const tries = Math.min(1 + this.#below(3), this.#list.length);
      for (let attempt = 0; attempt < tries; attempt++) {
        const picked = this.#picker.pick(tried);
        this.#watch.picked(picked?.key, tried);
        if (picked !== undefined) tried.add(picked.key);
      }
    }
  }

  #change(spread: number): void {
    const changes = 1 + this.#below(4);
    for (let n = 0; n < changes; n++) {
      if (this.#kind === "joins") this.#join(spread);
      else if (this.#kind === "joins and leaves" || this.#kind === "a random phase") {
        if (this.#below(2) === 0) this.#join(spread);
        else this.#list.splice(this.#below(this.#list.length), 1);
      } else if (this.#kind === "weights changed by a fifth") {
        this.#reweigh((weight) => weight * (0.8 + 0.4 * this.#random()));
      } else if (this.#kind === "weights changed a thousandfold") {
        this.#reweigh(() => 1_000 ** this.#random());
      }
    }
  }

  #join(spread: number): void {
    const weight = 1 + this.#below(spread);
    this.#list.push({ key: `k${this.#made}`, weight: this.#distinct(weight) });
  }

  #reweigh(change: (weight: number) => number): void {
    const at = this.#below(this.#list.length);
    const old = this.#list[at];
    if (old === undefined) return;
    const weight = Math.min(1_000, Math.max(1, change(old.weight)));
    this.#list[at] = { key: old.key, weight: this.#distinct(weight) };
  }

  /** Of two instances that are due at the same time the picker may let either forgive a debt, and the watch would not know which. */
  #distinct(weight: number): number {
    this.#made++;
    return this.#kind === "a fresh start" ? weight : weight * (1 + this.#made * 1e-6);
  }

  #shuffled(): Weighted[] {
    const list = this.#list.map((one) => ({ ...one }));
    for (let at = list.length - 1; at > 0; at--) {
      const other = this.#below(at + 1);
      const [a, b] = [list[at], list[other]];
      if (a === undefined || b === undefined) continue;
      list[at] = b;
      list[other] = a;
    }
    return list;
  }

  #below(end: number): number {
    return Math.floor(this.#random() * end);
  }
}

if (process.argv[1] !== undefined && import.meta.filename === process.argv[1]) {
  const seed = Number(process.argv[2] ?? 1);
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const seen = await runLag(lagSizes.full, { random: seededRandom(seed), print });
  print(barTable(lagBars(seen)));
}
