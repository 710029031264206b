import { fileURLToPath } from "node:url";
import { seededRandom } from "../../core/seeded-random.js";
import { isServingError, servingError } from "../../core/serving-error.js";
import type { HostOptions } from "../../host/host-options.js";
import { resolveHostOptions } from "../../host/resolve-host-options.js";
import type { CliContext } from "../command.js";
import { median } from "../median.js";
import { readData } from "../read-data.js";
import {
  calmBars,
  exitCodeFor,
  type JudgedBar,
  type MemoryFigures,
  memoryBars,
  runBars,
  timeBars,
} from "./bars.js";
import { faults } from "./faults.js";
import type { ChaosFlags } from "./flags.js";
import { HostProcess, type HostProcessOptions } from "./host-process.js";
import { ChaosLoad } from "./load.js";
import { Pace } from "./pace.js";
import { type ChaosPlan, chaosPlan } from "./plan.js";
import { residentBytes } from "./processes.js";
import { barTable, type Counts } from "./report.js";
import { chaosRequest, inPieces } from "./request.js";
import { type ChaosLimits, ChaosRun } from "./run.js";

const LANES = 2;
const QUEUE = 64;
const MAX_MESSAGE_BYTES = 4 * 2 ** 20;
const START_TIMEOUT_MS = 20_000;
/** What a call may take. */
const { requestTimeoutMs: TIMEOUT_MS } = resolveHostOptions({});
const FIRST_CALLS = 20;
const HANG_TIMEOUT_MS = 1_500;
/** Between two calls of one caller. */
const APART_MS = 5;
const SAMPLE_EVERY_MS = 50;
const SAMPLES = 5;
/** Calls over which memory is looked at, at least, and the time that these may take beyond their share. */
const MEMORY_CALLS = 200;
const MEMORY_LONGER_MS = 5_000;

/**
 * Runs the faults of a plan against the module's processor, and shows the table of bars.
 *
 * @returns 0, or the exit code of a processor, else of a host, that missed a bar
 * @throws ConfigError for flags; ProcessorError `INITIALIZE_FAILED` when the host does not become ready; CallError `CANCELLED`
 * when it is ended before anything was measured.
 */
export async function runChaos(
  module: string,
  flags: ChaosFlags,
  context: CliContext,
): Promise<number> {
  if (process.platform !== "linux") {
    throw servingError(
      "INVALID_OPTION",
      `chaos needs Linux, which shows processes in /proc and stops them by signal; this is ${process.platform}`,
    );
  }
  const { clock, terminal } = context;
  const plan = chaosPlan(module, flags, context, Math.random);
  const payload = flags.data === undefined ? undefined : await readData(flags.data, context);
  terminal.note(`seed ${plan.seed}, about ${plan.durationMs / 1_000} s`);
  const limit = new AbortController();
  const cancelLimit = clock.after(plan.limitMs, () => limit.abort());
  const signal = AbortSignal.any([context.signal, limit.signal]);
  const pace = new Pace(clock, signal);
  const start = hostStart(plan, context, pace);
  let host: HostProcess | undefined;
  try {
    host = await startHost(start);
    const request = await chaosRequest(host, { flags, payload, context, signal });
    const load = new ChaosLoad(host.port, { request, timeoutMs: TIMEOUT_MS, pace });
    return await hurtHost({ host, load, plan, context, start, pace });
  } finally {
    cancelLimit();
    host?.kill();
  }
}

interface Started {
  readonly host: HostProcess;
  readonly load: ChaosLoad;
  readonly plan: ChaosPlan;
  readonly context: CliContext;
  readonly start: HostProcessOptions;
  readonly pace: Pace;
}

async function hurtHost({ host, load, plan, context, start, pace }: Started): Promise<number> {
  const random = seededRandom(plan.seed);
  const progress = context.terminal.progress("chaos");
  const startedMs = pace.now();
  const bars: JudgedBar[] = [];
  let doing = "";
  const next = (name: string): void => {
    doing = name;
    progress.update(name);
  };
  let run: ChaosRun | undefined;
  try {
    next("calls before any fault");
    const first = await firstCalls(load, plan, pace);
    bars.push(...calmBars(first.failed, first.calls, String(load.judge.outcomes)));
    if (first.failed < first.calls) {
      const limits = limitsOf(first.usualMs);
      run = new ChaosRun({ host, load, random, limits, again: start, pace });
      await hurtInTurn(run, plan, bars, next);
    }
  } catch (thrown) {
    // Ended early, with something to show for it.
    if (!pace.signal.aborted || bars.length === 0) throw thrown;
  } finally {
    progress.done();
    load.close();
    run?.end();
  }
  if (run !== undefined) bars.push(...runBars(load.judge, run, run.limits));
  bars.push(...timeBars(pace.now() - startedMs, plan.limitMs, doing));
  show(bars, plan, load.judge.outcomes, context);
  return exitCodeFor(bars);
}

async function hurtInTurn(
  run: ChaosRun,
  plan: ChaosPlan,
  bars: JudgedBar[],
  next: (name: string) => void,
): Promise<void> {
  const slotMs = plan.durationMs / (plan.faults.length + 2);
  next("memory");
  bars.push(...memoryBars(await memoryFigures(run, slotMs)));
  for (const name of plan.faults) {
    if (run.lost) break;
    next(name);
    await underLoad(run, () => run.hurt(faults[name], slotMs));
  }
  next("stop");
  await run.stop();
}

function show(
  bars: readonly JudgedBar[],
  { seed, faults: names }: ChaosPlan,
  outcomes: Counts,
  { terminal, signal }: CliContext,
): void {
  const missed = bars.filter((bar) => !bar.met);
  const rows = bars.map((bar) => ({ ...bar, what: `${bar.owner}: ${bar.what}` }));
  const early = signal.aborted ? " (ended early)" : "";
  const met = bars.filter((bar) => bar.met && bar.untried !== true).length;
  const ended = `${met} bars met, ${missed.length} missed${early}`;
  const value = { seed, faults: names, calls: outcomes.total, interrupted: signal.aborted, bars };
  terminal.result(value, `${barTable(rows)}\n\n${outcomes}\nseed ${seed}: ${ended}`);
}

function hostStart(plan: ChaosPlan, { env }: CliContext, pace: Pace): HostProcessOptions {
  const given: HostOptions = {
    endpoint: "127.0.0.1:0",
    lane: "process",
    workerProcesses: LANES,
    callsPerLane: 1,
    minReadyLanes: LANES,
    hangTimeoutMs: HANG_TIMEOUT_MS,
    maxQueueLength: QUEUE,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    open: ["health", "reflection"],
    requestTimeoutMs: TIMEOUT_MS,
  };
  return {
    script: fileURLToPath(new URL("./host-main.js", import.meta.url)),
    args: [plan.module, JSON.stringify(given)],
    env,
    startTimeoutMs: START_TIMEOUT_MS,
    pace,
  };
}

/** What the host has said of an error is nearer to it than that it ended. */
async function startHost(options: HostProcessOptions): Promise<HostProcess> {
  try {
    return await HostProcess.start(options);
  } catch (thrown) {
    if (!isServingError(thrown)) throw thrown;
    const text = `the processor did not become ready: ${thrown.message}`;
    throw servingError("INITIALIZE_FAILED", text, { cause: thrown });
  }
}

/** Calls one by one: whether they work, how long they take, and whether they are answered alike. */
async function firstCalls(
  load: ChaosLoad,
  { durationMs }: ChaosPlan,
  pace: Pace,
): Promise<{ readonly calls: number; readonly failed: number; readonly usualMs: number }> {
  const endMs = pace.now() + durationMs / 5;
  const tookMs: number[] = [];
  const answers: Buffer[] = [];
  let calls = 0;
  for (; calls < 2 || (calls < FIRST_CALLS && pace.now() < endMs); calls++) {
    let end = await load.call();
    if (calls === 0 && end.outcome === "STREAM_NEEDED") {
      load.request = inPieces(load.request);
      end = await load.call();
    }
    if (end.outcome !== "OK") continue;
    tookMs.push(end.endedMs - end.beganMs);
    answers.push(Buffer.concat(end.answers));
  }
  const [reference] = answers;
  if (reference !== undefined && answers.every((one) => one.equals(reference))) {
    load.judge.reference = reference;
  }
  return { calls, failed: calls - answers.length, usualMs: median(tookMs) };
}

function limitsOf(usualMs: number): ChaosLimits {
  return {
    lanes: LANES,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    usualMs,
    overload: 4 * (QUEUE + LANES),
    goneMs: HANG_TIMEOUT_MS + TIMEOUT_MS,
    backMs: START_TIMEOUT_MS,
  };
}

async function underLoad(run: ChaosRun, work: () => Promise<void>): Promise<void> {
  run.load.begin(LANES, APART_MS);
  try {
    await work();
  } finally {
    await run.load.stop();
  }
}

/** Resident memory under load, when the heaps have found their size and some time later. */
async function memoryFigures(run: ChaosRun, durationMs: number): Promise<MemoryFigures> {
  const before = run.load.judge.outcomes.total;
  const samples: { readonly lanes: number; readonly host: number }[] = [];
  await underLoad(run, async () => {
    await run.pace.wait(durationMs / 3);
    const endMs = run.pace.now() + (durationMs * 2) / 3;
    const latestMs = endMs + MEMORY_LONGER_MS;
    const enough = (): boolean => run.load.judge.outcomes.total - before >= MEMORY_CALLS;
    while (run.pace.now() < (enough() ? endMs : latestMs) || samples.length < 2 * SAMPLES) {
      samples.push({
        lanes: residentBytes(run.census.look()),
        host: residentBytes([run.host.pid]),
      });
      await run.pace.wait(SAMPLE_EVERY_MS);
    }
  });
  const figure = (of: "lanes" | "host"): readonly [number, number] => [
    median(samples.slice(0, SAMPLES).map((sample) => sample[of])),
    median(samples.slice(-SAMPLES).map((sample) => sample[of])),
  ];
  return {
    lanes: figure("lanes"),
    host: figure("host"),
    calls: run.load.judge.outcomes.total - before,
  };
}
