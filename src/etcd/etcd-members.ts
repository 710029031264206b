import type { Endpoint } from "../core/endpoint.js";
import { instanceOf } from "../core/instance.js";
import type { Random } from "../core/ports.js";
import { createGrpcTransport } from "../transport/grpc-transport.js";
import type { ClientTls, Transport, TransportFactory } from "../transport/transport.js";

/** As much as all keys that are read at once may take. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** How members are reached. */
export interface EtcdMembersOptions {
  /** Members of the cluster; any of them will do. */
  readonly members: readonly Endpoint[];
  readonly tls: ClientTls | undefined;
  readonly random: Random;
  /** Makes the way to a member; gRPC, which keeps no process alive, unless a test says otherwise. */
  readonly connect?: TransportFactory | undefined;
}

/** The way to the member of the moment: it stays the same until it fails, then it is the next one's turn. */
export class EtcdMembers {
  readonly #members: readonly Endpoint[];
  readonly #connect: TransportFactory;
  #turn: number;
  #current: Transport | undefined;
  #closed = false;

  constructor({ members, tls, random, connect }: EtcdMembersOptions) {
    this.#members = members;
    const options = {
      tls,
      maxMessageBytes: MAX_MESSAGE_BYTES,
      pingIntervalMs: 0,
      background: true,
    };
    this.#connect = connect ?? ((instance) => createGrpcTransport(instance, options));
    // Not all clients on the first member.
    this.#turn = Math.floor(random() * members.length);
  }

  /** How many members there are. */
  get size(): number {
    return this.#members.length;
  }

  /**
   * The way to the member of the moment; after `close` one that takes no calls.
   *
   * @throws ConfigError `INVALID_OPTION` for TLS material that cannot be used.
   */
  current(): Transport {
    if (this.#current !== undefined) return this.#current;
    const member = this.#members[this.#turn % this.#members.length];
    if (member === undefined) throw new Error("a cluster without members");
    const made = this.#connect(instanceOf(member));
    if (this.#closed) made.close();
    this.#current = made;
    return made;
  }

  /**
   * A member has failed. Its connection is not used again: a new one is tried at once, where an old one would wait between
   * its tries.
   */
  failed(transport: Transport): void {
    if (transport !== this.#current) return;
    transport.close();
    this.#current = undefined;
    this.#turn += 1;
  }

  /** Ends the connection when what is under way on it has ended. */
  close(): void {
    this.#closed = true;
    this.#current?.close();
  }
}
