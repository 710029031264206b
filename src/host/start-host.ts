import type { ProcessorShape } from "../processor/processor.js";
import type { HostOptions } from "./host-options.js";
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
  const { startProcessorHost } = await import("./processor-host.js");
  return startProcessorHost(processor, options);
}
