import { type Instance, instanceOf } from "../../src/core/instance.js";
import { emptyMetadata } from "../../src/core/metadata.js";
import type { Clock } from "../../src/core/ports.js";
import { silentLogger } from "../../src/core/ports.js";
import type { RpcDefinition } from "../../src/core/rpc-definition.js";
import { ServingError, servingError } from "../../src/core/serving-error.js";
import { createMemoryStore } from "../../src/directory/memory-store.js";
import type { DirectoryStore } from "../../src/directory/store.js";
import type { AttemptListener, AttemptStart, Transport } from "../../src/transport/transport.js";
import { deregisterRpc, keepAliveRpc, registerRpc } from "../../src/wire/upstream.js";
import { leaseToWire, registrationFromWire } from "../../src/wire/upstream-registration.js";

/** A directory without sockets, with a real store, whose answers can be lost. */
export class FakeDirectory {
  readonly endpoint: { readonly host: string; readonly port: number };
  /** While "mute" nothing is answered; while "down" no connection comes up; while "failing" its store cannot be reached. */
  state: "up" | "mute" | "down" | "failing" = "up";
  /** Answers take so long. */
  delayMs = 0;
  /** Who registered, each time. */
  readonly holders: string[] = [];
  /** Names of the methods that were called, and when. */
  readonly calls: { readonly method: string; readonly atMs: number; readonly timeoutMs: number }[] =
    [];
  openTransports = 0;
  readonly #clock: Clock;
  #store: DirectoryStore;

  constructor(clock: Clock, port: number) {
    this.#clock = clock;
    this.endpoint = { host: "127.0.0.1", port };
    this.#store = createMemoryStore({ clock, logger: silentLogger });
  }

  /** Forgets everything. */
  restart(): void {
    this.#store = createMemoryStore({ clock: this.#clock, logger: silentLogger });
  }

  /** Keeps what it knows where another one does. */
  shareStoreOf(other: FakeDirectory): void {
    this.#store = other.#store;
  }

  /** What is listed. */
  instances(service: string): readonly Instance[] {
    return this.#store.list(service).instances;
  }

  /** `name@address` of what is listed. */
  listed(service: string): readonly string[] {
    return this.#store.list(service).instances.map(({ name, key }) => `${name}@${key}`);
  }

  /** Makes a way to it. */
  connect(): Transport {
    this.openTransports += 1;
    const instance = instanceOf(this.endpoint);
    return {
      instance,
      state: "ready",
      connect() {},
      onState: () => () => {},
      start: (start, listener) => this.#attempt(start, listener),
      close: () => {
        this.openTransports -= 1;
      },
    };
  }

  #attempt(start: AttemptStart, listener: AttemptListener): ReturnType<Transport["start"]> {
    const { path, timeoutMs } = start;
    const method = path.slice(path.lastIndexOf("/") + 1);
    this.calls.push({ method, atMs: this.#clock.now(), timeoutMs });
    const fail = (error: ServingError, remote: boolean): void => {
      const { code, message, reason } = error;
      listener.onEnd({ code, message, reason, trailers: emptyMetadata, remote });
    };
    return {
      send: (bytes) => {
        if (this.state === "mute") {
          const late = servingError("DEADLINE_EXCEEDED", "no answer");
          this.#clock.after(timeoutMs, () => fail(late, false));
          return;
        }
        if (this.state === "down") {
          queueMicrotask(() => fail(servingError("CONNECT_FAILED", "refused"), false));
          return;
        }
        this.#later(() => this.#answer(method, bytes)).then(
          (answer) => {
            listener.onMessage(answer);
            listener.onEnd({
              code: 0,
              message: "",
              reason: undefined,
              trailers: emptyMetadata,
              remote: true,
            });
          },
          (thrown: unknown) => fail(ServingError.from(thrown), true),
        );
      },
      halfClose() {},
      read() {},
      cancel() {},
    };
  }

  async #later(work: () => Promise<Uint8Array>): Promise<Uint8Array> {
    if (this.delayMs > 0) {
      await new Promise<void>((resolve) => this.#clock.after(this.delayMs, resolve));
    }
    return work();
  }

  async #answer(method: string, bytes: Uint8Array): Promise<Uint8Array> {
    const store = this.#store;
    if (this.state === "failing") throw servingError("STORE_FAILED", "etcd is away");
    if (method === "Register") {
      return answer(registerRpc, bytes, async (request) => {
        this.holders.push(request.holder);
        return leaseToWire(await store.register(registrationFromWire(request)));
      });
    }
    if (method === "KeepAlive") {
      return answer(keepAliveRpc, bytes, async ({ leaseId }) =>
        leaseToWire(await store.keepAlive(leaseId)),
      );
    }
    return answer(deregisterRpc, bytes, async ({ leaseId }) => {
      await store.deregister(leaseId);
      return {};
    });
  }
}

async function answer<Req, Res>(
  definition: RpcDefinition<Req, Res>,
  bytes: Uint8Array,
  handle: (request: Req) => Promise<Res>,
): Promise<Uint8Array> {
  return definition.encodeResponse(await handle(definition.decodeRequest(bytes)));
}

/** Makes the ways to several directories. */
export function connectTo(
  directories: readonly FakeDirectory[],
): (instance: Instance) => Transport {
  return ({ key }) => {
    const found = directories.find(({ endpoint }) => instanceOf(endpoint).key === key);
    if (found === undefined) throw new Error(`there is no directory ${key}`);
    return found.connect();
  };
}
