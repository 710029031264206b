import { type MetadataView, metadataOf } from "../core/metadata.js";
import type { Clock } from "../core/ports.js";
import type { RpcDefinition } from "../core/rpc-definition.js";
import { CallError } from "../core/serving-error.js";
import { Status } from "../core/status.js";
import { attemptError } from "../transport/attempt-error.js";
import { type BidiStream, openBidiStream, type StreamOptions } from "../transport/bidi-stream.js";
import { localEnd } from "../transport/local-end.js";
import type { Transport } from "../transport/transport.js";
import { callUnary } from "../transport/unary-call.js";
import { EtcdMembers, type EtcdMembersOptions } from "./etcd-members.js";

const CALL_TIMEOUT_MS = 5_000;

/** A member that has lost its leader says so at once, instead of waiting for one, or telling what was true before. */
const leaderNeeded: MetadataView = metadataOf({ hasleader: "true" });

/** What a client of etcd is made of. */
export interface EtcdClientOptions extends EtcdMembersOptions {
  readonly clock: Clock;
}

/** How one call is made. */
export interface EtcdCallOptions {
  /**
   * Milliseconds for the call, all members together.
   *
   * @defaultValue 5000
   */
  readonly timeoutMs?: number;
  /** Whether it may be made twice, after a member has perhaps done it; reading may. */
  readonly repeatable?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A stream on one member. */
export interface EtcdStream<Req> extends BidiStream<Req> {
  /** `host:port` of the member. */
  readonly member: string;
  /** Ends the stream because of its member: the next call or stream goes to another one, if there is one. */
  giveUp(): void;
}

/** Calls etcd: the member that answered last, another one when that cannot be reached or has no leader. */
export interface EtcdClient {
  /**
   * Makes a call; of a stream in both directions that is one message each way.
   *
   * A member that cannot be reached, or has refused before doing anything, is followed by the next one, each of them tried
   * once; one that may have done the call only where the call is `repeatable`.
   *
   * @throws CallError of the last member that was tried.
   */
  call<Req, Res>(
    definition: RpcDefinition<Req, Res>,
    request: Req,
    options?: EtcdCallOptions,
  ): Promise<Res>;
  /** Opens a stream on the member of the moment; there is no second try. */
  openStream<Req, Res>(
    definition: RpcDefinition<Req, Res>,
    first: Req,
    options: StreamOptions<Res>,
  ): EtcdStream<Req>;
  /** Ends its connections when what is under way on them has ended; idempotent. */
  close(): void;
}

/** Makes a client that connects nothing before its first call. */
export function createEtcdClient(options: EtcdClientOptions): EtcdClient {
  return new Client(options);
}

class Client implements EtcdClient {
  readonly #clock: Clock;
  readonly #members: EtcdMembers;

  constructor(options: EtcdClientOptions) {
    this.#clock = options.clock;
    this.#members = new EtcdMembers(options);
  }

  async call<Req, Res>(
    definition: RpcDefinition<Req, Res>,
    request: Req,
    { timeoutMs = CALL_TIMEOUT_MS, repeatable = false, signal }: EtcdCallOptions = {},
  ): Promise<Res> {
    const endMs = this.#clock.now() + timeoutMs;
    for (let untried = this.#members.size; ; untried -= 1) {
      const leftMs = endMs - this.#clock.now();
      // A member that hangs must leave time for the others, where they may be asked after it.
      const attemptMs = repeatable ? leftMs / untried : leftMs;
      const transport = this.#members.current();
      try {
        return await this.#attempt(transport, definition, request, { attemptMs, signal });
      } catch (thrown) {
        if (!(thrown instanceof CallError) || !memberFailed(thrown)) throw thrown;
        this.#members.failed(transport);
        const again = repeatable || thrown.safeToRepeat;
        if (untried <= 1 || !again || this.#clock.now() >= endMs) throw thrown;
      }
    }
  }

  openStream<Req, Res>(
    definition: RpcDefinition<Req, Res>,
    first: Req,
    options: StreamOptions<Res>,
  ): EtcdStream<Req> {
    const transport = this.#members.current();
    const stream = openBidiStream(transport, definition, first, {
      ...options,
      metadata: leaderNeeded,
      onEnd: (error) => {
        if (error === undefined || memberFailed(error)) this.#members.failed(transport);
        options.onEnd(error);
      },
    });
    return {
      member: transport.instance.key,
      get unsent() {
        return stream.unsent;
      },
      send: (message) => stream.send(message),
      end: () => stream.end(),
      cancel: () => stream.cancel(),
      giveUp: () => {
        this.#members.failed(transport);
        stream.cancel();
      },
    };
  }

  close(): void {
    this.#members.close();
  }

  async #attempt<Req, Res>(
    transport: Transport,
    definition: RpcDefinition<Req, Res>,
    request: Req,
    { attemptMs, signal }: { attemptMs: number; signal: AbortSignal | undefined },
  ): Promise<Res> {
    const timeoutMs = Math.max(1, attemptMs);
    const over = new AbortController();
    let timedOut = false;
    const cancelTimer = this.#clock.after(
      timeoutMs,
      () => {
        timedOut = true;
        over.abort();
      },
      { background: true },
    );
    try {
      const both = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
      const metadata = leaderNeeded;
      return await callUnary(transport, definition, request, { metadata, timeoutMs, signal: both });
    } catch (thrown) {
      if (!timedOut) throw thrown;
      const end = localEnd("DEADLINE_EXCEEDED", `no answer within ${Math.round(timeoutMs)} ms`);
      throw attemptError(definition.path, end, { instance: transport.instance.key });
    } finally {
      cancelTimer();
    }
  }
}

/** What a member says only after it has understood the call: another one would say the same. */
const answers: ReadonlySet<Status> = new Set([
  Status.INVALID_ARGUMENT,
  Status.NOT_FOUND,
  Status.ALREADY_EXISTS,
  Status.PERMISSION_DENIED,
  Status.RESOURCE_EXHAUSTED,
  Status.FAILED_PRECONDITION,
  Status.OUT_OF_RANGE,
  Status.UNAUTHENTICATED,
]);

function memberFailed({ reason, remote, code }: CallError): boolean {
  if (reason === "CANCELLED" || reason === "MESSAGE_TOO_LARGE") return false;
  return !(remote && answers.has(code));
}
