import { exitCodes } from "../exit-code.js";
import type { CallFigures } from "./call-judge.js";
import { atMostMs, type Bar, mib, never } from "./report.js";
import type { ChaosLimits, HostFigures } from "./run.js";

/** A bar, and who has to answer for it. */
export interface JudgedBar extends Bar {
  readonly owner: "processor" | "host";
}

/** How resident memory went while nothing was done to the host, in bytes. */
export interface MemoryFigures {
  readonly lanes: readonly [before: number, after: number];
  readonly host: readonly [before: number, after: number];
  readonly calls: number;
}

const MOST_OVERRUN_MS = 1_000;
const MOST_TOLD_MS = 1_000;
/** Below this, growth is what a heap does that nobody has collected. */
const LEAST_GROWTH_BYTES = 64 * 2 ** 20;
const MOST_GROWTH = 0.5;

/** What has to hold of calls that were made before anything was done to the host. */
export function calmBars(failed: number, calls: number, seen: string): readonly JudgedBar[] {
  const bar = never("calls that failed before any fault", failed, calls);
  return [processorBar(withText(bar, seen))];
}

/** What has to hold of the memory of lanes and host. */
export function memoryBars({ lanes, host, calls }: MemoryFigures): readonly JudgedBar[] {
  return [
    processorBar(growthBar(`growth of the lanes' memory over ${calls} calls`, lanes)),
    hostBar(growthBar(`growth of the host's memory over ${calls} calls`, host)),
  ];
}

/** What has to hold of calls and host while things were done to it. */
export function runBars(
  calls: CallFigures,
  host: HostFigures,
  limits: Pick<ChaosLimits, "backMs">,
): readonly JudgedBar[] {
  const { total } = calls.outcomes;
  const failed = calls.processorFaults;
  const unknown = calls.hostFaults;
  return [
    processorBar(
      withText(never("calls that the processor failed", failed.total, total), String(failed)),
    ),
    processorBar(
      calls.reference === undefined
        ? {
            what: "answers as before the faults",
            bar: "skipped: answers differ without faults",
            figure: "-",
            met: true,
          }
        : never("answers unlike those before the faults", calls.different, calls.compared),
    ),
    processorBar(never("lanes that ended without a fault", host.lanesLost)),
    hostBar(withText(never("calls without a known end", unknown.total, total), String(unknown))),
    hostBar(atMostMs("calls past their deadline, by", MOST_OVERRUN_MS, calls.overrunsMs)),
    hostBar(atMostMs("readyz told of a lost lane after", MOST_TOLD_MS, host.toldMs)),
    hostBar(never("times not ready without a fault", host.falseAlarms)),
    hostBar(never("hurt lanes that were not replaced", host.notReplaced)),
    hostBar(atMostMs("all lanes back after", limits.backMs, host.backMs)),
    hostBar(withText(never("times that it did not recover", host.notBack), host.notBackText)),
    hostBar(never("broken requests that were answered", host.taken)),
    hostBar(never("stops with an exit code other than 0", host.badExits, host.stops)),
    hostBar(never("processes left after a stop", host.leftBehind)),
  ];
}

/** What has to hold of the time that it all took. */
export function timeBars(tookMs: number, limitMs: number, doing: string): readonly JudgedBar[] {
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(0)} s`;
  const met = tookMs < limitMs;
  const figure = met ? seconds(tookMs) : `ended in ${doing}`;
  return [
    hostBar({ what: "time of the whole run", bar: `at most ${seconds(limitMs)}`, figure, met }),
  ];
}

/** The exit code of a run: 0, or that of a processor, else of a host, that missed a bar. */
export function exitCodeFor(bars: readonly JudgedBar[]): number {
  const missed = bars.filter(({ met }) => !met);
  if (missed.length === 0) return 0;
  return missed.some(({ owner }) => owner === "processor") ? exitCodes.processor : exitCodes.host;
}

function processorBar(bar: Bar): JudgedBar {
  return { ...bar, owner: "processor" };
}

function hostBar(bar: Bar): JudgedBar {
  return { ...bar, owner: "host" };
}

/** With what is known of why it was missed. */
function withText(bar: Bar, text: string): Bar {
  return bar.met || text === "" ? bar : { ...bar, figure: `${bar.figure}: ${text}` };
}

function growthBar(what: string, [before, after]: readonly [number, number]): Bar {
  const most = Math.max(LEAST_GROWTH_BYTES, before * MOST_GROWTH);
  const grown = Math.max(0, after - before);
  return { what, bar: `at most ${mib(most)}`, figure: mib(grown), met: grown <= most };
}
