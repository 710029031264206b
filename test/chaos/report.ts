import { median } from "../support/figures.js";

/** One thing that has to hold, and what was seen. */
export interface Bar {
  /** What is measured. */
  readonly what: string;
  readonly bar: string;
  readonly figure: string;
  readonly met: boolean;
}

/** What every scenario works with. */
export interface ChaosPorts {
  /** Seeded: the same run again for the same seed, as far as processes allow it. */
  readonly random: () => number;
  readonly print: (line: string) => void;
}

/** `1.25 MiB`. */
export function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}

/** `99.93 %`. */
export function percent(part: number): string {
  return `${(part * 100).toFixed(2)} %`;
}

/** A figure in milliseconds that must not be above a bar. */
export function atMostMs(what: string, mostMs: number, values: readonly number[]): Bar {
  const worst = values.length === 0 ? 0 : Math.max(...values);
  const above = values.filter((ms) => ms > mostMs).length;
  const rest = above === 0 ? "" : `, ${above} of ${values.length} above`;
  const figure =
    values.length === 0
      ? "none seen"
      : `${worst.toFixed(0)} ms (median ${median(values).toFixed(0)}${rest})`;
  return { what, bar: `at most ${mostMs} ms`, figure, met: worst <= mostMs };
}

/** Something that must not happen. */
export function never(what: string, seen: number, outOf?: number): Bar {
  const figure = outOf === undefined ? String(seen) : `${seen} of ${outOf}`;
  return { what, bar: "0", figure, met: seen === 0 };
}

/** The table of all bars. */
export function barTable(bars: readonly Bar[]): string {
  const head = { what: "", bar: "bar", figure: "figure" };
  const width = (of: "what" | "bar" | "figure"): number =>
    Math.max(...[head, ...bars].map((row) => row[of].length));
  const [whats, barsWide, figures] = [width("what"), width("bar"), width("figure")];
  const row = (what: string, bar: string, figure: string, met: string): string =>
    `${what.padEnd(whats)}  ${bar.padEnd(barsWide)}  ${figure.padEnd(figures)}  ${met}`.trimEnd();
  const lines = bars.map((b) => row(b.what, b.bar, b.figure, b.met ? "met" : "MISSED"));
  return [row("", head.bar, head.figure, ""), ...lines].join("\n");
}

/** Counts by name. */
export class Counts {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, this.of(name) + 1);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, n) => sum + n, 0);
  }

  /** How often something else was counted than these. */
  beyond(names: readonly string[]): number {
    return this.total - names.reduce((sum, name) => sum + this.of(name), 0);
  }

  /** `OK 310, LANE_DIED 4`, most frequent first. */
  toString(): string {
    const sorted = [...this.#counts].sort((a, b) => b[1] - a[1]);
    return sorted.map(([name, n]) => `${name} ${n}`).join(", ");
  }
}
