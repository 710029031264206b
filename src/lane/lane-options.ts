import { serialize } from "node:v8";
import type { Clock, Logger } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import { moduleUrl } from "../processor/module-url.js";
import type { LaneKind } from "../processor/processor.js";
import type { StartOrder } from "./lane-message.js";

/** What every lane in a process or thread of its own is made from. */
export interface RemoteLaneSettings {
  /** Lanes in all. */
  readonly count: number;
  /** Name of the service; empty when the host has none. */
  readonly service: string;
  readonly modelPath: string | undefined;
  /** Anything that a structured clone can carry. */
  readonly modelConfig: unknown;
  /** First values of the processor's own properties. */
  readonly properties: ReadonlyMap<string, string>;
  /** Whether callers see the texts of errors that the processor throws. */
  readonly exposeErrors: boolean;
  /** Holds the processor; undefined for the program's main module. */
  readonly module: URL | string | undefined;
  readonly clock: Clock;
  /** Takes the lanes' lines too. */
  readonly logger: Logger;
}

/**
 * Makes the orders for the lanes of a kind.
 *
 * @throws ConfigError `INVALID_OPTION` for a module or a model's configuration that no lane can have.
 */
export function startOrders(
  kind: LaneKind,
  settings: RemoteLaneSettings,
): (index: number) => StartOrder {
  const { count, service, modelPath, modelConfig, properties, exposeErrors } = settings;
  const module = moduleUrl(settings.module);
  try {
    serialize(modelConfig);
  } catch (cause) {
    const text =
      "options.modelConfig holds something that cannot be handed to a lane, such as a function";
    throw servingError("INVALID_OPTION", text, { cause });
  }
  const order = { module, kind, count, service, modelPath, modelConfig, properties, exposeErrors };
  return (index) => ({ ...order, index });
}
