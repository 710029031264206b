import type { HostOptions } from "inferwire/host";
import { type Bar, Counts, mib, never } from "../../src/cli/chaos/report.js";
import { fitLine } from "../support/figures.js";
import { keepBusy } from "../support/pace.js";
import type { ProofPorts } from "../support/proof-ports.js";
import { type Deed, orderTo } from "./order.js";
import { ToyHost } from "./toy-host.js";
import { WireClient } from "./wire-client.js";

/** Calls, and how many of them between two samples of the heap. */
export interface LeakSize {
  readonly calls: number;
  readonly callsPerSample: number;
}

type LeakLane = "inline" | "process";

export const leakSizes: Readonly<Record<"full" | "small", Readonly<Record<LeakLane, LeakSize>>>> = {
  full: {
    inline: { calls: 1_000_000, callsPerSample: 10_000 },
    process: { calls: 300_000, callsPerSample: 5_000 },
  },
  small: {
    inline: { calls: 20_000, callsPerSample: 500 },
    process: { calls: 10_000, callsPerSample: 250 },
  },
};

/** How one heap went. */
export interface LeakFigures {
  readonly lane: LeakLane;
  /** Whose heap: the host's, or the lane's. */
  readonly heap: "host" | "lane";
  readonly calls: number;
  /** What the line through the second half of the samples rises by over as many calls as were made, in bytes. */
  readonly growthBytes: number;
  /** Standard deviation of the samples from that line, in bytes. */
  readonly noiseBytes: number;
  readonly outcomes: Counts;
}

const lanes: Readonly<Record<LeakLane, HostOptions>> = {
  inline: { workerThreads: 32 },
  process: { lane: "process", workerProcesses: 1, callsPerLane: 32 },
};

const CALLS_AT_A_TIME = 64;
/** Below this a slope counts as none, however quiet the samples are. */
const LEAST_GROWTH_BYTES = 2 ** 20;

/** Up to which part of the load a call is of a kind: every way to end has its own things to let go of. */
const mix: readonly (readonly [upTo: number, deed: Deed | "leave" | "expire"])[] = [
  [0.02, "leave"],
  [0.04, "expire"],
  [0.07, "fail"],
  [0.12, "pieces"],
  [0.17, "wait"],
  [1, "echo"],
];

const known = ["OK", "DEADLINE_EXCEEDED", "CANCELLED", "CALL_FAILED"];

interface Sample {
  readonly calls: number;
  readonly host: number;
  readonly lane: number;
}

/**
 * Makes calls of all kinds and, whenever so many have ended and none is under way, samples the heap right after it was
 * collected. Each sample's calls come over new connections.
 */
export async function runLeak(
  lane: LeakLane,
  size: LeakSize,
  { random, print }: ProofPorts,
): Promise<readonly LeakFigures[]> {
  using host = await ToyHost.start(lanes[lane], ["--expose-gc"]);
  const client = new WireClient(host.port, 2);
  const outcomes = new Counts();
  const one = async (): Promise<void> => {
    const part = random();
    const deed = mix.find(([upTo]) => part < upTo)?.[1] ?? "echo";
    const waits = deed === "leave" || deed === "expire" || deed === "wait";
    const order = waits ? orderTo("wait", 2) : orderTo(deed, 1);
    const call = client.call(order, { timeoutMs: deed === "expire" ? 1 : 10_000 });
    if (deed === "leave") setImmediate(() => call.cancel());
    outcomes.add((await call.ended).outcome);
  };
  const samples: Sample[] = [];
  while (outcomes.total < size.calls) {
    let left = size.callsPerSample;
    await keepBusy(CALLS_AT_A_TIME, () => left-- > 0, one);
    samples.push({ calls: outcomes.total, ...(await heaps(host, client)) });
    client.close();
    if (samples.length % 10 === 0) print(`  ${lane}: ${outcomes.total} calls`);
  }
  await host.stop();
  const line = (heap: "host" | "lane"): LeakFigures => {
    const half = samples.slice(Math.floor(samples.length / 2));
    const { slope, deviation } = fitLine(half.map((s) => [s.calls, s[heap]]));
    const [first, last] = [samples[0]?.[heap] ?? 0, samples.at(-1)?.[heap] ?? 0];
    print(`  ${lane}, ${heap}: ${mib(first)} after the first sample, ${mib(last)} after the last`);
    const growthBytes = slope * outcomes.total;
    return {
      lane,
      heap,
      calls: outcomes.total,
      growthBytes,
      noiseBytes: deviation,
      outcomes,
    };
  };
  print(`  ${lane}: ${outcomes}`);
  return lane === "inline" ? [line("host")] : [line("host"), line("lane")];
}

async function heaps(
  host: ToyHost,
  client: WireClient,
): Promise<{ readonly host: number; readonly lane: number }> {
  const inLane = await client.call(orderTo("heap"), { timeoutMs: 10_000 }).ended;
  await host.collect();
  const { heapBytes } = await host.monitor();
  return { host: heapBytes, lane: inLane.answer?.heapBytes ?? Number.NaN };
}

/**
 * What has to hold. Within noise: the rise over all calls is below twice the standard deviation of the samples from their
 * line, or below 1 MiB.
 */
export function leakBars(all: readonly LeakFigures[]): readonly Bar[] {
  const bars = all.map(({ lane, heap, calls, growthBytes, noiseBytes }): Bar => {
    const most = Math.max(LEAST_GROWTH_BYTES, 2 * noiseBytes);
    return {
      what: `${lane}: rise of the ${heap}'s heap over ${calls} calls`,
      bar: `at most ${mib(most)}`,
      figure: mib(growthBytes),
      met: growthBytes <= most,
    };
  });
  const [first] = all;
  if (first === undefined) return bars;
  const unknown = first.outcomes.beyond(known);
  return [...bars, never(`${first.lane}: calls without a known end`, unknown, first.calls)];
}
