import { type Logger, systemClock } from "../core/ports.js";
import { ServingError } from "../core/serving-error.js";
import type { ProcessorShape } from "../processor/processor.js";
import { createLogger } from "../server/logger.js";
import type { HostOptions } from "./host-options.js";
import { type ProcessorHost, startProcessorHost } from "./processor-host.js";

const signals = ["SIGINT", "SIGTERM"] as const;

/** Exit code of a process that a signal ended, as shells have it: 128 and the signal's number. */
const exitCodes: Readonly<Record<(typeof signals)[number], number>> = { SIGINT: 130, SIGTERM: 143 };

/** How long a program that has stopped may hold the process by something of its own. */
const LINGER_MS = 2_000;

/** Runs a host until it stops, by a signal, by `term`, or because it could not start. */
export async function runProcessor(processor: ProcessorShape, options: HostOptions): Promise<void> {
  const logger = options.logger ?? createLogger(options.logLevel ?? "info");
  const stop: { host?: ProcessorHost; asked: boolean } = { asked: false };
  const onSignal = (signal: (typeof signals)[number]): void => {
    if (stop.asked || stop.host === undefined) process.exit(exitCodes[signal]);
    stop.asked = true;
    logger.info({ signal }, "shutting down ... press Ctrl+C again to force quit");
    stop.host.close().catch((err: unknown) => logger.error({ err }, "stop failed"));
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    stop.host = await startProcessorHost(processor, { ...options, logger });
    await stop.host.closed;
  } catch (thrown) {
    reportFailure(thrown, logger);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
    systemClock.after(LINGER_MS, () => process.exit(), { background: true });
  }
}

function reportFailure(thrown: unknown, logger: Logger): void {
  const error = ServingError.from(thrown);
  process.exitCode = 1;
  const err = error.cause ?? error;
  logger.error({ err, reason: error.reason }, `could not start: ${error.message}`);
}
