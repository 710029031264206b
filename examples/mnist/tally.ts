/** One phase of the run: which instance answered how many calls. */
export interface Phase {
  readonly title: string;
  /** Weight of each instance that should have answered, by name; none while instances come and go. */
  readonly weights: Readonly<Record<string, number>> | undefined;
  readonly calls: Map<string, number>;
}

/** Calls of a phase that have been answered. */
export function callsOf(phase: Phase): number {
  return [...phase.calls.values()].reduce((sum, n) => sum + n, 0);
}

/** Everything that is counted over a run. */
export class Tally {
  readonly phases: Phase[] = [];
  readonly #latenciesMs: number[] = [];
  right = 0;
  failed = 0;
  retried = 0;

  /** Begins a phase; calls that start from now on belong to it. */
  begin(title: string, weights?: Readonly<Record<string, number>>): Phase {
    const phase: Phase = { title, weights, calls: new Map() };
    this.phases.push(phase);
    return phase;
  }

  answered(phase: Phase, instance: string, right: boolean, latencyMs: number): void {
    phase.calls.set(instance, (phase.calls.get(instance) ?? 0) + 1);
    this.#latenciesMs.push(latencyMs);
    if (right) this.right++;
  }

  get total(): number {
    return this.#latenciesMs.length;
  }

  get accuracy(): number {
    return this.right / this.total;
  }

  /** The latency that this part of the calls stays below, in milliseconds. */
  quantile(q: number): number {
    const sorted = this.#latenciesMs.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
  }
}

/** Share of one instance in a phase, and what it should be; both 0 to 1. */
export interface Share {
  readonly instance: string;
  readonly share: number;
  readonly ideal: number | undefined;
}

/** Shares of every instance in a phase, those that should have none included. */
export function sharesOf(phase: Phase, instances: readonly string[]): readonly Share[] {
  const calls = callsOf(phase);
  const { weights } = phase;
  const sum = Object.values(weights ?? {}).reduce((total, weight) => total + weight, 0);
  return instances.map((instance) => ({
    instance,
    share: (phase.calls.get(instance) ?? 0) / calls,
    ideal: weights === undefined ? undefined : (weights[instance] ?? 0) / sum,
  }));
}

/** The largest difference between a share and its ideal over all phases. */
export function worstError(tally: Tally, instances: readonly string[]): number {
  const shares = tally.phases.flatMap((phase) => sharesOf(phase, instances));
  return Math.max(...shares.map(({ share, ideal }) => Math.abs(share - (ideal ?? share))));
}

const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;

function cell({ share, ideal }: Share): string {
  const wanted = ideal === undefined ? "" : ` (${percent(ideal)})`;
  return (percent(share).padStart(7) + wanted).padEnd(20);
}

/** The table of shares: seen, and ideal in brackets. */
export function shareTable(tally: Tally, instances: readonly string[]): string {
  const head = ["calls by".padEnd(26), ...instances.map((name) => `  ${name}`.padEnd(20))].join("");
  const rows = tally.phases.map((phase) => {
    const cells = sharesOf(phase, instances).map(cell);
    return `${phase.title.padEnd(16)}${String(callsOf(phase)).padStart(5)}     ${cells.join("")}`;
  });
  return [head, ...rows].map((row) => row.trimEnd()).join("\n");
}
