import { fileURLToPath } from "node:url";
import { addressText } from "../../core/instance.js";
import type { Clock, Logger } from "../../core/ports.js";
import { givenOptions } from "../../host/given-options.js";
import { createProcessorHost } from "../../host/processor-host.js";
import { resolveHostOptions } from "../../host/resolve-host-options.js";
import { SHUTTING_DOWN } from "../../host/run-processor.js";
import type { Secret, StartableHost } from "../../host/startable-host.js";
import { type LoadedProcessor, loadProcessor } from "../../processor/load-processor.js";
import type { LaneKind } from "../../processor/processor.js";
import { createLogger } from "../../server/logger.js";
import { HOST_IN_MODULE } from "../host-in-module.js";
import { layeredOptions, type ServeSources, secretFiles } from "./serve-sources.js";
import { followTokenFile } from "./token-files.js";

/** What serving needs besides its sources. */
export interface ServingPorts {
  readonly clock: Clock;
  /** Aborted when the host shall stop in order. */
  readonly signal: AbortSignal;
  /** Whether the log is JSON also on a terminal. */
  readonly json: boolean;
  /** Makes the token that a service description asks for. */
  generateToken(): string;
  /** Whether another process answers on the port still; see `StartManner`. */
  readonly takesOver: boolean;
  /**
   * Called with the host before it is started.
   *
   * @param stopMs - how long calls may keep it from stopping
   */
  created?(host: StartableHost, stopMs: number): void;
}

/** What is told of a host that is ready. */
export interface ServedHost {
  readonly address: string;
  /** Empty when it has no name. */
  readonly service: string;
  readonly lanes: { readonly kind: LaneKind; readonly count: number };
  /** The token that was made for it, if one was. */
  readonly generatedToken: string | undefined;
  /** What it is listed as, and where. */
  readonly listing: string;
}

/** A module's host that runs. */
export interface Serving {
  readonly served: ServedHost;
  /** Resolves when it has stopped. */
  readonly closed: Promise<void>;
}

/**
 * Loads a module and starts the host of its processor.
 *
 * @returns undefined when the signal came before the host was ready
 * @throws ConfigError, ProcessorError and HostError for what keeps it from being ready.
 */
export async function startServing(
  sources: ServeSources,
  ports: ServingPorts,
): Promise<Serving | undefined> {
  const loaded = await orAborted(loadUnderServe(sources.module, ports.clock), ports.signal);
  if (loaded === undefined) return undefined;
  const code = givenOptions(loaded.processor);
  const layered = layeredOptions(sources, code);
  const wantsToken = sources.wantsToken && layered.token === undefined;
  const generatedToken = wantsToken ? ports.generateToken() : undefined;
  const options = resolveHostOptions({ ...layered, token: layered.token ?? generatedToken });
  const logger =
    options.logger ?? createLogger(options.logLevel, { stream: "stderr", json: ports.json });
  const host = createProcessorHost(loaded.processor, options, logger, {
    takesOver: ports.takesOver,
  });
  ports.created?.(host, options.preStopDelayMs + options.terminationGracePeriodMs);
  stopWith(ports.signal, host, logger);
  try {
    // An initialize() that ignores its signal must not keep a host that was told to stop.
    await Promise.race([host.start(), host.closed]);
  } catch (thrown) {
    if (!ports.signal.aborted) throw thrown;
  }
  if (host.state === "stopped" || ports.signal.aborted) {
    await host.closed;
    return undefined;
  }
  const files = secretFiles(sources, code);
  const unfollow = followSecrets(files, options, { host, logger, clock: ports.clock });
  return {
    served: {
      address: addressText(host.address.host, host.address.port),
      service: options.service,
      lanes: { kind: options.lane, count: options.lanes },
      generatedToken,
      listing: JSON.stringify([options.directories, options.service, options.name]),
    },
    closed: host.closed.then(() => {
      unfollow();
      loaded.closed();
    }),
  };
}

function loadUnderServe(module: string, clock: Clock): Promise<LoadedProcessor> {
  // As if the module had been run itself; what a lane sees is taken from here.
  process.argv.splice(1, Number.POSITIVE_INFINITY, fileURLToPath(module));
  return loadProcessor(module, {
    clock,
    // A channel to a parent would keep the process from ever being done.
    hold: (on) => (on ? process.channel?.ref() : process.channel?.unref()),
    refusal: HOST_IN_MODULE,
  });
}

async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  return await Promise.race([promise, aborted]);
}

function stopWith(signal: AbortSignal, host: StartableHost, logger: Logger): void {
  const stop = (): void => {
    logger.info({}, SHUTTING_DOWN);
    host.close().catch((err: unknown) => logger.error({ err }, "stop failed"));
  };
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
}

/** Follows the files of the tokens in force; returns what ends it. */
function followSecrets(
  files: ReturnType<typeof secretFiles>,
  options: Readonly<Record<Secret, unknown>>,
  { host, logger, clock }: { host: StartableHost; logger: Logger; clock: Clock },
): () => void {
  const ends = files.map(([secret, text]) => {
    const use = (tokens: readonly string[]): void => host.setSecret(secret, tokens);
    return followTokenFile(text, String(options[secret]), { clock, logger, use });
  });
  return () => {
    for (const end of ends) end();
  };
}
