import type { CompatServiceDefinition } from "nice-grpc";
import { channelDefaults } from "../client/client-options.js";
import { createClient } from "../client/create-client.js";
import { resolveTargetless } from "../client/resolve-options.js";
import { openChannelOn } from "../client/service-channel.js";
import { instanceOf } from "../core/instance.js";
import { type Clock, silentLogger, systemClock } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import type { HostOptions } from "../host/host-options.js";
import { startHostOn } from "../host/start-host.js";
import type { AnyProcessor } from "../processor/processor.js";
import { createStaticSource } from "../resolve/static-source.js";
import { PredictServiceDefinition } from "../wire/proto.js";
import type { Pair, PairClientOptions } from "./create-pair.js";
import { checkPairOptions, pairToken } from "./create-pair.js";
import { MemoryPort } from "./memory-port.js";
import { MemoryTransport } from "./memory-transport.js";

/** Options of a host that only make sense with sockets. */
const socketOptions = [
  "endpoint",
  "tls",
  "directory",
  "directoryToken",
  "directoryTls",
  "leaseTtlMs",
  "advertise",
] as const;

/** Options of a host in memory: all but those of sockets and directories. */
export type MemoryHostOptions = Omit<HostOptions, (typeof socketOptions)[number]>;

/** Options of {@link createMemoryPair}. */
export interface MemoryPairOptions<D extends CompatServiceDefinition> {
  /** Service that the client is made for. @defaultValue `PredictServiceDefinition` */
  readonly definition?: D | undefined;
  /** Options of the host; it is silent unless they say otherwise. */
  readonly host?: MemoryHostOptions | undefined;
  /** How the client makes its calls. */
  readonly client?: PairClientOptions | undefined;
  /** Time of client and host, such as a `fakeClock()`. @defaultValue the machine's */
  readonly clock?: Clock | undefined;
}

/**
 * Starts a host for a processor and a client that calls it, joined in memory: no socket, no port. Everything else is as
 * over a connection: messages are encoded and decoded, admission, deadlines, limits, lanes, middleware, metadata and errors
 * are those of a real host and client.
 *
 * @throws what `startHost` throws; ConfigError `INVALID_OPTION` for options of the host that need sockets.
 * @example
 * ```ts
 * await using pair = await createMemoryPair(new Echo());
 * const { data } = await pair.client.predict({ data: Buffer.from("hi") });
 * ```
 */
export async function createMemoryPair<
  D extends CompatServiceDefinition = typeof PredictServiceDefinition,
>(processor: AnyProcessor, options: MemoryPairOptions<D> = {}): Promise<Pair<D>> {
  checkPairOptions(options, {
    definition: undefined,
    host: undefined,
    client: undefined,
    clock: undefined,
  });
  const { clock = systemClock } = options;
  const { methods, ...policy } = options.client ?? {};
  const hostOptions: HostOptions = options.host ?? {};
  const misplaced = socketOptions.find((key) => hostOptions[key] !== undefined);
  if (misplaced !== undefined) {
    const text = `options.host.${misplaced} has no meaning in memory: createPair has sockets`;
    throw servingError("INVALID_OPTION", text);
  }
  let port: MemoryPort | undefined;
  const openPort = async (given: ConstructorParameters<typeof MemoryPort>[0]) => {
    port = new MemoryPort(given);
    return port;
  };
  const host = await startHostOn({ clock, openPort }, processor, {
    logger: silentLogger,
    ...hostOptions,
  });
  const opened = port;
  if (opened === undefined) throw servingError("INTERNAL", "the host has opened no port");
  const { maxMessageBytes } = channelDefaults;
  const channel = openChannelOn(resolveTargetless({ ...pairToken(options.host), ...policy }), {
    clock,
    createSource: (ports) =>
      createStaticSource({ service: "memory", instances: [instanceOf(opened.address)] }, ports),
    createTransport: (instance) => new MemoryTransport(instance, opened, maxMessageBytes),
  });
  const definition = options.definition ?? PredictServiceDefinition;
  const client = createClient(definition as D, { channel, methods });
  const close = async (): Promise<void> => {
    await client[Symbol.asyncDispose]();
    await channel.close();
    await host.close();
  };
  return { client, host, close, [Symbol.asyncDispose]: close };
}
