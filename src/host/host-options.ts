import type { CompressionName } from "../compression/body-codec.js";
import type { Endpoint } from "../core/endpoint.js";
import { DEFAULT_WEIGHT } from "../core/instance.js";
import type { Logger } from "../core/ports.js";
import type { AnyServerMiddleware, LaneKind } from "../processor/processor.js";
import type { CorsOptions, CorsRules } from "../server/cors-options.js";
import { type ServerLimits, serverLimitDefaults } from "../server/limits.js";
import type { LogLevel } from "../server/logger.js";
import type { ServerTls } from "../server/port.js";
import type { ClientTls } from "../transport/transport.js";
import type { Advertised } from "./advertise.js";

/** What a host can answer without a token. */
export type OpenPath = "health" | "metrics" | "ping" | "reflection";

/** How a host can be told that request bodies are compressed; `lz4` takes raw blocks and frames. */
export type Decompressor = Exclude<CompressionName, "lz4-frame">;

/** Options of a host; all have a default. docs/host.md has them in a table. */
export interface HostOptions {
  /** Name of the service: letters, digits, `_`, `-`, one `group.` in front allowed. Needed with `directory`. */
  readonly service?: string | undefined;
  /** What to bind: `host:port`, `:port` for all addresses, `[v6]:port`; port 0 takes any free one. @defaultValue `"127.0.0.1:8080"` */
  readonly endpoint?: string | undefined;
  /** Token that callers must send, or several of which any will do. @defaultValue none: everybody is let in */
  readonly token?: string | readonly string[] | undefined;
  /** Token for builtins that change state. @defaultValue none: only callers on the same machine, never through a proxy */
  readonly adminToken?: string | readonly string[] | undefined;
  /** What is answered without a token. @defaultValue `["health"]` */
  readonly open?: readonly OpenPath[] | undefined;
  /** Certificate and key, PEM; `clientCa` demands client certificates. @defaultValue none: cleartext */
  readonly tls?: ServerTls | undefined;
  /** Web pages that may call, by their origins; never the builtins. @defaultValue none: pages of the host's own origin only */
  readonly cors?: CorsOptions | undefined;
  /** Where `process` runs: the host's own thread, worker threads, child processes. @defaultValue `"process"` with several `workerProcesses`, else `"inline"` */
  readonly lane?: LaneKind | undefined;
  /** Inline: calls in progress at a time; lane `thread`: number of threads; 1 to 1,024; EAS's `worker_threads`. @defaultValue 5 */
  readonly workerThreads?: number | undefined;
  /** Child processes, each with its own `initialize()`, 1 to 256; EAS's `worker_processes`. @defaultValue 1 */
  readonly workerProcesses?: number | undefined;
  /** Calls at a time in each lane, 1 to 1,024. @defaultValue inline: `workerThreads`, else 1 */
  readonly callsPerLane?: number | undefined;
  /** What thread and process lanes load: URL or absolute path of the module that exports the processor or runs it. @defaultValue the main module, which does for `run()` only */
  readonly module?: string | URL | undefined;
  /** Told to `initialize` as `context.modelPath`; EAS's `model_path`. @defaultValue none */
  readonly modelPath?: string | undefined;
  /** Told to `initialize` as `context.modelConfig`: anything that JSON can hold; EAS's `model_config`. @defaultValue none */
  readonly modelConfig?: unknown;
  /** How long an idle lane may leave a heartbeat without an answer and still count as ready, 50 to 60,000 ms. @defaultValue 250 */
  readonly heartbeatTimeoutMs?: number | undefined;
  /** A lane that one call has kept silent for so long is replaced, 100 ms and more; Infinity for never. @defaultValue 30,000 */
  readonly hangTimeoutMs?: number | undefined;
  /** Lanes that must be able to take calls for the host to be ready, 1 to the number of lanes. @defaultValue 1 */
  readonly minReadyLanes?: number | undefined;
  /** Longest time of the processor's `isReady()`, 1 to 60,000 ms; over it counts as "no". @defaultValue 1,000 */
  readonly readyCheckTimeoutMs?: number | undefined;
  /** Payloads replayed in each lane before it takes calls, or a file of them: `.txt` with one a line, any other is one; EAS's `warm_up_data_path`. @defaultValue none */
  readonly warmUp?: readonly Uint8Array[] | string | URL | undefined;
  /** Longest time of a call, queueing included, of an answer in pieces to its first piece, in ms; Infinity for none; EAS's `rpc.keepalive`. @defaultValue 5,000 */
  readonly requestTimeoutMs?: number | undefined;
  /** Longest gap between two pieces of an answer, whichever side is slow, in ms; Infinity for none. @defaultValue 60,000 */
  readonly streamIdleTimeoutMs?: number | undefined;
  /** Calls that may wait, 0 to 1,000,000; EAS's `rpc.max_queue_size`. @defaultValue 64 */
  readonly maxQueueLength?: number | undefined;
  /** Bytes that waiting calls may hold. @defaultValue 256 MiB */
  readonly maxQueueBytes?: number | undefined;
  /** Calls a second, in bursts of one second's worth; a tenth is kept for calls of high priority; 0 for no limit, up to 1,000,000; EAS's `rpc.rate_limit`. @defaultValue 0 */
  readonly requestsPerSecond?: number | undefined;
  /** Largest message, both ways. @defaultValue 64 MiB */
  readonly maxMessageBytes?: number | undefined;
  /** How bodies that the processor is given over HTTP are compressed, all of them; EAS's `rpc.decompressor`. @defaultValue none: they are not */
  readonly decompressor?: Decompressor | undefined;
  /** Compares bodies over HTTP, as sent, with the header `Content-MD5` where there is one; signed requests must have it. @defaultValue false */
  readonly checkContentMd5?: boolean | undefined;
  /** How far the `Date` of a signed request may be from the host's clock, in ms; Infinity for any: EAS's Python and Go SDKs send local time as GMT, up to 14 hours off. @defaultValue Infinity */
  readonly maxClockSkewMs?: number | undefined;
  /** Limits of the port, each with a default of its own. */
  readonly limits?:
    | { readonly [K in keyof ServerLimits]?: ServerLimits[K] | undefined }
    | undefined;
  /** Wait between "not ready" and the drain, for clients that poll; 4,000 for EAS's SDKs, which poll every 3 s. @defaultValue 0 */
  readonly preStopDelayMs?: number | undefined;
  /** How long a stop waits for calls in progress, in ms; EAS's `eas.termination_grace_period`. @defaultValue 30,000 */
  readonly terminationGracePeriodMs?: number | undefined;
  /** Directories to register with, all of them: `host:port[,host:port]`. @defaultValue none */
  readonly directory?: string | undefined;
  /** Token of the directory. @defaultValue none */
  readonly directoryToken?: string | undefined;
  /** TLS towards the directory; `true` trusts the system's authorities. @defaultValue cleartext */
  readonly directoryTls?: true | ClientTls | undefined;
  /** How long a registration outlives its host, 2,000 to 300,000 ms. @defaultValue 10,000 */
  readonly leaseTtlMs?: number | undefined;
  /** `ip[:port]` to register. @defaultValue the bound address */
  readonly advertise?: string | undefined;
  /** Stable name of the instance, by which operators set its weight. @defaultValue host name, address and port */
  readonly name?: string | undefined;
  /** Share of traffic, 0 to 1,000,000. @defaultValue 100 */
  readonly weight?: number | undefined;
  /** Application name. @defaultValue `service` with `_` as `-` */
  readonly app?: string | undefined;
  /** Samples that the builtin `realtime_metrics` takes: name to help. @defaultValue `{}` */
  readonly metrics?: Readonly<Record<string, string>> | undefined;
  /** nice-grpc server middleware, run in the lane; the first is the outermost. @defaultValue none */
  readonly middleware?: AnyServerMiddleware | readonly AnyServerMiddleware[] | undefined;
  /** Lets the texts of errors that `process` throws out to callers. @defaultValue false */
  readonly exposeErrors?: boolean | undefined;
  /** Lets every path that nothing else answers reach the processor, as EAS does. @defaultValue true */
  readonly otherPaths?: boolean | undefined;
  /** Tells in every answer how busy the host is: clients may balance by it (ORCA, gRFC A51). @defaultValue false */
  readonly loadReport?: boolean | undefined;
  /** Part of all calls that leave a line in the log, 0 to 1; failed ones do besides. @defaultValue 0 */
  readonly callLogRatio?: number | undefined;
  /** Where lines go. @defaultValue pino: text on a terminal, JSON otherwise */
  readonly logger?: Logger | undefined;
  /** Least level of the default logger. @defaultValue `"info"` */
  readonly logLevel?: LogLevel | undefined;
  /** Lines for the log when the host starts: what `hostOptionsFrom` has to say of its sources. @defaultValue `[]` */
  readonly notices?: readonly string[] | undefined;
}

/** Options after checking: everything is decided that can be before the port is bound. */
export interface ResolvedHostOptions {
  readonly service: string;
  readonly endpoint: Endpoint;
  readonly token: string | readonly string[] | undefined;
  readonly adminToken: string | readonly string[] | undefined;
  readonly open: readonly OpenPath[];
  readonly tls: ServerTls | undefined;
  readonly cors: CorsRules | undefined;
  readonly lane: LaneKind;
  /** Number of lanes. */
  readonly lanes: number;
  readonly workerThreads: number;
  readonly workerProcesses: number;
  readonly callsPerLane: number;
  /** URL of the module; undefined for the main module. */
  readonly module: string | undefined;
  readonly modelPath: string | undefined;
  readonly modelConfig: unknown;
  readonly heartbeatTimeoutMs: number;
  readonly hangTimeoutMs: number;
  readonly minReadyLanes: number;
  readonly readyCheckTimeoutMs: number;
  readonly warmUp: readonly Uint8Array[];
  readonly requestTimeoutMs: number;
  readonly streamIdleTimeoutMs: number;
  readonly maxQueueLength: number;
  readonly maxQueueBytes: number;
  readonly requestsPerSecond: number;
  readonly decompressor: Decompressor | undefined;
  readonly checkContentMd5: boolean;
  readonly maxClockSkewMs: number;
  readonly limits: ServerLimits;
  readonly preStopDelayMs: number;
  readonly terminationGracePeriodMs: number;
  readonly directories: readonly Endpoint[];
  readonly directoryToken: string | undefined;
  readonly directoryTls: ClientTls | undefined;
  readonly leaseTtlMs: number;
  readonly advertised: Advertised | undefined;
  readonly name: string;
  readonly weight: number;
  readonly app: string;
  readonly metrics: ReadonlyMap<string, string>;
  readonly middleware: readonly AnyServerMiddleware[];
  readonly exposeErrors: boolean;
  readonly otherPaths: boolean;
  readonly loadReport: boolean;
  readonly callLogRatio: number;
  readonly logger: Logger | undefined;
  readonly logLevel: LogLevel;
  readonly notices: readonly string[];
}

/** Every option filled with what was given or its default. */
export type FilledHostOptions = { [K in keyof Required<HostOptions>]: HostOptions[K] };

const MiB = 1024 * 1024;

/** The defaults of {@link HostOptions}; undefined where the default depends on other options. */
export const hostDefaults: Readonly<FilledHostOptions> = Object.freeze({
  service: undefined,
  endpoint: "127.0.0.1:8080",
  token: undefined,
  adminToken: undefined,
  open: ["health"] as const,
  tls: undefined,
  cors: undefined,
  lane: undefined,
  workerThreads: 5,
  workerProcesses: 1,
  callsPerLane: undefined,
  module: undefined,
  modelPath: undefined,
  modelConfig: undefined,
  heartbeatTimeoutMs: 250,
  hangTimeoutMs: 30_000,
  minReadyLanes: 1,
  readyCheckTimeoutMs: 1_000,
  warmUp: undefined,
  requestTimeoutMs: 5_000,
  streamIdleTimeoutMs: 60_000,
  maxQueueLength: 64,
  maxQueueBytes: 256 * MiB,
  requestsPerSecond: 0,
  maxMessageBytes: serverLimitDefaults.maxMessageBytes,
  decompressor: undefined,
  checkContentMd5: false,
  maxClockSkewMs: Number.POSITIVE_INFINITY,
  limits: undefined,
  preStopDelayMs: 0,
  terminationGracePeriodMs: 30_000,
  directory: undefined,
  directoryToken: undefined,
  directoryTls: undefined,
  leaseTtlMs: 10_000,
  advertise: undefined,
  name: undefined,
  weight: DEFAULT_WEIGHT,
  app: undefined,
  metrics: Object.freeze({}),
  middleware: undefined,
  exposeErrors: false,
  otherPaths: true,
  loadReport: false,
  callLogRatio: 0,
  logger: undefined,
  logLevel: "info",
  notices: Object.freeze([]),
});
