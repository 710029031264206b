import type { CallExtras } from "../client/call-context.js";
import {
  channelDefaults,
  type ResolvedPolicy,
  type TokenSource,
} from "../client/client-options.js";
import { type PoolOptions, poolDefaults } from "../client/pool-options.js";
import type { CompressionName } from "../compression/body-codec.js";
import type { Logger } from "../core/ports.js";
import type { ClientTls } from "../transport/transport.js";
import type { EndpointType } from "./endpoint-type.js";
import type { PredictHeaders } from "./predict-headers.js";
import type { PredictQuery } from "./request-target.js";

/** Options of {@link PredictClient}; what the EAS SDKs have a setter for can be set by that, too. */
export interface PredictClientOptions extends PoolOptions {
  /** Sent as `Authorization`, bare unless `signed`; a function is asked before each attempt. Empty = none. */
  readonly token?: TokenSource | undefined;
  /**
   * How the address of a call is found: `DEFAULT` calls the endpoint, `DIRECT` the instances that the endpoint lists,
   * `VIPSERVER` the hosts of a domain.
   *
   * @defaultValue "DEFAULT"
   */
  readonly endpointType?: EndpointType | undefined;
  /**
   * Deadline of a call with all its attempts, in milliseconds. 1 or more; Infinity = none.
   *
   * @defaultValue 5000
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Attempts of a call in all, each on another instance where there is one; made only when that is safe. 0 to 10; 0 is
   * taken for 1, which is never again.
   *
   * @defaultValue 5
   */
  readonly retryCount?: number | undefined;
  /**
   * After so many milliseconds without an answer an idempotent call is sent to another instance as well, within `retryCount` and
   * the retry budget. 1 or more, less than `timeoutMs`; Infinity = never.
   *
   * @defaultValue Infinity
   */
  readonly hedgeDelayMs?: number | undefined;
  /** Sent with every call; they win over what the client sends by itself. */
  readonly headers?: PredictHeaders | undefined;
  /**
   * `Content-Type` of every call.
   *
   * @defaultValue "application/octet-stream"
   */
  readonly contentType?: string | undefined;
  /**
   * Behind the service's name in the URL, with or without a slash in front.
   *
   * @defaultValue ""
   */
  readonly path?: string | undefined;
  /** Parameters of the URL; null gives the bare name, a list gives it several times. */
  readonly query?: PredictQuery | undefined;
  /** Every call goes there, whatever endpoint and service are; `path` and `query` are added. */
  readonly url?: string | undefined;
  /** How bodies are compressed; nothing on the wire says so, the service has to be configured for it. */
  readonly compress?: CompressionName | undefined;
  /** How answers are compressed whatever they say themselves; false = leave them as they come; otherwise by `Content-Encoding`. */
  readonly decompress?: CompressionName | false | undefined;
  /**
   * Doing the work twice is harmless: a call that broke, or was answered with a 5xx, may be sent again.
   *
   * @defaultValue false
   */
  readonly idempotent?: boolean | undefined;
  /** TLS to whom calls go: `true` trusts the system's authorities. An endpoint or URL with https:// has it anyway. */
  readonly tls?: boolean | ClientTls | undefined;
  /**
   * Signs each request with the token as the EAS SDKs do, instead of sending the token.
   *
   * @defaultValue false
   */
  readonly signed?: boolean | undefined;
  /**
   * How long one try to connect may take, and how long a call waits when no instance can be reached, in milliseconds. 1 or
   * more.
   *
   * @defaultValue 2000
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * How long `init`, or a call, waits for the first list of instances, in milliseconds. 1 or more; Infinity = as long as
   * the call may take.
   *
   * @defaultValue 5000
   */
  readonly firstListTimeoutMs?: number | undefined;
  /**
   * Time between two looks at the list of instances, in milliseconds; each is drawn from 80 % to 120 % of it. 10 or more.
   *
   * @defaultValue 3000, what the EAS SDKs do
   */
  readonly pollIntervalMs?: number | undefined;
  /**
   * Largest body either way, in bytes, 1 to 2,147,483,647; of an answer, before and after decompression.
   *
   * @defaultValue 67108864 (64 MiB)
   */
  readonly maxMessageBytes?: number | undefined;
  /**
   * What each call that succeeds adds to the budget of retries and hedges, 0 to 1: 0.1 allows one in ten calls. There are ten
   * to begin with and a hundred at most; below ten one comes by itself every 100 seconds. What was never sent costs
   * nothing. 0 = nothing else is sent again, nor hedged.
   *
   * @defaultValue 0.1
   */
  readonly retryBudgetRatio?: number | undefined;
  /** Sent as `authorization` to the endpoint of the type DIRECT when it is asked for the list; EAS's own wants none. */
  readonly directoryToken?: TokenSource | undefined;
  /** Authorities and certificates towards an https:// endpoint of the type DIRECT. */
  readonly directoryTls?: boolean | ClientTls | undefined;
  /**
   * `host:port` of what lists VIPServer's servers, for the type VIPSERVER.
   *
   * @defaultValue "jmenv.tbsite.net:8080"
   */
  readonly vipserverList?: string | undefined;
  /** Where lines go; without it nowhere. Any logger of pino's shape. */
  readonly logger?: Logger | undefined;
  /** Makes picks and waits repeatable; without it they are random. Any number from -2^53 to 2^53. */
  readonly seed?: number | undefined;
}

/** What can be said for a single call; it wins over the client's options. */
export interface PredictCallOptions extends Readonly<CallExtras> {
  /** Gives the call up; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Besides the client's own headers. */
  readonly headers?: PredictHeaders | undefined;
  /** Instead of the client's own path. */
  readonly path?: string | undefined;
  /** Besides the client's own parameters; one of the same name is replaced. */
  readonly query?: PredictQuery | undefined;
}

type WithoutDefault =
  | "token"
  | "url"
  | "compress"
  | "decompress"
  | "tls"
  | "directoryToken"
  | "directoryTls"
  | "logger"
  | "seed";

/** Options where every key is there; unchecked. */
export type FilledPredictClientOptions = {
  [K in keyof Required<PredictClientOptions>]: K extends WithoutDefault
    ? PredictClientOptions[K]
    : NonNullable<PredictClientOptions[K]>;
};

/** Defaults of {@link PredictClientOptions}. */
export const predictClientDefaults: Readonly<FilledPredictClientOptions> = Object.freeze({
  token: undefined,
  endpointType: "DEFAULT",
  timeoutMs: channelDefaults.timeoutMs,
  retryCount: 5,
  hedgeDelayMs: channelDefaults.hedgeDelayMs,
  ...poolDefaults,
  headers: Object.freeze({}),
  contentType: "application/octet-stream",
  path: "",
  query: Object.freeze({}),
  url: undefined,
  compress: undefined,
  decompress: undefined,
  idempotent: false,
  tls: undefined,
  signed: false,
  connectTimeoutMs: channelDefaults.connectTimeoutMs,
  firstListTimeoutMs: channelDefaults.firstListTimeoutMs,
  pollIntervalMs: 3_000,
  maxMessageBytes: channelDefaults.maxMessageBytes,
  retryBudgetRatio: channelDefaults.retryBudgetRatio,
  directoryToken: undefined,
  directoryTls: undefined,
  vipserverList: "jmenv.tbsite.net:8080",
  logger: undefined,
  seed: undefined,
});

/** Options with nothing left out, everything checked. */
export interface ResolvedPredictClientOptions {
  readonly endpointType: EndpointType;
  /** Lower-case names; `content-type` is among them. */
  readonly headers: PredictHeaders;
  readonly path: string;
  readonly query: PredictQuery;
  readonly url: string | undefined;
  readonly compress: CompressionName | undefined;
  readonly decompress: CompressionName | false | undefined;
  readonly idempotent: boolean;
  readonly tls: ClientTls | undefined;
  /** What requests are signed with; the policy then has no token. */
  readonly signingToken: TokenSource | undefined;
  readonly pollIntervalMs: number;
  readonly maxMessageBytes: number;
  readonly directoryToken: TokenSource | undefined;
  readonly directoryTls: ClientTls | undefined;
  readonly vipserverList: string;
  readonly logger: Logger;
  readonly seed: number | undefined;
  readonly policy: ResolvedPolicy;
}
