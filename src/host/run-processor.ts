import { type Logger, systemClock } from "../core/ports.js";
import { ServingError } from "../core/serving-error.js";
import type { AnyProcessor } from "../processor/processor.js";
import { createLogger } from "../server/logger.js";
import type { ResolvedHostOptions } from "./host-options.js";
import { createProcessorHost } from "./processor-host.js";
import { stopSignals } from "./stop-signals.js";

/** How long a host that could not start, or has stopped under `serve`, may still hold the process by what it has opened. */
export const LINGER_MS = 2_000;

/** Said at the first signal. */
export const SHUTTING_DOWN = "shutting down ... press Ctrl+C again to force quit";

/** Runs a host until it stops, by a signal, by `term`, or because it could not start. */
export async function runProcessor(
  processor: AnyProcessor,
  options: ResolvedHostOptions,
): Promise<void> {
  const logger = options.logger ?? createLogger(options.logLevel);
  const host = createProcessorHost(processor, options, logger);
  let stopping = false;
  const listeners = stopSignals.map(([signal, exitCode]) => {
    const onSignal = (): void => {
      if (stopping) process.exit(exitCode);
      stopping = true;
      logger.info({ signal }, SHUTTING_DOWN);
      host.close().catch((err: unknown) => logger.error({ err }, "stop failed"));
    };
    process.on(signal, onSignal);
    return [signal, onSignal] as const;
  });
  try {
    // An initialize() that ignores its signal must not keep a host that was told to stop.
    await Promise.race([host.start(), host.closed]);
    await host.closed;
  } catch (thrown) {
    if (!stopping) reportFailure(thrown, logger);
  } finally {
    for (const [signal, onSignal] of listeners) process.off(signal, onSignal);
  }
}

function reportFailure(thrown: unknown, logger: Logger): void {
  const error = ServingError.from(thrown);
  process.exitCode = 1;
  const err = error.cause ?? error;
  logger.error({ err, reason: error.reason }, `could not start: ${error.message}`);
  systemClock.after(LINGER_MS, () => process.exit(), { background: true });
}
