import type { Instance } from "../core/instance.js";
import { checkNumber } from "../core/options.js";
import { type Clock, systemClock } from "../core/ports.js";
import { seededRandom } from "../core/seeded-random.js";
import { servingError } from "../core/serving-error.js";
import type { Snapshot } from "../core/snapshot.js";
import type { MetricsPage } from "../metrics/metrics-page.js";
import { createSource } from "../resolve/create-source.js";
import type { Source } from "../resolve/source.js";
import { createGrpcTransport } from "../transport/grpc-transport.js";
import { createSpreadTransport } from "../transport/spread-transport.js";
import type { TransportFactory } from "../transport/transport.js";
import { keepAmbientCall } from "./call/ambient-storage.js";
import { ChannelCore, type ChannelParts } from "./channel-core.js";
import type { ChannelOptions, ResolvedWay } from "./client-options.js";
import type { ClientMetrics } from "./metrics/client-metrics.js";
import { clientMetricsText } from "./metrics/client-metrics-text.js";
import { resolveChannelOptions } from "./resolve-options.js";

/** How {@link ServiceChannel.ready} waits. */
export interface ReadyOptions {
  /** Milliseconds; by default the channel's `firstListTimeoutMs`. Infinity = no limit. */
  readonly timeoutMs?: number | undefined;
  /** Gives up waiting; `ready` then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Knows the instances of one service and keeps the connections to them; for any number of clients. */
export interface ServiceChannel extends AsyncDisposable {
  /** The list of instances in use; before the first one an empty list of version 0. */
  snapshot(): Snapshot;
  /**
   * Begins to look for instances, and waits for the first list. Not for connections: those are made by calls.
   *
   * @throws DiscoveryError with what the source said last, or `LIST_TIMEOUT`.
   * @throws CallError `CLIENT_CLOSED`
   */
  ready(options?: ReadyOptions): Promise<Snapshot>;
  /** What the calls of all clients of this channel have gone through since it was opened, and how it stands now. */
  metrics(): ClientMetrics;
  /** The same in Prometheus's text format; for several channels on one page there is `clientMetricsText`. */
  metricsText(): Promise<MetricsPage>;
  /** Ends what is under way with `CLIENT_CLOSED`, stops looking and closes the connections; idempotent. */
  close(): Promise<void>;
}

class BalancedChannel implements ServiceChannel {
  readonly core: ChannelCore;

  constructor(core: ChannelCore) {
    this.core = core;
  }

  snapshot(): Snapshot {
    return this.core.snapshot;
  }

  async ready(options: ReadyOptions = {}): Promise<Snapshot> {
    const timeoutMs = options.timeoutMs ?? this.core.policy.firstListTimeoutMs;
    const range = { min: 0, max: 2 ** 31 - 1, integer: false, orInfinity: true };
    return await this.core.firstList(checkNumber(timeoutMs, "timeoutMs", range), options.signal);
  }

  metrics(): ClientMetrics {
    return this.core.readMetrics();
  }

  metricsText(): Promise<MetricsPage> {
    return clientMetricsText([this]);
  }

  close(): Promise<void> {
    return this.core.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.core.close();
  }
}

/** Makes a channel of given parts. */
export function createServiceChannel(parts: ChannelParts): ServiceChannel {
  return new BalancedChannel(new ChannelCore(parts));
}

/**
 * Opens a channel: one source and one set of connections, for several clients of the same target. Nothing happens before
 * the first call or `ready()`, and an idle channel does not keep the process alive.
 *
 * @throws ConfigError for options that make no sense, before anything is opened.
 * @example
 * ```ts
 * await using channel = openChannel({ target: "directory://127.0.0.1:8100/sentiment" });
 * const sentiment = createClient(SentimentServiceDefinition, { channel });
 * ```
 */
export function openChannel(options: ChannelOptions): ServiceChannel {
  const { target, ...way } = resolveChannelOptions(options);
  return openChannelOn(way, {
    createSource: (ports) => createSource(target, { ...way, ...ports }),
  });
}

/** What a channel stands on that is not opened by a target. */
export interface ChannelGround {
  readonly createSource: (ports: ChannelPorts) => Source;
  /** Over gRPC when left out. */
  readonly createTransport?: TransportFactory;
  /** The machine's own when left out. */
  readonly clock?: Clock;
}

/** Time, chance and the log of a channel. */
export type ChannelPorts = Pick<ChannelParts, "clock" | "random" | "logger">;

/** Opens a channel on another ground than a target's source. */
export function openChannelOn(way: ResolvedWay, ground: ChannelGround): ServiceChannel {
  keepAmbientCall();
  const { tls, logger, maxMessageBytes, pingIntervalMs, policy, seed } = way;
  const { clock = systemClock, createSource } = ground;
  const random = seed === undefined ? Math.random : seededRandom(seed);
  const ports: ChannelPorts = { clock, random, logger };
  const { connectTimeoutMs, loadReports } = policy.pool;
  const limits = { maxMessageBytes, pingIntervalMs, connectTimeoutMs };
  const transport = { tls, ...limits, loadReports, clock, random };
  const connect = (instance: Instance) => createGrpcTransport(instance, transport);
  return createServiceChannel({
    ...ports,
    source: createSource(ports),
    policy,
    createTransport:
      ground.createTransport ?? ((instance) => createSpreadTransport(instance, connect, clock)),
  });
}

/**
 * The inside of a channel that was handed to a client.
 *
 * @throws ConfigError `INVALID_OPTION` for anything else.
 */
export function coreOf(channel: ServiceChannel): ChannelCore {
  if (channel instanceof BalancedChannel) return channel.core;
  throw servingError("INVALID_OPTION", "channel is not one that openChannel has made");
}
