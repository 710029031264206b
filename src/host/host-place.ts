import { hostname } from "node:os";
import { addressText, instanceOf } from "../core/instance.js";
import type { Clock, Logger } from "../core/ports.js";
import type { Port } from "../server/port.js";
import { checkClientTls } from "../transport/client-tls.js";
import type { ResolvedHostOptions } from "./host-options.js";
import type { HostPort } from "./host-port.js";
import type { Registration } from "./registration.js";

/**
 * How long a host that hands its port over answers what still comes on open connections: longer than common HTTP clients
 * keep an idle one (undici and Node's agent: 4 s and 5 s).
 */
export const HAND_OVER_MS = 6_000;

/** What a host's place stands on. */
export interface HostPlaceParts {
  readonly options: ResolvedHostOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  bind(): Promise<HostPort>;
  /** Waits until a stop that has begun is over, and throws then. */
  refuseClosed(): Promise<void>;
}

/** Where callers find a host: its port and its entry in directories, and how one process gives them to the next. */
export class HostPlace {
  readonly #parts: HostPlaceParts;
  #bound: HostPort | undefined;
  #registration: Registration | undefined;

  constructor(parts: HostPlaceParts) {
    this.#parts = parts;
  }

  /** Undefined before it is bound. */
  get port(): Port | undefined {
    return this.#bound?.port;
  }

  /** Everything the port answers. */
  get routes(): readonly string[] {
    return this.#bound?.routes ?? [];
  }

  /** What was bound, or is to be. */
  get address(): { readonly host: string; readonly port: number } {
    return this.port?.address ?? this.#parts.options.endpoint;
  }

  /** What the instance is called, here and in directories. */
  get instance(): string {
    const { name, advertised } = this.#parts.options;
    if (name !== "") return name;
    const port = advertised?.port ?? this.address.port;
    // Two hosts of one machine may have the same port on different addresses.
    return advertised === undefined
      ? `${hostname()}:${port}`
      : `${hostname()}@${addressText(advertised.ip, port)}`;
  }

  /** Listens. */
  async bind(): Promise<void> {
    this.#bound = await this.#parts.bind();
    await this.#parts.refuseClosed();
  }

  /** Listens beside the process whose port it is still. */
  async takeOver(): Promise<Registration | undefined> {
    await this.bind();
    const registration = await this.prepareRegistration();
    await this.#parts.refuseClosed();
    return registration;
  }

  /**
   * Leaves the port to another process: tells callers to connect anew, and answers what they still send for a few seconds.
   *
   * @param listed - whether that process registers under the same name, so that the registration stays
   * @param closed - resolves when the host was closed meanwhile
   */
  async handOver(listed: boolean, closed: Promise<void>): Promise<void> {
    if (listed) this.#registration?.leave();
    else await this.#registration?.stop();
    await Promise.race([this.port?.leave(HAND_OVER_MS), closed]);
  }

  /** The outbound half of the engine is loaded only where there is a directory to talk to. */
  async prepareRegistration(): Promise<Registration | undefined> {
    const { options, clock, logger } = this.#parts;
    const { service, advertised, directories, weight, app, leaseTtlMs } = options;
    if (advertised === undefined) return undefined;
    const { createRegistration } = await import("./registration.js");
    return createRegistration({
      directories,
      token: options.directoryToken,
      // Again, now that there is a log for files that change to something of no use.
      tls: checkClientTls(options.directoryTls, "options.directoryTls", logger),
      service,
      instance: instanceOf({
        name: this.instance,
        host: advertised.ip,
        port: advertised.port ?? this.address.port,
        weight,
        app,
      }),
      leaseTtlMs,
      clock,
      random: Math.random,
      logger,
    });
  }

  /** Begins to register, if there is anything to register with. */
  register(registration: Registration | undefined): void {
    this.#registration = registration;
    registration?.start();
  }

  /** Registers no more. */
  async deregister(): Promise<void> {
    await this.#registration?.stop();
  }

  setWeight(weight: number): void {
    this.#registration?.setWeight(weight);
  }

  /** Shows directories this token from now on. */
  setDirectoryToken(token: string): void {
    this.#registration?.setToken(token);
  }
}
