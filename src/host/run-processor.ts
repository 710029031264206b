import { type Logger, systemClock } from "../core/ports.js";
import { ServingError } from "../core/serving-error.js";
import type { AnyProcessor } from "../processor/processor.js";
import { createLogger } from "../server/logger.js";
import type { ResolvedHostOptions } from "./host-options.js";
import { createProcessorHost } from "./processor-host.js";

const signals = ["SIGINT", "SIGTERM"] as const;

/** Exit code of a process that a signal ended, as shells have it: 128 and the signal's number. */
const exitCodes: Readonly<Record<(typeof signals)[number], number>> = { SIGINT: 130, SIGTERM: 143 };

/** How long a host that could not start may still hold the process, by what `initialize` has opened. */
const LINGER_MS = 2_000;

/** Runs a host until it stops, by a signal, by `term`, or because it could not start. */
export async function runProcessor(
  processor: AnyProcessor,
  options: ResolvedHostOptions,
): Promise<void> {
  const logger = options.logger ?? createLogger(options.logLevel);
  const host = createProcessorHost(processor, options, logger);
  let stopping = false;
  const onSignal = (signal: (typeof signals)[number]): void => {
    if (stopping) process.exit(exitCodes[signal]);
    stopping = true;
    logger.info({ signal }, "shutting down ... press Ctrl+C again to force quit");
    host.close().catch((err: unknown) => logger.error({ err }, "stop failed"));
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    // An initialize() that ignores its signal must not keep a host that was told to stop.
    await Promise.race([host.start(), host.closed]);
    await host.closed;
  } catch (thrown) {
    if (!stopping) reportFailure(thrown, logger);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

function reportFailure(thrown: unknown, logger: Logger): void {
  const error = ServingError.from(thrown);
  process.exitCode = 1;
  const err = error.cause ?? error;
  logger.error({ err, reason: error.reason }, `could not start: ${error.message}`);
  systemClock.after(LINGER_MS, () => process.exit(), { background: true });
}
