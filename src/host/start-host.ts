import { servingError } from "../core/serving-error.js";
import type { AnyProcessor } from "../processor/processor.js";
import { refuseSecondHost } from "../processor/run-hook.js";
import type { HostOptions } from "./host-options.js";
import type { HostGround } from "./processor-host.js";
import { resolveHostOptions } from "./resolve-host-options.js";
import type { ProcessorHost } from "./startable-host.js";

/**
 * Starts a host for a processor and resolves when it is ready. No signal handlers are installed: `run()` does that.
 *
 * The engine is loaded here and not with the module, so that what only defines processors stays small.
 *
 * @throws ConfigError for options that make no sense; HostError `ADDRESS_IN_USE`; ProcessorError `INITIALIZE_FAILED`.
 */
export function startHost(processor: AnyProcessor, options?: HostOptions): Promise<ProcessorHost> {
  return startHostOn(undefined, processor, options);
}

/** The same on another ground than this machine's clock and sockets. */
export async function startHostOn(
  ground: HostGround | undefined,
  processor: AnyProcessor,
  options: HostOptions | undefined,
): Promise<ProcessorHost> {
  refuseSecondHost();
  const resolved = resolveHostOptions(options);
  const own = processor.middleware ?? [];
  if (resolved.lane !== "inline" && resolved.module === undefined) {
    throw servingError(
      "INVALID_OPTION",
      `options.module is missing: lanes of kind "${resolved.lane}" load it, and only run() can take the main module for it`,
    );
  }
  if (resolved.lane !== "inline" && resolved.middleware.some((one) => !own.includes(one))) {
    throw servingError(
      "INVALID_OPTION",
      `options.middleware cannot cross into lanes of kind "${resolved.lane}": give it to the processor's constructor in the module that they load`,
    );
  }
  const [{ createProcessorHost }, { createLogger }] = await Promise.all([
    import("./processor-host.js"),
    import("../server/logger.js"),
  ]);
  const logger = resolved.logger ?? createLogger(resolved.logLevel);
  const host = createProcessorHost(processor, resolved, logger, { ground });
  await host.start();
  return host;
}
