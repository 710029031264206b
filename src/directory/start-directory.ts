import { isLoopback } from "../core/endpoint.js";
import { addressText } from "../core/instance.js";
import { type Logger, systemClock } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import { createLogger } from "../server/logger.js";
import { openPort, type Port } from "../server/port.js";
import type { RequestHead } from "../server/request-head.js";
import { createTokenGuard } from "../server/token-guard.js";
import { checkClientTls } from "../transport/client-tls.js";
import {
  type DirectoryOptions,
  type ResolvedDirectoryOptions,
  resolveDirectoryOptions,
} from "./directory-options.js";
import { createJsonDoor, healthPaths } from "./json-door.js";
import { openStore } from "./open-store.js";
import type { DirectoryStore } from "./store.js";
import { upstreamRoutes, writingPaths } from "./upstream-door.js";
import { createWatchHub, type WatchHub } from "./watch-hub.js";

/** How long a stopping directory waits for calls in progress; all of its own are short. */
const GRACE_MS = 2_000;

/** A directory that runs. */
export interface Directory extends AsyncDisposable {
  /** What was bound: port 0 has become a number. */
  readonly address: { readonly host: string; readonly port: number };
  /** Ends watches, so that clients look for another directory, and frees the port; idempotent. */
  close(): Promise<void>;
}

/**
 * Starts the server that knows which instances serve a service: `UpstreamService` over gRPC and the discovery JSON of
 * EAS over HTTP, on one port.
 *
 * @throws ConfigError `UNKNOWN_OPTION` or `INVALID_OPTION`; HostError `ADDRESS_IN_USE`, `STORE_FAILED`, `STORE_DAMAGED` or
 * `STORE_IN_USE`; the signal's reason when that is aborted while the store is being opened.
 *
 * @param signal - gives up a start that waits for its store; a directory that runs is closed by `close`
 *
 * @example
 * ```ts
 * await using directory = await startDirectory({ endpoint: "127.0.0.1:8100" });
 * console.log(directory.address.port);
 * ```
 */
export async function startDirectory(
  options?: DirectoryOptions,
  signal?: AbortSignal,
): Promise<Directory> {
  const resolved = resolveDirectoryOptions(options);
  const { endpoint, limits, tls, reduceWeights, store: kind } = resolved;
  const logger = resolved.logger ?? createLogger("info");
  const authorize = createAuthorize(resolved);
  const clock = systemClock;
  // Again, now that there is a log for files that change to something of no use.
  const storeTls = checkClientTls(resolved.storeTls, "storeTls", logger);
  const ports = { clock, random: Math.random, logger, tls: storeTls, signal };
  const store = await openStore(kind, ports);
  const hub = createWatchHub(store, clock);
  const state = { ready: true };
  const http = createJsonDoor(store, { reduceWeights, ready: () => state.ready });
  const rpcRoutes = upstreamRoutes(store, hub);
  try {
    const port = await openPort({
      endpoint,
      tls,
      limits,
      rpcRoutes,
      http,
      authorize,
      clock,
      logger,
    });
    announce(port, resolved, logger);
    return new RunningDirectory(port, store, hub, state);
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
}

class RunningDirectory implements Directory {
  readonly #port: Port;
  readonly #store: DirectoryStore;
  readonly #hub: WatchHub;
  readonly #state: { ready: boolean };
  #closing: Promise<void> | undefined;

  constructor(port: Port, store: DirectoryStore, hub: WatchHub, state: { ready: boolean }) {
    this.#port = port;
    this.#store = store;
    this.#hub = hub;
    this.#state = state;
  }

  get address(): { readonly host: string; readonly port: number } {
    return this.#port.address;
  }

  close(): Promise<void> {
    this.#closing ??= this.#stop();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #stop(): Promise<void> {
    this.#state.ready = false;
    this.#hub.close();
    await this.#port.drain(GRACE_MS);
    await this.#store.close();
  }
}

function createAuthorize({
  token,
  readToken,
}: ResolvedDirectoryOptions): (head: RequestHead) => ServingError | undefined {
  const writing = createTokenGuard(token, "token");
  const reading = createTokenGuard(readToken, "readToken");
  return ({ kind, path, metadata }) => {
    if (kind === "http" && healthPaths.has(path)) return undefined;
    const writes = kind === "rpc" && writingPaths.has(path);
    const given = metadata.get("authorization");
    if (writing.accepts(given)) return undefined;
    if (!writes && reading.accepts(given)) return undefined;
    const needed = writes ? "the directory's token" : "the directory's readToken or token";
    return servingError("UNAUTHENTICATED", `authorization does not name ${needed}`);
  };
}

function announce(port: Port, { endpoint, token }: ResolvedDirectoryOptions, logger: Logger): void {
  const address = addressText(endpoint.host, port.address.port);
  logger.info({ address }, "directory started");
  if (token === undefined && !isLoopback(endpoint.host)) {
    logger.warn(
      { address },
      "anybody who reaches the directory may register instances and so collect calls: set token",
    );
  }
}
