import type { ProcessorShape } from "../processor/processor.js";
import { createLogger } from "../server/logger.js";
import { type HostOptions, resolveHostOptions } from "./host-options.js";
import type { ProcessorHost } from "./processor-host.js";

/**
 * Starts a host for a processor and resolves when it is ready. No signal handlers are installed: `run()` does that.
 *
 * The engine is loaded here and not with the module, so that what only defines processors stays small.
 *
 * @throws ConfigError for options that make no sense; HostError `ADDRESS_IN_USE`; ProcessorError `INITIALIZE_FAILED`.
 */
export async function startHost(
  processor: ProcessorShape,
  options?: HostOptions,
): Promise<ProcessorHost> {
  const resolved = resolveHostOptions(options);
  const { createProcessorHost } = await import("./processor-host.js");
  const logger = resolved.logger ?? createLogger(resolved.logLevel);
  const host = createProcessorHost(processor, resolved, logger);
  await host.start();
  return host;
}
