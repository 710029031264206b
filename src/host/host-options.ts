import { bindEndpoint, type Endpoint } from "../core/endpoint.js";
import {
  appFromService,
  checkServiceName,
  DEFAULT_WEIGHT,
  weightProblem,
} from "../core/instance.js";
import { MAX_LEASE_TTL_MS, MIN_LEASE_TTL_MS } from "../core/lease.js";
import {
  checkLogger,
  checkNumber,
  checkOneOf,
  checkText,
  fillOptions,
  refuseLaterOptions,
  seen,
} from "../core/options.js";
import type { Logger } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import { isToken } from "../core/token.js";
import { type ServerLimits, serverLimitDefaults, serverLimits } from "../server/limits.js";
import type { LogLevel } from "../server/logger.js";
import type { ServerTls } from "../server/port.js";
import { checkClientTls, checkServerTls } from "../server/tls-options.js";
import type { ClientTls } from "../transport/transport.js";
import { type Advertised, advertisedAddress, directoryEndpoints } from "./advertise.js";

/** What a host can answer without a token. */
export type OpenPath = "health" | "ping";

/** Options of a host; all have a default. The table in the README says the same. */
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
  /** Calls in progress at a time, 1 to 1,024; EAS's `worker_threads`. @defaultValue 5 */
  readonly workerThreads?: number | undefined;
  /** Longest time of a call, queueing included, of an answer in pieces to its first piece, in ms; Infinity for none; EAS's `rpc.keepalive`. @defaultValue 5,000 */
  readonly requestTimeoutMs?: number | undefined;
  /** Longest gap between two pieces of an answer, whichever side is slow, in ms; Infinity for none. @defaultValue 60,000 */
  readonly streamIdleTimeoutMs?: number | undefined;
  /** Calls that may wait, 0 to 1,000,000; EAS's `rpc.max_queue_size`. @defaultValue 64 */
  readonly maxQueueLength?: number | undefined;
  /** Bytes that waiting calls may hold. @defaultValue 256 MiB */
  readonly maxQueueBytes?: number | undefined;
  /** Largest message, both ways. @defaultValue 64 MiB */
  readonly maxMessageBytes?: number | undefined;
  /** Limits of the port, each with a default of its own. */
  readonly limits?:
    | { readonly [K in keyof ServerLimits]?: ServerLimits[K] | undefined }
    | undefined;
  /** Wait between "not ready" and the drain, for clients that poll; 3,000 for EAS's SDKs. @defaultValue 0 */
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
  /** Lets the texts of errors that `process` throws out to callers. @defaultValue false */
  readonly exposeErrors?: boolean | undefined;
  /** Lets every path that nothing else answers reach the processor, as EAS does. @defaultValue true */
  readonly otherPaths?: boolean | undefined;
  /** Where lines go. @defaultValue pino: text on a terminal, JSON otherwise */
  readonly logger?: Logger | undefined;
  /** Least level of the default logger. @defaultValue `"info"` */
  readonly logLevel?: LogLevel | undefined;
}

/** Options after checking: everything is decided that can be before the port is bound. */
export interface ResolvedHostOptions {
  readonly service: string;
  readonly endpoint: Endpoint;
  readonly token: string | readonly string[] | undefined;
  readonly adminToken: string | readonly string[] | undefined;
  readonly open: readonly OpenPath[];
  readonly tls: ServerTls | undefined;
  readonly workerThreads: number;
  readonly requestTimeoutMs: number;
  readonly streamIdleTimeoutMs: number;
  readonly maxQueueLength: number;
  readonly maxQueueBytes: number;
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
  readonly exposeErrors: boolean;
  readonly otherPaths: boolean;
  readonly logger: Logger | undefined;
  readonly logLevel: LogLevel;
}

type Filled = { [K in keyof Required<HostOptions>]: HostOptions[K] };

const MiB = 1024 * 1024;

/** The defaults of {@link HostOptions}; undefined where the default depends on other options. */
export const hostDefaults: Readonly<Filled> = Object.freeze({
  service: undefined,
  endpoint: "127.0.0.1:8080",
  token: undefined,
  adminToken: undefined,
  open: ["health"] as const,
  tls: undefined,
  workerThreads: 5,
  requestTimeoutMs: 5_000,
  streamIdleTimeoutMs: 60_000,
  maxQueueLength: 64,
  maxQueueBytes: 256 * MiB,
  maxMessageBytes: serverLimitDefaults.maxMessageBytes,
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
  exposeErrors: false,
  otherPaths: true,
  logger: undefined,
  logLevel: "info",
});

/** Options of the documents that a later version brings; ignoring one would be worse than refusing it. */
const laterOptions: readonly string[] = [
  "callsPerLane",
  "decompressor",
  "hangTimeoutMs",
  "heartbeatTimeoutMs",
  "lane",
  "metrics",
  "middleware",
  "minReadyLanes",
  "module",
  "readyCheckTimeoutMs",
  "requestsPerSecond",
  "warmUp",
  "workerProcesses",
];

const logLevels: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];
const openPaths: readonly OpenPath[] = ["health", "ping"];
const textOptions = ["app", "advertise", "directory", "directoryToken", "name"] as const;

function checkedWeight(weight: number | undefined): number {
  const problem = weightProblem(weight);
  if (problem !== undefined) throw servingError("INVALID_OPTION", `options.${problem}`);
  return weight ?? DEFAULT_WEIGHT;
}

const INSTANCE_NAME = /^[\x21-\x7e]{1,128}$/;
const MAX_MS = 2 ** 31 - 1;

/**
 * Checks and fills a host's options.
 *
 * @throws ConfigError `UNKNOWN_OPTION` or `INVALID_OPTION`, before any I/O, with the option's name, what was seen and
 * what was expected.
 */
export function resolveHostOptions(given: HostOptions = {}): ResolvedHostOptions {
  refuseLaterOptions(given, laterOptions, "options");
  const o = fillOptions(given, hostDefaults, "options");
  const number = (key: keyof HostOptions, min: number, max: number, more: object = {}): number =>
    checkNumber(o[key] as number, `options.${key}`, { min, max, ...more });

  for (const key of textOptions) {
    const value = o[key];
    if (value !== undefined) checkText(value, `options.${key}`);
  }
  const service = o.service === undefined ? "" : checkServiceName(o.service, "options.service");
  const endpoint = bindEndpoint(o.endpoint ?? "", "options.endpoint");
  const directories = directoryEndpoints(o.directory);
  if (directories.length > 0 && service === "") {
    throw servingError("INVALID_OPTION", "options.service is missing: a directory lists by it");
  }
  if (o.directoryToken !== undefined && !isToken(o.directoryToken)) {
    throw servingError(
      "INVALID_OPTION",
      "options.directoryToken has a character that no header can carry",
    );
  }
  if (o.name !== undefined && !INSTANCE_NAME.test(o.name)) {
    throw servingError(
      "INVALID_OPTION",
      `options.name is ${seen(o.name)}, expected 1 to 128 printable characters without blanks`,
    );
  }
  for (const path of o.open ?? []) checkOneOf(path, "options.open", openPaths);
  const maxMessageBytes = number("maxMessageBytes", 1, 2 ** 31 - 1);
  return Object.freeze({
    service,
    endpoint,
    token: o.token,
    adminToken: o.adminToken,
    open: o.open ?? [],
    tls: checkServerTls(o.tls, "options.tls"),
    workerThreads: number("workerThreads", 1, 1_024),
    requestTimeoutMs: number("requestTimeoutMs", 1, MAX_MS, { orInfinity: true }),
    streamIdleTimeoutMs: number("streamIdleTimeoutMs", 1, MAX_MS, { orInfinity: true }),
    maxQueueLength: number("maxQueueLength", 0, 1_000_000),
    maxQueueBytes: number("maxQueueBytes", 0, Number.MAX_SAFE_INTEGER),
    limits: serverLimits({ maxMessageBytes, ...o.limits }, "options.limits"),
    preStopDelayMs: number("preStopDelayMs", 0, MAX_MS),
    terminationGracePeriodMs: number("terminationGracePeriodMs", 0, MAX_MS),
    directories,
    directoryToken: o.directoryToken,
    directoryTls: checkClientTls(
      o.directoryTls === true ? {} : o.directoryTls,
      "options.directoryTls",
    ),
    leaseTtlMs: number("leaseTtlMs", MIN_LEASE_TTL_MS, MAX_LEASE_TTL_MS),
    advertised: directories.length === 0 ? undefined : advertisedAddress(o.advertise, endpoint),
    name: o.name ?? "",
    weight: checkedWeight(o.weight),
    app: o.app ?? appFromService(service),
    exposeErrors: o.exposeErrors === true,
    otherPaths: o.otherPaths !== false,
    logger: checkLogger(o.logger, "options.logger"),
    logLevel: checkOneOf(o.logLevel ?? "info", "options.logLevel", logLevels),
  });
}
