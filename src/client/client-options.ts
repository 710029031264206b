import type { ClientMiddleware } from "nice-grpc-common";
import type { Logger } from "../core/ports.js";
import type { Target } from "../resolve/target/target.js";
import type { ClientTls } from "../transport/transport.js";
import type { CallExtras } from "./call-context.js";
import { type PoolOptions, poolDefaults, type ResolvedPoolPolicy } from "./pool-options.js";

/** A secret, or a function that is asked for it before each use, so that it may change. */
export type TokenSource = string | (() => string | Promise<string>);

/** How calls are made; for one method under `methods`, for all of them among the options of a channel. */
export interface CallPolicyOptions {
  /**
   * Deadline of a call with all its attempts, in milliseconds; of a stream of answers, to its first message. It is put on
   * the wire, except for streams of answers. 1 or more; Infinity = none.
   *
   * @defaultValue 5000
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Longest time between two messages of a stream of answers, of either side, in milliseconds; time in which the app does
   * not ask for one does not count. 1 or more; Infinity = none.
   *
   * @defaultValue 60000
   */
  readonly streamIdleTimeoutMs?: number | undefined;
  /**
   * Attempts of a call in all, each on another instance where there is one. A call is tried again only when that is safe:
   * it never left, the instance refused it before any work, or it is idempotent and the instance was unavailable. A
   * stream of answers is not tried again once its headers have come, nor a streamed request above 1 MiB. What never left
   * does not count while there is an instance that the call has not tried. 1 to 10; 1 = never again, not even then.
   *
   * @defaultValue 3
   */
  readonly maxAttempts?: number | undefined;
  /**
   * After so many milliseconds without an answer an idempotent call is sent to another instance as well, within `maxAttempts`
   * and the retry budget, and so on each time as many later; the first answer counts, the others are given up. Only for one
   * request and one answer. 1 or more, less than `timeoutMs`; Infinity = never. By name it is refused for a method that it
   * cannot apply to; for all methods it applies where it can. gRPC's name: `hedgingDelay`.
   *
   * @defaultValue Infinity
   */
  readonly hedgeDelayMs?: number | undefined;
}

/** Options of one method, or of all under `"*"`. */
export interface MethodOptions extends CallPolicyOptions {
  /** Doing the work twice is harmless; wins over the proto's `idempotency_level`. */
  readonly idempotent?: boolean | undefined;
  /** Sent with every call that does not set the same key itself. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** Options of {@link openChannel}. */
export interface ChannelOptions extends CallPolicyOptions, PoolOptions {
  /** Where the instances are: `host:port[,host:port]`, `static:`, `directory:`, `http:` and so on. */
  readonly target: string;
  /** Sent to instances as `authorization`, bare, unless a call sets that itself. */
  readonly token?: TokenSource | undefined;
  /** TLS to the instances; `true` trusts the system's authorities. */
  readonly tls?: boolean | ClientTls | undefined;
  /** Sent as `authorization` to who lists the instances: directories, EAS, Kubernetes; etcd takes none. */
  readonly directoryToken?: TokenSource | undefined;
  /** TLS to who lists the instances: directories, EAS, etcd, Kubernetes. */
  readonly directoryTls?: boolean | ClientTls | undefined;
  /**
   * What each call that succeeds adds to the budget of retries and hedges, 0 to 1: 0.1 allows one in ten calls. There are ten
   * to begin with and a hundred at most; below ten one comes by itself every 100 seconds. What was never sent costs
   * nothing. 0 = nothing else is sent again, nor hedged.
   *
   * @defaultValue 0.1
   */
  readonly retryBudgetRatio?: number | undefined;
  /**
   * How long a call, or `ready`, waits for the first list of instances, in milliseconds. 1 or more; Infinity = as long as the
   * call may take.
   *
   * @defaultValue 5000
   */
  readonly firstListTimeoutMs?: number | undefined;
  /**
   * How long one try to connect may take, and how long a call waits when no instance can be reached, in milliseconds. 1 or
   * more.
   *
   * @defaultValue 2000
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Time between two polls of sources that poll, in milliseconds; each is drawn from 80 % to 120 % of it.
   * 10 or more.
   *
   * @defaultValue 5000
   */
  readonly pollIntervalMs?: number | undefined;
  /**
   * Time between HTTP/2 pings, in milliseconds; 0 = none, else 1,000 or more. With grpc-js a ping after a server has said
   * that it stops ends the calls that it still serves.
   *
   * @defaultValue 0
   */
  readonly pingIntervalMs?: number | undefined;
  /**
   * Largest message either way, in bytes; 1 to 2,147,483,647.
   *
   * @defaultValue 67108864 (64 MiB)
   */
  readonly maxMessageBytes?: number | undefined;
  /** Where lines go; without it nowhere. Any logger of pino's shape. */
  readonly logger?: Logger | undefined;
  /** Makes picks and waits repeatable; without it they are random. Any number from -2^53 to 2^53. */
  readonly seed?: number | undefined;
  /**
   * Whether instances that have `grpc.health.v1` are asked to tell when they are (not) ready; those that say they are not get
   * no calls.
   *
   * @defaultValue true
   */
  readonly healthCheck?: boolean | undefined;
}

/** What a client has for itself, also on a shared channel. */
export interface ClientOnlyOptions<Ext = object> {
  /** Options by method name (as the client has it), or `"*"` for all; the name wins over `"*"`. */
  readonly methods?: Readonly<Record<string, MethodOptions>> | undefined;
  /** nice-grpc client middleware; the first one sees a call first. */
  readonly middleware?: readonly ClientMiddleware<Ext, CallExtras>[] | undefined;
}

/** Options of {@link createClient} for a client with a channel of its own. */
export interface ClientOptions<Ext = object> extends ChannelOptions, ClientOnlyOptions<Ext> {}

type WithoutDefault = "token" | "tls" | "directoryToken" | "directoryTls" | "logger" | "seed";

/** Options of a channel where every key is there; unchecked. */
export type FilledChannelOptions = {
  [K in keyof Required<ChannelOptions>]: K extends WithoutDefault
    ? ChannelOptions[K]
    : NonNullable<ChannelOptions[K]>;
};

/** Defaults of {@link ChannelOptions}. */
export const channelDefaults: Readonly<FilledChannelOptions> = Object.freeze({
  target: "",
  token: undefined,
  tls: undefined,
  directoryToken: undefined,
  directoryTls: undefined,
  timeoutMs: 5_000,
  streamIdleTimeoutMs: 60_000,
  maxAttempts: 3,
  hedgeDelayMs: Number.POSITIVE_INFINITY,
  ...poolDefaults,
  healthCheck: true,
  retryBudgetRatio: 0.1,
  firstListTimeoutMs: 5_000,
  connectTimeoutMs: 2_000,
  pollIntervalMs: 5_000,
  pingIntervalMs: 0,
  maxMessageBytes: 64 * 1024 * 1024,
  logger: undefined,
  seed: undefined,
});

/** Call policy with nothing left out. */
export interface ResolvedCallPolicy {
  readonly timeoutMs: number;
  readonly streamIdleTimeoutMs: number;
  readonly maxAttempts: number;
  readonly hedgeDelayMs: number;
}

/** What a channel is made with when source and transports are given: nothing left out, everything checked. */
export interface ResolvedPolicy extends ResolvedCallPolicy {
  readonly token: TokenSource | undefined;
  readonly retryBudgetRatio: number;
  readonly firstListTimeoutMs: number;
  readonly pool: ResolvedPoolPolicy;
}

/** What a hedge of a method depends on besides its own policy. */
export type MethodGround = ResolvedCallPolicy & Pick<ResolvedPolicy, "retryBudgetRatio">;

/** Options of a channel with nothing left out, everything checked. */
export interface ResolvedChannelOptions extends ResolvedWay {
  readonly target: Target;
}

/** What a channel's options say besides where the instances are. */
export interface ResolvedWay {
  readonly tls: ClientTls | undefined;
  readonly directoryToken: TokenSource | undefined;
  readonly directoryTls: ClientTls | undefined;
  readonly pollIntervalMs: number;
  readonly pingIntervalMs: number;
  readonly maxMessageBytes: number;
  readonly logger: Logger;
  readonly seed: number | undefined;
  readonly policy: ResolvedPolicy;
}
