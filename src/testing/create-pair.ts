import type { CompatServiceDefinition } from "nice-grpc";
import type { CallPolicyOptions, ClientOnlyOptions } from "../client/client-options.js";
import { createClient, type ServiceClient } from "../client/create-client.js";
import { addressText } from "../core/instance.js";
import { fillOptions } from "../core/options.js";
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
  /** How the client makes its calls. */
  readonly client?: PairClientOptions | undefined;
}

/** Options of a pair's client: limits, retries and hedges, for all methods or one. */
export type PairClientOptions = CallPolicyOptions & Pick<ClientOnlyOptions, "methods">;

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
 * @throws what `startHost` throws; ConfigError `UNKNOWN_OPTION`.
 * @example
 * ```ts
 * await using pair = await createPair(new Echo());
 * const { data } = await pair.client.predict({ data: Buffer.from("hi") });
 * ```
 */
export async function createPair<
  D extends CompatServiceDefinition = typeof PredictServiceDefinition,
>(processor: AnyProcessor, options: PairOptions<D> = {}): Promise<Pair<D>> {
  checkPairOptions(options, { definition: undefined, host: undefined, client: undefined });
  const host = await startHost(processor, {
    endpoint: "127.0.0.1:0",
    logger: silentLogger,
    ...options.host,
  });
  const definition = options.definition ?? PredictServiceDefinition;
  const client = createClient(definition as D, {
    target: addressText(host.address.host || "127.0.0.1", host.address.port),
    ...pairToken(options.host),
    ...options.client,
  });
  const close = async (): Promise<void> => {
    await client[Symbol.asyncDispose]();
    await host.close();
  };
  return { client, host, close, [Symbol.asyncDispose]: close };
}

/**
 * Refuses options that pairs do not have: a policy in the wrong place would look as if it were tested.
 *
 * @throws ConfigError `UNKNOWN_OPTION` with the nearest one.
 */
export function checkPairOptions(
  options: object,
  known: Readonly<Record<string, undefined>>,
): void {
  fillOptions<Record<string, unknown>>({ ...options }, known, "options");
}

/** The token that a pair's client sends: the first that its host takes. */
export function pairToken({ token }: Pick<HostOptions, "token"> = {}): { readonly token?: string } {
  if (token === undefined) return {};
  return { token: typeof token === "string" ? token : (token[0] ?? "") };
}
