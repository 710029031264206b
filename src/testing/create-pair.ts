import type { CompatServiceDefinition } from "nice-grpc";
import { createClient, type ServiceClient } from "../client/create-client.js";
import { addressText } from "../core/instance.js";
import { silentLogger } from "../core/ports.js";
import type { HostOptions } from "../host/host-options.js";
import { startHost } from "../host/start-host.js";
import type { ProcessorHost } from "../host/startable-host.js";
import type { AnyProcessor } from "../processor/processor.js";
import { PredictServiceDefinition } from "../wire/proto.js";

/** Options of {@link createPair}. */
export interface PairOptions<D extends CompatServiceDefinition> {
  /** Service that the client is made for. @defaultValue `PredictServiceDefinition` */
  readonly definition?: D | undefined;
  /** Options of the host; it is bound to a free port of this machine and silent unless they say otherwise. */
  readonly host?: HostOptions | undefined;
}

/** A running host and a client that calls it. */
export interface Pair<D extends CompatServiceDefinition> extends AsyncDisposable {
  readonly client: ServiceClient<D>;
  readonly host: ProcessorHost;
  /** Closes the client, then the host; idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a host for a processor and a client that calls it, over a real connection: what a test of a processor needs.
 *
 * @throws what `startHost` throws.
 * @example
 * ```ts
 * await using pair = await createPair(new Echo());
 * const { data } = await pair.client.predict({ data: Buffer.from("hi") });
 * ```
 */
export async function createPair<
  D extends CompatServiceDefinition = typeof PredictServiceDefinition,
>(processor: AnyProcessor, options: PairOptions<D> = {}): Promise<Pair<D>> {
  const host = await startHost(processor, {
    endpoint: "127.0.0.1:0",
    logger: silentLogger,
    ...options.host,
  });
  const definition = options.definition ?? PredictServiceDefinition;
  const client = createClient(definition as D, {
    target: addressText(host.address.host || "127.0.0.1", host.address.port),
    ...pairToken(options.host),
  });
  const close = async (): Promise<void> => {
    await client[Symbol.asyncDispose]();
    await host.close();
  };
  return { client, host, close, [Symbol.asyncDispose]: close };
}

/** The token that a pair's client sends: the first that its host takes. */
export function pairToken({ token }: Pick<HostOptions, "token"> = {}): { readonly token?: string } {
  if (token === undefined) return {};
  return { token: typeof token === "string" ? token : (token[0] ?? "") };
}
