import type { Instance } from "../core/instance.js";
import { createGrpcHealth } from "../transport/grpc-health.js";
import { sentMetadata } from "../transport/grpc-metadata.js";
import { countedTimeout, requestMetadata, unsent } from "../transport/grpc-transport.js";
import type {
  Attempt,
  AttemptListener,
  AttemptStart,
  Transport,
  TransportHealth,
  TransportState,
} from "../transport/transport.js";
import { MemoryCall } from "./memory-call.js";
import type { MemoryPort } from "./memory-port.js";

/** The way to a host's port in memory. */
export class MemoryTransport implements Transport {
  readonly instance: Instance;
  readonly health: TransportHealth;
  readonly #port: MemoryPort;
  readonly #maxMessageBytes: number;
  readonly #listeners = new Set<(state: TransportState) => void>();
  #state: TransportState = "idle";
  #stopListening: () => void = () => {};

  constructor(instance: Instance, port: MemoryPort, maxMessageBytes: number) {
    this.instance = instance;
    this.health = createGrpcHealth(this, { clock: port.clock, random: Math.random });
    this.#port = port;
    this.#maxMessageBytes = maxMessageBytes;
  }

  get state(): TransportState {
    return this.#state;
  }

  connect(): void {
    if (this.#state !== "idle" && this.#state !== "failed") return;
    this.#become("connecting");
    setImmediate(() => {
      if (this.#state !== "connecting") return;
      if (this.#port.open) this.#stopListening = this.#port.onStopped(() => this.#become("failed"));
      this.#become(this.#port.open ? "ready" : "failed");
    });
  }

  onState(listener: (state: TransportState) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  start(start: AttemptStart, listener: AttemptListener): Attempt {
    const metadata = sentMetadata(requestMetadata(start));
    if (this.#state === "closed") return unsent("the connection was closed", listener);
    this.connect();
    const { path } = start;
    const timeoutMs = countedTimeout(start.timeoutMs);
    const maxMessageBytes = this.#maxMessageBytes;
    const call = new MemoryCall(
      { path, metadata, timeoutMs, maxMessageBytes },
      this.#port,
      listener,
    );
    this.#port.began(call);
    return call;
  }

  close(): void {
    this.#stopListening();
    this.#become("closed");
    this.#listeners.clear();
  }

  #become(state: TransportState): void {
    if (this.#state === state || this.#state === "closed") return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }
}
