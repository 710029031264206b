import { randomUUID } from "node:crypto";
import { type Backoff, createBackoff } from "../core/backoff.js";
import type { Endpoint } from "../core/endpoint.js";
import { type Instance, instanceOf } from "../core/instance.js";
import { emptyMetadata, type MetadataView, metadataOf } from "../core/metadata.js";
import type { CancelTimer, Clock, Logger, Random } from "../core/ports.js";
import type { RpcDefinition } from "../core/rpc-definition.js";
import { ServingError } from "../core/serving-error.js";
import { Status } from "../core/status.js";
import { createGrpcTransport } from "../transport/grpc-transport.js";
import type { ClientTls, Transport, TransportFactory } from "../transport/transport.js";
import { callUnary } from "../transport/unary-call.js";
import { durationFromMs, durationToMs } from "../wire/time.js";
import { deregisterRpc, instanceToWire, keepAliveRpc, registerRpc } from "../wire/upstream.js";

/** Keeps a host listed in its directories. */
export interface Registration {
  /** Registers with every directory, and keeps registered until `stop`; failures are logged and tried again. */
  start(): void;
  /** Registers anew with another weight; the lists change in one step. Only after `start`. */
  setWeight(weight: number): void;
  /** Shows this token to the directories from now on. */
  setToken(token: string): void;
  /** Lets the leases be, for whoever registers under the same name now, and renews them no more. */
  leave(): void;
  /** Gives every lease back; waits for the directories' answers, but not for long. */
  stop(): Promise<void>;
}

/** What a registration says, and to whom. */
export interface RegistrationOptions {
  /** All of them are told: some keep a memory of their own, and of those that share one any may be away. */
  readonly directories: readonly Endpoint[];
  readonly token: string | undefined;
  readonly tls: ClientTls | undefined;
  readonly service: string;
  readonly instance: Instance;
  readonly leaseTtlMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Makes the way to a directory; gRPC unless a test says otherwise. */
  readonly connect?: TransportFactory;
}

/**
 * A lease is renewed this often at least, however long it holds: a directory that restarts has forgotten it, and clients
 * wait 15 s for hosts to come back on the list (`resolve/removal-grace`).
 */
const LONGEST_RENEWAL_MS = 5_000;

const LONGEST_ANSWER_MS = 3_000;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 5_000;
const MAX_MESSAGE_BYTES = 1024 * 1024;

/** A lease that was lost while it held is no news; two within this time are a fight over the name. */
const FIGHT_MS = 4 * LONGEST_RENEWAL_MS;

/**
 * Makes the registration of one host: a lease at each of its directories, which is the same one at those that share a
 * store; nothing is sent before `start`.
 */
export function createRegistration(options: RegistrationOptions): Registration {
  const holder = randomUUID();
  const leases = options.directories.map(
    (directory) => new LeasedRegistration(directory, holder, options),
  );
  return {
    start() {
      for (const lease of leases) lease.start();
    },
    setWeight(weight) {
      for (const lease of leases) lease.setWeight(weight);
    },
    setToken(token) {
      for (const lease of leases) lease.setToken(token);
    },
    leave() {
      for (const lease of leases) lease.leave();
    },
    async stop() {
      await Promise.all(leases.map((lease) => lease.stop()));
    },
  };
}

/**
 * A lease at one directory.
 *
 * ```
 *  register --> held --(a third of the lease, 5 s at most)--> renew --> held
 *     ^ failed: after a wait          forgotten: at once register' '--failed: renew after a wait
 * ```
 *
 * An answer is waited for a sixth of the lease at most, and the first waits between tries are a twentieth and less of it,
 * so a lease outlives two tries to renew it that fail.
 */
class LeasedRegistration implements Registration {
  readonly #options: RegistrationOptions;
  readonly #directory: Instance;
  /** Tells directories that share a store that it is still the same host. */
  readonly #holder: string;
  readonly #connect: TransportFactory;
  #metadata: MetadataView;
  readonly #backoff: Backoff;
  #instance: Instance;
  /** What the lease says; another than `#instance` after a change that the directory has not been told of yet. */
  #told: Instance | undefined;
  #transport: Transport | undefined;
  #leaseId: string | undefined;
  #ttlMs: number;
  /** When the directory last said that the lease holds. */
  #heldSinceMs = Number.NEGATIVE_INFINITY;
  /** When a lease was last lost although it should have held. */
  #lostMs = Number.NEGATIVE_INFINITY;
  /** Whether the last try failed. */
  #failing = false;
  #cancelTimer: CancelTimer | undefined;
  #stopped = false;
  /** The exchange with the directory that is under way; stopping waits for it. */
  #exchange: Promise<void> = Promise.resolve();

  constructor(directory: Endpoint, holder: string, options: RegistrationOptions) {
    const { tls, token, leaseTtlMs, random } = options;
    this.#options = options;
    this.#holder = holder;
    this.#instance = options.instance;
    this.#directory = instanceOf(directory);
    this.#ttlMs = leaseTtlMs;
    this.#connect =
      options.connect ??
      ((instance) =>
        createGrpcTransport(instance, {
          tls,
          maxMessageBytes: MAX_MESSAGE_BYTES,
          pingIntervalMs: 0,
        }));
    this.#metadata = emptyMetadata;
    if (token !== undefined) this.setToken(token);
    this.#backoff = createBackoff(
      { initialMs: Math.min(FIRST_RETRY_MS, leaseTtlMs / 20), maxMs: LONGEST_RETRY_MS },
      random,
    );
  }

  start(): void {
    this.#run(() => this.#register());
  }

  setWeight(weight: number): void {
    this.#instance = { ...this.#instance, weight };
    const before = this.#exchange;
    this.#run(async () => {
      await before;
      // Of two changes in a row the second one's exchange tells both.
      if (this.#told === this.#instance) return;
      this.#cancelTimer?.();
      await this.#register();
    });
  }

  setToken(token: string): void {
    this.#metadata = metadataOf({ authorization: token });
  }

  leave(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancelTimer?.();
    void this.#exchange.then(() => this.#transport?.close());
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
          { directory: this.#directory.key, reason: message },
          "could not deregister: the lease will end by itself",
        );
      }
    }
    this.#transport?.close();
  }

  get #fields(): { readonly directory: string; readonly name: string } {
    return { directory: this.#directory.key, name: this.#instance.name };
  }

  /** How long the lease holds if nothing is heard of it. */
  get #leftMs(): number {
    return this.#heldSinceMs + this.#ttlMs - this.#options.clock.now();
  }

  #call<Req, Res>(definition: RpcDefinition<Req, Res>, request: Req): Promise<Res> {
    this.#transport ??= this.#connect(this.#directory);
    const timeoutMs = Math.min(LONGEST_ANSWER_MS, this.#ttlMs / 6);
    return callUnary(this.#transport, definition, request, { metadata: this.#metadata, timeoutMs });
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
    const { service, leaseTtlMs, logger } = this.#options;
    const instance = this.#instance;
    const lease = await this.#call(registerRpc, {
      service,
      instance: instanceToWire(instance),
      ttl: durationFromMs(leaseTtlMs),
      holder: this.#holder,
    });
    this.#leaseId = lease.leaseId;
    this.#told = instance;
    const { name, key: address } = instance;
    const directory = this.#directory.key;
    logger.info({ directory, service, name, address, weight: lease.weight }, "registered");
    this.#holds(lease);
  }

  async #renew(): Promise<void> {
    const leaseId = this.#leaseId;
    if (leaseId === undefined || this.#told !== this.#instance) return this.#register();
    try {
      const lease = await this.#call(keepAliveRpc, { leaseId });
      if (this.#failing) this.#options.logger.info(this.#fields, "registration renewed");
      this.#holds(lease);
    } catch (thrown) {
      if (ServingError.from(thrown).code !== Status.NOT_FOUND) throw thrown;
      this.#leaseId = undefined;
      // Given back at another directory of the same store, or taken over by the process that it was left to.
      if (this.#stopped) return;
      this.#lost();
      await this.#register();
    }
  }

  #holds({ ttl }: { readonly ttl?: Parameters<typeof durationToMs>[0] | undefined }): void {
    if (ttl !== undefined) this.#ttlMs = durationToMs(ttl);
    this.#heldSinceMs = this.#options.clock.now();
    this.#failing = false;
    this.#backoff.reset();
    this.#later(Math.min(this.#ttlMs / 3, LONGEST_RENEWAL_MS), () => this.#renew());
  }

  /** The directory restarted, the lease ran out, or another host took the name. Only the last goes on for ever. */
  #lost(): void {
    const { clock, logger } = this.#options;
    const now = clock.now();
    const held = this.#leftMs > 0;
    const again = now - this.#lostMs < FIGHT_MS;
    if (held) this.#lostMs = now;
    if (held && again) {
      logger.warn(
        this.#fields,
        "another host probably registers under the same name, each taking the other off the list: give each a name of its own",
      );
    } else {
      logger.warn(this.#fields, "the directory has forgotten the registration: registering anew");
    }
  }

  #failed(error: ServingError): void {
    const retryMs = Math.round(this.#backoff.next());
    const holdsMs = this.#leaseId === undefined ? 0 : Math.round(this.#leftMs);
    const fields = { ...this.#fields, reason: error.message, retryMs };
    // One warning until it works again: why it does not may be told differently at every try.
    const level = this.#failing ? "debug" : "warn";
    this.#failing = true;
    const { logger } = this.#options;
    if (holdsMs <= 0) logger[level](fields, "could not register");
    else {
      logger[level]({ ...fields, holdsMs }, "could not renew the registration, which still holds");
    }
    // grpc-js lets nobody hurry a connection that failed, and does not tell when it will try again.
    this.#transport?.close();
    this.#transport = undefined;
    this.#later(retryMs, () => this.#renew());
  }
}
