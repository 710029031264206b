import type { Bar } from "../../src/cli/chaos/report.js";

/** How a figure is shown; as it is unless told otherwise. */
type Show = (value: number) => string;

/** A figure that must not be above a bar; one that is no number was never seen, and misses it. */
export function atMost(what: string, most: number, seen: number, show: Show = String): Bar {
  return { what, bar: `at most ${show(most)}`, figure: figureOf(seen, show), met: seen <= most };
}

/** A figure that must not be below a bar; one that is no number was never seen, and misses it. */
export function atLeast(what: string, least: number, seen: number, show: Show = String): Bar {
  return { what, bar: `at least ${show(least)}`, figure: figureOf(seen, show), met: seen >= least };
}

/** `1.15 x`: how a ratio is shown. */
export function times(ratio: number): string {
  return `${ratio.toFixed(2)} x`;
}

function figureOf(seen: number, show: Show): string {
  return Number.isNaN(seen) ? "none seen" : show(seen);
}
