/**
 * The host of `inferwire chaos`, in a process of its own: `host-main.js MODULE_URL OPTIONS_AS_JSON`. Log lines of its own
 * life go to its parent; SIGTERM stops it, and so does the end of the parent.
 */
import { type Logger, systemClock } from "../../core/ports.js";
import { ServingError } from "../../core/serving-error.js";
import type { HostOptions } from "../../host/host-options.js";
import { resolveHostOptions } from "../../host/resolve-host-options.js";
import { runProcessor } from "../../host/run-processor.js";
import { loadProcessor } from "../../processor/load-processor.js";
import { HOST_IN_MODULE } from "../host-in-module.js";

// Taken out: the module reads what stands behind its own name.
const [module = "", options = "{}"] = process.argv.splice(2);

const tell = (level: string, fields: object, message: string): void => {
  // Lines of single calls have a method; there would be too many of them.
  if ("method" in fields) return;
  const { err, ...rest }: { readonly err?: unknown } = fields;
  const shown = err === undefined ? rest : { ...rest, err: String(err) };
  process.send?.({ level, message, fields: shown });
};

const logger: Logger = {
  debug() {},
  info: (fields, message) => tell("info", fields, message),
  warn: (fields, message) => tell("warn", fields, message),
  error: (fields, message) => tell("error", fields, message),
};

const orphaned = (): void => {
  process.kill(process.pid, "SIGTERM");
};
process.once("disconnect", orphaned);

try {
  const { processor, closed } = await loadProcessor(module, {
    clock: systemClock,
    hold() {},
    refusal: HOST_IN_MODULE,
  });
  const takesBytes = processor.process !== undefined;
  const methods = (processor.rpcs ?? []).map(({ path }) => path);
  logger.info({ takesBytes, methods }, "processor loaded");
  const given = JSON.parse(options) as HostOptions;
  await runProcessor(processor, resolveHostOptions({ ...given, module, logger }));
  closed();
} catch (thrown) {
  const { message, reason } = ServingError.from(thrown);
  logger.error({ reason }, message);
  process.exitCode = 1;
} finally {
  process.off("disconnect", orphaned);
  process.disconnect?.();
}
