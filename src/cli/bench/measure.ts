import { arch, availableParallelism, cpus, platform } from "node:os";
import type { ServiceChannel } from "../../client/service-channel.js";
import { seededRandom } from "../../core/seeded-random.js";
import { servingError } from "../../core/serving-error.js";
import { KIT_VERSION } from "../../host/version.js";
import type { BytesMethod } from "../bytes-client.js";
import type { CliContext } from "../command.js";
import { benchCall } from "./bench-call.js";
import { Recorder } from "./recorder.js";
import { type BenchResult, RESULT_KIND, RESULT_VERSION } from "./result.js";
import { closedPace, type LoadEnd, openPace, type Pace, runLoad } from "./run-load.js";
import { createSchedule } from "./schedule.js";
import type { BenchSettings } from "./settings.js";
import { warningsOf } from "./warnings.js";

/** What is measured. */
export interface MeasureParts {
  /** Taken in turn; closed only when calls go on behind an early end. */
  readonly channels: readonly ServiceChannel[];
  readonly method: BytesMethod;
  /** Serialised. */
  readonly request: Uint8Array;
  readonly settings: BenchSettings;
  readonly context: CliContext;
}

/** Puts the load of the settings on a method, and waits until its last call has ended. */
export async function measure(parts: MeasureParts): Promise<BenchResult> {
  const { channels, method, request, settings, context } = parts;
  const { clock, signal, terminal } = context;
  const { timeoutMs, requestBytes } = settings;
  const startedAt = new Date().toISOString();
  const recorder = new Recorder(requestBytes);
  const calls = channels.map((channel) =>
    benchCall(channel, { method, request, timeoutMs, clock }),
  );
  const [firstCall] = calls;
  if (firstCall === undefined) throw servingError("INVALID_OPTION", "--connections is 0");
  const progress = terminal.progress(`bench of ${settings.method}`);
  const stopProgress = tellProgress(() => progress.update(recorder.progress()), context);
  let end: LoadEnd;
  try {
    end = await runLoad(paceOf(settings), {
      clock,
      signal,
      recorder,
      soon: setImmediate,
      call: (number) => (calls[number % calls.length] ?? firstCall)(),
      abandon: () => {
        for (const channel of channels) void channel.close();
      },
      warmUpMs: settings.warmUpS * 1_000,
      durationMs: settings.durationS * 1_000,
    });
  } finally {
    stopProgress();
    progress.done();
  }
  const measured = recorder.measured(end.measuredMs);
  return {
    kind: RESULT_KIND,
    version: RESULT_VERSION,
    startedAt,
    interrupted: end.interrupted,
    settings,
    environment: {
      inferwire: KIT_VERSION,
      node: process.version,
      platform: `${platform()} ${arch()}`,
      cpu: cpus()[0]?.model ?? "unknown",
      cores: availableParallelism(),
    },
    ...measured,
    warnings: warningsOf(measured, settings),
  };
}

function paceOf(settings: BenchSettings): Pace {
  const { loop, callsPerSecond, arrivals, seed, maxInFlight, warmUpS } = settings;
  if (loop === "closed") return closedPace(maxInFlight);
  const schedule = createSchedule(callsPerSecond, arrivals, seededRandom(seed));
  return openPace(schedule, maxInFlight, warmUpS * 1_000);
}

const TELL_MS = 500;

function tellProgress(tell: () => void, { clock }: CliContext): () => void {
  let cancel: () => void;
  const again = (): void => {
    tell();
    cancel = clock.after(TELL_MS, again, { background: true });
  };
  cancel = clock.after(TELL_MS, again, { background: true });
  return () => cancel();
}
