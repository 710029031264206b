import { type Channel, type ChannelInterface, connectivityState } from "@grpc/grpc-js";
import { servingError } from "../core/serving-error.js";
import { BalancedCall } from "./balanced-call.js";
import { CallContext } from "./call-context.js";
import type { ChannelCore } from "./channel-core.js";
import type { MethodPolicy } from "./method-table.js";

type CreateCallArguments = Parameters<ChannelInterface["createCall"]>;
type WatchArguments = Parameters<ChannelInterface["watchConnectivityState"]>;

/**
 * What a client takes for its grpc-js channel: every call that it makes goes to an instance of its own.
 *
 * grpc-js's `Channel` interface is public and made to be wrapped; its resolver and balancer hooks are neither.
 */
export class ChannelFacade implements ChannelInterface {
  readonly #core: ChannelCore;
  readonly #methods: ReadonlyMap<string, MethodPolicy>;
  #next: CallContext | undefined;
  #closed = false;

  constructor(core: ChannelCore, methods: readonly MethodPolicy[]) {
    this.#core = core;
    this.#methods = new Map(methods.map((method) => [method.path, method]));
  }

  /** Whether this client takes no more calls; the channel may go on. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Says whose call the next `createCall` is; see TaggedMetadata. */
  readonly announce = (context: CallContext): void => {
    this.#next = context;
  };

  createCall(...[path, deadline]: CreateCallArguments): BalancedCall {
    const context = this.#next ?? new CallContext({});
    this.#next = undefined;
    const method = this.#methods.get(path);
    if (method === undefined) {
      throw servingError("INVALID_OPTION", `${path} is no method of this client's service`);
    }
    const { extras } = context;
    const deadlineMs = Number(deadline);
    const call = new BalancedCall({ core: this.#core, owner: this, method, extras, deadlineMs });
    context.call = call.runner;
    return call;
  }

  close(): void {
    this.#closed = true;
    this.#core.closeCalls(this);
  }

  getTarget(): string {
    return this.#core.sourceName;
  }

  getConnectivityState(): connectivityState {
    if (this.#closed || this.#core.closed) return connectivityState.SHUTDOWN;
    return this.#core.pool.usable > 0 ? connectivityState.READY : connectivityState.IDLE;
  }

  watchConnectivityState(...[, , callback]: WatchArguments): void {
    process.nextTick(callback, new Error("many connections have no one state, use ready()"));
  }

  getChannelzRef(): never {
    throw new Error("channelz is switched off");
  }
}

/** A channel as nice-grpc wants it: its type names grpc-js's class, its code uses no more than the interface. */
export function asGrpcChannel(channel: ChannelInterface): Channel {
  return channel as Channel;
}
