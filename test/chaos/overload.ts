import type { HostOptions } from "inferwire/host";
import { residentBytes } from "../../src/cli/chaos/processes.js";
import { type Bar, Counts, mib, never } from "../../src/cli/chaos/report.js";
import { median, quantile } from "../support/figures.js";
import { keepBusy, keepRate } from "../support/pace.js";
import { percent } from "../support/percent.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { orderTo } from "./order.js";
import { ToyHost } from "./toy-host.js";
import { WireClient, type WireEnd } from "./wire-client.js";

/** How long each part takes, in milliseconds, and how much is offered. */
export interface OverloadSize {
  readonly peakMs: number;
  readonly overloadMs: number;
  /** Calls offered a second, instead of five times the peak that was measured. */
  readonly offeredPerSecond?: number;
}

export const overloadSizes: { readonly full: OverloadSize; readonly small: OverloadSize } = {
  full: { peakMs: 10_000, overloadMs: 30_000 },
  small: { peakMs: 2_000, overloadMs: 4_000 },
};

/** How a host bore five times what it can do. */
export interface OverloadFigures {
  readonly lane: string;
  readonly peakPerSecond: number;
  readonly offeredPerSecond: number;
  readonly goodPerSecond: number;
  /** Resident memory of the host and its lanes, in bytes: the median at peak, and the most under overload. */
  readonly steadyBytes: number;
  readonly mostBytes: number;
  /** From the call to its refusal, in milliseconds. */
  readonly refusalsMs: readonly number[];
  /** The same of calls that had been let into the queue, and had to leave it for one of high priority. */
  readonly evictionsMs: readonly number[];
  readonly highCalls: number;
  readonly highOk: number;
  readonly outcomes: Counts;
}

const PLACES = 8;
/** 8 places and 20 ms: at most 400 calls a second. */
const WORK_MS = 20;
const lanes: Readonly<Record<"inline" | "process", HostOptions>> = {
  inline: { workerThreads: PLACES },
  process: { workerProcesses: 2, callsPerLane: PLACES / 2 },
};

const TIMES = 5;
const HIGH_PART = 0.1;
const SAMPLE_MS = 100;
const TIMEOUT_MS = 2_000;
const EVICTED = /took the place/;

const LEAST_GOODPUT = 0.9;
const MOST_MEMORY = 1.5;
const MOST_REFUSAL_MS = 10;
const LEAST_HIGH = 0.999;

/** Finds the peak of a host whose processor waits, offers it five times as much, and looks at who got what. */
export async function runOverload(
  lane: keyof typeof lanes,
  size: OverloadSize,
  { random, print }: ProofPorts,
): Promise<OverloadFigures> {
  using host = await ToyHost.start(lanes[lane]);
  const client = new WireClient(host.port, 4);
  const begin = (priority?: "high"): Promise<WireEnd> =>
    client.call(orderTo("wait", WORK_MS), {
      timeoutMs: TIMEOUT_MS,
      ...(priority === undefined ? {} : { priority }),
    }).ended;

  // The first second or so, in which the code is compiled and connections are made, is not measured.
  const warm = during(Math.min(1_000, size.peakMs));
  await keepBusy(2 * PLACES, warm, () => begin());
  const memory = sampleMemory(host);
  const peak = during(size.peakMs);
  let answered = 0;
  await keepBusy(2 * PLACES, peak, async () => {
    const { outcome } = await begin();
    if (outcome === "OK" && peak()) answered++;
  });
  const steadyBytes = median(memory.stop());
  const peakPerSecond = (answered * 1_000) / size.peakMs;
  const offeredPerSecond = size.offeredPerSecond ?? TIMES * peakPerSecond;
  print(`  ${lane}: peak ${peakPerSecond.toFixed(0)} calls/s, ${mib(steadyBytes)}`);

  const overload = during(size.overloadMs);
  const under = sampleMemory(host);
  const outcomes = new Counts();
  const calls: Promise<void>[] = [];
  const refusalsMs: number[] = [];
  const evictionsMs: number[] = [];
  const counted = { good: 0, high: 0, highOk: 0 };
  await keepRate(offeredPerSecond, overload, () => {
    const high = random() < HIGH_PART;
    const count = ({ outcome, message, beganMs, endedMs }: WireEnd): void => {
      outcomes.add(outcome);
      if (outcome === "OK" && overload()) counted.good++;
      if (outcome === "QUEUE_FULL") {
        const refused = EVICTED.test(message) ? evictionsMs : refusalsMs;
        refused.push(endedMs - beganMs);
      }
      if (!high) return;
      counted.high++;
      if (outcome === "OK") counted.highOk++;
    };
    calls.push(begin(high ? "high" : undefined).then(count));
  });
  await Promise.all(calls);
  const mostBytes = Math.max(...under.stop());
  client.close();
  await host.stop();
  print(
    `  ${lane}: ${outcomes} of ${calls.length} calls; ${evictionsMs.length} of them left the queue for one of ` +
      `high priority, p50 ${quantile(evictionsMs, 0.5).toFixed(1)} ms, p99 ${quantile(evictionsMs, 0.99).toFixed(1)} ms`,
  );
  return {
    lane,
    peakPerSecond,
    offeredPerSecond: (calls.length * 1_000) / size.overloadMs,
    goodPerSecond: (counted.good * 1_000) / size.overloadMs,
    steadyBytes,
    mostBytes,
    refusalsMs,
    evictionsMs,
    highCalls: counted.high,
    highOk: counted.highOk,
    outcomes,
  };
}

/** Says for so long that there is time left. */
function during(ms: number): () => boolean {
  const endMs = performance.now() + ms;
  return () => performance.now() < endMs;
}

function sampleMemory(host: ToyHost): { stop(): readonly number[] } {
  const samples: number[] = [];
  const sample = (): void => {
    samples.push(residentBytes([host.pid, ...host.lanePids()]));
  };
  sample();
  const timer = setInterval(sample, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      return samples;
    },
  };
}

/** What has to hold. */
export function overloadBars(f: OverloadFigures): readonly Bar[] {
  const goodput = f.goodPerSecond / f.peakPerSecond;
  const memory = f.mostBytes / f.steadyBytes;
  const refusalMs = quantile(f.refusalsMs, 0.99);
  const high = f.highOk / f.highCalls;
  const unknown = f.outcomes.beyond(["OK", "QUEUE_FULL", "DEADLINE_EXCEEDED"]);
  return [
    {
      what: `${f.lane}: goodput at ${(f.offeredPerSecond / f.peakPerSecond).toFixed(1)} x peak (${f.peakPerSecond.toFixed(0)}/s)`,
      bar: `at least ${percent(LEAST_GOODPUT)} of peak`,
      figure: percent(goodput),
      met: goodput >= LEAST_GOODPUT,
    },
    {
      what: `${f.lane}: resident memory over steady (${mib(f.steadyBytes)})`,
      bar: `at most ${MOST_MEMORY} x`,
      figure: `${memory.toFixed(2)} x`,
      met: memory <= MOST_MEMORY,
    },
    {
      what: `${f.lane}: refusals' p99, of ${f.refusalsMs.length} that found the queue full`,
      bar: `under ${MOST_REFUSAL_MS} ms`,
      figure: `${refusalMs.toFixed(1)} ms (p50 ${quantile(f.refusalsMs, 0.5).toFixed(1)})`,
      met: refusalMs < MOST_REFUSAL_MS,
    },
    {
      what: `${f.lane}: high-priority calls answered, of ${f.highCalls}`,
      bar: `at least ${percent(LEAST_HIGH)}`,
      figure: percent(high),
      met: high >= LEAST_HIGH,
    },
    never(`${f.lane}: calls without a known end`, unknown, f.outcomes.total),
  ];
}
