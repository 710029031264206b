import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { listed } from "../../examples/discovery.js";
import { Children } from "../../examples/mnist/children.js";
import { type Bar, mib, never } from "../../src/cli/chaos/report.js";
import { fitLine } from "../support/figures.js";
import type { ProofPorts } from "../support/proof-ports.js";

/** Calls of one client, and how many of them between two samples of its memory. */
export interface PredictsSize {
  readonly calls: number;
  readonly callsPerSample: number;
}

export const predictsSizes: Readonly<Record<"full" | "small", PredictsSize>> = {
  full: { calls: 1_000_000, callsPerSample: 10_000 },
  small: { calls: 10_000, callsPerSample: 500 },
};

interface Sample {
  readonly calls: number;
  /** Heap and buffers of the client. */
  readonly bytes: number;
  /** Attempts by instance. */
  readonly picks: Readonly<Record<string, number>>;
  /** Calls that failed, by reason. */
  readonly failures: Readonly<Record<string, number>>;
  /** Answers that differed from the first. */
  readonly wrong: number;
}

/** How a long run of one client went. */
export interface PredictsFigures {
  readonly calls: number;
  readonly failed: number;
  readonly wrong: number;
  /** The greatest distance of an instance from its ideal share, in calls, at any sample. */
  readonly worstShare: number;
  /** What the line through the second half of the samples rises by over as many calls as were made, in bytes. */
  readonly growthBytes: number;
  /** Standard deviation of the samples from that line, in bytes. */
  readonly noiseBytes: number;
  /** Exit code of the client. */
  readonly exitCode: number | null;
}

const service = "mnist_saved_model_example";
const token = "M2FhNjJl";
const weights = [100, 50];
const AT_A_TIME = 8;
/** Below this a slope counts as none, however quiet the samples are. */
const LEAST_GROWTH_BYTES = 2 ** 20;

/**
 * Runs EAS's own example for long: one client, direct calls, [1, 784] floats to the digit classifier of `examples/mnist` on two
 * hosts with weights 100 and 50.
 */
export async function runPredicts(
  size: PredictsSize,
  { print }: ProofPorts,
): Promise<PredictsFigures> {
  const children = new Children();
  try {
    const directory = await startHosts(children);
    const client = startClient(directory, size);
    const samples: Sample[] = [];
    client.on("message", (sample: Sample) => {
      samples.push(sample);
      if (samples.length % 10 === 0) print(`  ${sample.calls} calls, ${mib(sample.bytes)}`);
    });
    const [exitCode] = (await once(client, "exit")) as [number | null];
    return { ...figuresOf(samples), exitCode };
  } finally {
    await children.stop();
  }
}

async function startHosts(children: Children): Promise<string> {
  const process = children.start("directory.ts", [], "ignore");
  const [directory] = (await once(process, "message")) as [string];
  for (const [at, weight] of weights.entries()) {
    children.start("tensor-host.ts", [`host-${at}`, String(weight), directory], "ignore");
  }
  await listed(directory, service, weights.length);
  return directory;
}

function startClient(directory: string, { calls, callsPerSample }: PredictsSize): ChildProcess {
  const script = fileURLToPath(new URL("programs/predicts.mjs", import.meta.url));
  const args = [directory, service, token, calls, callsPerSample, AT_A_TIME].map(String);
  return spawn(process.execPath, ["--expose-gc", script, ...args], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

function figuresOf(samples: readonly Sample[]): Omit<PredictsFigures, "exitCode"> {
  const last = samples.at(-1);
  const calls = last?.calls ?? 0;
  const half = samples.slice(Math.floor(samples.length / 2));
  const { slope, deviation } = fitLine(half.map((sample) => [sample.calls, sample.bytes]));
  return {
    calls,
    failed: Object.values(last?.failures ?? {}).reduce((sum, n) => sum + n, 0),
    wrong: last?.wrong ?? 0,
    worstShare: Math.max(...samples.map(shareError)),
    growthBytes: slope * calls,
    noiseBytes: deviation,
  };
}

function shareError({ picks }: Sample): number {
  const counts = Object.values(picks).sort((a, b) => b - a);
  const total = counts.reduce((sum, n) => sum + n, 0);
  const sum = weights.reduce((a, b) => a + b, 0);
  return Math.max(...weights.map((w, at) => Math.abs((counts[at] ?? 0) - (total * w) / sum)));
}

/** What has to hold; memory as in the leak's bars. */
export function predictsBars(figures: PredictsFigures): readonly Bar[] {
  const { calls, failed, wrong, worstShare, growthBytes, noiseBytes, exitCode } = figures;
  const most = Math.max(LEAST_GROWTH_BYTES, 2 * noiseBytes);
  return [
    never("failed calls", failed, calls),
    never("wrong answers", wrong, calls),
    {
      what: "worst distance of a share from its ideal",
      bar: "at most 1 call",
      figure: `${worstShare.toFixed(2)} calls`,
      met: worstShare <= 1,
    },
    {
      what: `rise of the client's memory over ${calls} calls`,
      bar: `at most ${mib(most)}`,
      figure: mib(growthBytes),
      met: growthBytes <= most,
    },
    never("client did not end well", exitCode === 0 ? 0 : 1),
  ];
}
