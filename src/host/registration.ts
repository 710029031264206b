import { createBackoff } from "../core/backoff.js";
import type { Endpoint } from "../core/endpoint.js";
import { type Instance, instanceOf } from "../core/instance.js";
import { emptyMetadata, type MetadataView, metadataOf } from "../core/metadata.js";
import type { CancelTimer, Clock, Logger, Random } from "../core/ports.js";
import type { RpcDefinition } from "../core/rpc-definition.js";
import { ServingError } from "../core/serving-error.js";
import { Status } from "../core/status.js";
import { createGrpcTransport } from "../transport/grpc-transport.js";
import type { ClientTls, Transport } from "../transport/transport.js";
import { callUnary } from "../transport/unary-call.js";
import { durationFromMs, durationToMs } from "../wire/time.js";
import { deregisterRpc, instanceToWire, keepAliveRpc, registerRpc } from "../wire/upstream.js";

/** Keeps a host listed in a directory. */
export interface Registration {
  /** Registers, and keeps registered until `stop`; failures are logged and tried again. */
  start(): void;
  /** Gives the lease back; waits for the directory's answer, but not for long. */
  stop(): Promise<void>;
}

/** What a registration says, and to whom. */
export interface RegistrationOptions {
  /** Tried in turn; at least one. */
  readonly directories: readonly Endpoint[];
  readonly token: string | undefined;
  readonly tls: ClientTls | undefined;
  readonly service: string;
  readonly instance: Instance;
  readonly leaseTtlMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const ANSWER_TIMEOUT_MS = 3_000;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 5_000;
const MAX_MESSAGE_BYTES = 1024 * 1024;

/** Makes the registration of one host; nothing is sent before `start`. */
export function createRegistration(options: RegistrationOptions): Registration {
  return new LeasedRegistration(options);
}

class LeasedRegistration implements Registration {
  readonly #options: RegistrationOptions;
  readonly #transports: readonly Transport[];
  readonly #metadata: MetadataView;
  readonly #backoff: ReturnType<typeof createBackoff>;
  #turn = 0;
  #leaseId: string | undefined;
  #cancelTimer: CancelTimer | undefined;
  #stopped = false;
  /** The exchange with a directory that is under way; stopping waits for it. */
  #exchange: Promise<void> = Promise.resolve();

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#transports = options.directories.map((endpoint) =>
      createGrpcTransport(instanceOf(endpoint), {
        tls: options.tls,
        maxMessageBytes: MAX_MESSAGE_BYTES,
        pingIntervalMs: 0,
      }),
    );
    this.#metadata =
      options.token === undefined ? emptyMetadata : metadataOf({ authorization: options.token });
    this.#backoff = createBackoff(
      { initialMs: FIRST_RETRY_MS, maxMs: LONGEST_RETRY_MS },
      options.random,
    );
  }

  start(): void {
    this.#run(() => this.#register());
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancelTimer?.();
    await this.#exchange;
    const leaseId = this.#leaseId;
    if (leaseId !== undefined) {
      try {
        await this.#call(deregisterRpc, { leaseId });
      } catch (thrown) {
        const { message } = ServingError.from(thrown);
        this.#options.logger.warn(
          { reason: message },
          "could not deregister: the lease will end by itself",
        );
      }
    }
    for (const transport of this.#transports) transport.close();
  }

  get #transport(): Transport {
    const transport = this.#transports[this.#turn % this.#transports.length];
    if (transport === undefined) throw new Error("a registration needs a directory");
    return transport;
  }

  #call<Req, Res>(definition: RpcDefinition<Req, Res>, request: Req): Promise<Res> {
    const { metadata, timeoutMs } = { metadata: this.#metadata, timeoutMs: ANSWER_TIMEOUT_MS };
    return callUnary(this.#transport, definition, request, { metadata, timeoutMs });
  }

  #run(step: () => Promise<void>): void {
    if (this.#stopped) return;
    this.#exchange = step().catch((thrown: unknown) => this.#failed(ServingError.from(thrown)));
  }

  #later(ms: number, step: () => Promise<void>): void {
    if (this.#stopped) return;
    this.#cancelTimer = this.#options.clock.after(ms, () => this.#run(step), { background: true });
  }

  async #register(): Promise<void> {
    const { service, instance, leaseTtlMs, logger } = this.#options;
    const lease = await this.#call(registerRpc, {
      service,
      instance: instanceToWire(instance),
      ttl: durationFromMs(leaseTtlMs),
    });
    this.#leaseId = lease.leaseId;
    this.#backoff.reset();
    const directory = this.#transport.instance.key;
    const { name, key: address } = instance;
    logger.info({ directory, service, name, address, weight: lease.weight }, "registered");
    this.#renewLater(lease.ttl);
  }

  /** A third of the lease leaves room for two tries that fail. */
  #renewLater(ttl: Parameters<typeof durationToMs>[0] | undefined): void {
    const ttlMs = ttl === undefined ? this.#options.leaseTtlMs : durationToMs(ttl);
    this.#later(ttlMs / 3, () => this.#renew());
  }

  async #renew(): Promise<void> {
    const leaseId = this.#leaseId;
    if (leaseId === undefined) return this.#register();
    try {
      const { ttl } = await this.#call(keepAliveRpc, { leaseId });
      this.#renewLater(ttl);
    } catch (thrown) {
      if (ServingError.from(thrown).code !== Status.NOT_FOUND) throw thrown;
      this.#options.logger.warn(
        {},
        "the directory has forgotten the registration: registering anew",
      );
      await this.#register();
    }
  }

  #failed(error: ServingError): void {
    const directory = this.#transport.instance.key;
    this.#turn++;
    const retryMs = Math.round(this.#backoff.next());
    this.#options.logger.warn({ directory, reason: error.message, retryMs }, "could not register");
    this.#later(retryMs, () => this.#register());
  }
}
