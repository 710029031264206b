import { nativeMetadataSize } from "../core/metadata.js";
import type { Clock } from "../core/ports.js";
import type { Port, PortOptions } from "../server/port.js";
import type { RpcReader } from "../server/rpc.js";
import { RpcGate } from "../server/rpc-gate.js";
import type { HostSide, MemoryCall, MemoryCallOwner } from "./memory-call.js";

/** A host's port without a socket: calls are handed to it. */
export class MemoryPort implements Port, MemoryCallOwner {
  readonly address: Port["address"] = { host: "memory", port: 1 };
  readonly connections = 0;
  readonly clock: Clock;
  readonly maxMessageBytes: number;
  readonly #gate: RpcGate<HostSide>;
  readonly #onClosed: (() => void) | undefined;
  readonly #calls = new Set<MemoryCall>();
  readonly #stopped = new Set<() => void>();
  #open = true;
  #idle: (() => void) | undefined;

  constructor(options: PortOptions) {
    const { limits, rpcRoutes, authorize, clock } = options;
    this.clock = clock;
    this.#onClosed = options.onClosed;
    this.maxMessageBytes = limits.maxMessageBytes;
    this.#gate = new RpcGate({ limits, routes: rpcRoutes, authorize, clock });
  }

  get open(): boolean {
    return this.#open;
  }

  /** Calls back once when no more calls are taken, unless taken back. */
  onStopped(listener: () => void): () => void {
    this.#stopped.add(listener);
    return () => {
      this.#stopped.delete(listener);
    };
  }

  /** A call has begun. */
  began(call: MemoryCall): void {
    this.#calls.add(call);
  }

  ended(call: MemoryCall): void {
    this.#calls.delete(call);
    if (this.#calls.size === 0) this.#idle?.();
  }

  isSingle(path: string): boolean {
    return this.#gate.routeOf(path)?.requestStream !== true;
  }

  accept(call: HostSide): RpcReader | undefined {
    return this.#gate.accept(call, nativeMetadataSize(call.metadata.native));
  }

  bodyOver(call: HostSide): void {
    this.#gate.bodyOver(call);
  }

  bodyLate(call: HostSide): void {
    this.#gate.bodyLate(call);
  }

  callOver(call: HostSide): void {
    this.#gate.callOver(call);
  }

  listConnections(): readonly [] {
    return [];
  }

  leave(lingerMs: number): Promise<void> {
    return this.drain(lingerMs);
  }

  async drain(graceMs: number): Promise<void> {
    this.#stop();
    if (this.#calls.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.clock.after(graceMs, resolve);
        this.#idle = () => {
          cancel();
          resolve();
        };
      });
    }
    await this.close();
  }

  async close(): Promise<void> {
    this.#stop();
    this.#gate.close();
    this.#onClosed?.();
    for (const call of [...this.#calls]) call.break();
  }

  #stop(): void {
    this.#open = false;
    const told = [...this.#stopped];
    this.#stopped.clear();
    for (const listener of told) listener();
  }
}
