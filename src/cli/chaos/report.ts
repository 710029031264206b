import { median } from "../median.js";
import { textTable } from "../text-table.js";

/** One thing that has to hold, and what was seen. */
export interface Bar {
  /** What is measured. */
  readonly what: string;
  readonly bar: string;
  readonly figure: string;
  readonly met: boolean;
  /** True where nothing was there to be measured: no fault that could have shown it was tried. */
  readonly untried?: boolean;
}

/** `1.25 MiB`. */
export function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}

/** A figure in milliseconds that must not be above a bar. */
export function atMostMs(what: string, mostMs: number, values: readonly number[]): Bar {
  const bar = `at most ${mostMs} ms`;
  if (values.length === 0) return { what, bar, figure: "none seen", met: true, untried: true };
  const worst = Math.max(...values);
  const above = values.filter((ms) => ms > mostMs).length;
  const rest = above === 0 ? "" : `, ${above} of ${values.length} above`;
  const figure = `${worst.toFixed(0)} ms (median ${median(values).toFixed(0)}${rest})`;
  return { what, bar, figure, met: worst <= mostMs };
}

/** Something that must not happen. */
export function never(what: string, seen: number, outOf?: number): Bar {
  const figure = outOf === undefined ? String(seen) : `${seen} of ${outOf}`;
  return { what, bar: "0", figure, met: seen === 0 };
}

/** The table of all bars. */
export function barTable(bars: readonly Bar[]): string {
  const rows = bars.map((row) => [row.what, row.bar, row.figure, verdict(row)]);
  return textTable([["", "bar", "figure", ""], ...rows]).join("\n");
}

function verdict({ met, untried = false }: Bar): string {
  if (untried) return "not tried";
  return met ? "met" : "MISSED";
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
