import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bindEndpoint } from "../core/endpoint.js";
import { appFromService, checkServiceName, weightProblem } from "../core/instance.js";
import { MAX_LEASE_TTL_MS, MIN_LEASE_TTL_MS } from "../core/lease.js";
import {
  checkBoolean,
  checkLogger,
  checkNumber,
  checkOneOf,
  checkText,
  fillOptions,
  type NumberRange,
  seen,
} from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import { isToken } from "../core/token.js";
import { middlewareList } from "../processor/middleware.js";
import { moduleUrl } from "../processor/module-url.js";
import type { LaneKind } from "../processor/processor.js";
import { checkCors } from "../server/cors-options.js";
import { serverLimits } from "../server/limits.js";
import type { LogLevel } from "../server/logger.js";
import { checkServerTls } from "../server/tls-options.js";
import { createTokenGuard } from "../server/token-guard.js";
import { checkClientTls } from "../transport/client-tls.js";
import { advertisedAddress, directoryEndpoints } from "./advertise.js";
import {
  type Decompressor,
  type FilledHostOptions,
  type HostOptions,
  hostDefaults,
  type OpenPath,
  type ResolvedHostOptions,
} from "./host-options.js";

/** What `logLevel` may be, from the one that writes most. */
export const logLevels: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];
/** What `open` may hold. */
export const openPaths: readonly OpenPath[] = ["health", "metrics", "ping", "reflection"];
/** What `lane` may be. */
export const laneKinds: readonly LaneKind[] = ["inline", "thread", "process"];
/** What `decompressor` may be. */
export const decompressors: readonly Decompressor[] = ["gzip", "zlib", "snappy", "lz4", "zstd"];
const textOptions = [
  "app",
  "advertise",
  "directory",
  "directoryToken",
  "modelPath",
  "name",
] as const;

const INSTANCE_NAME = /^[\x21-\x7e]{1,128}$/;
const METRIC_NAME = /^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$/;
const MAX_MS = 2 ** 31 - 1;

type NumberOption = {
  [K in keyof HostOptions]-?: number extends Extract<HostOptions[K], number> ? K : never;
}[keyof HostOptions];

/** What the number options of a running host may be; the builtin `prop` holds new values to the same. */
export const hostNumberRanges: Readonly<Record<Exclude<NumberOption, "weight">, NumberRange>> = {
  workerThreads: { min: 1, max: 1_024 },
  workerProcesses: { min: 1, max: 256 },
  callsPerLane: { min: 1, max: 1_024 },
  heartbeatTimeoutMs: { min: 50, max: 60_000 },
  hangTimeoutMs: { min: 100, max: MAX_MS, orInfinity: true },
  minReadyLanes: { min: 1, max: 1_024 },
  readyCheckTimeoutMs: { min: 1, max: 60_000 },
  requestTimeoutMs: { min: 1, max: MAX_MS, orInfinity: true },
  streamIdleTimeoutMs: { min: 1, max: MAX_MS, orInfinity: true },
  maxQueueLength: { min: 0, max: 1_000_000 },
  maxQueueBytes: { min: 0, max: Number.MAX_SAFE_INTEGER },
  requestsPerSecond: { min: 0, max: 1_000_000, integer: false },
  maxMessageBytes: { min: 1, max: 2 ** 31 - 1 },
  maxClockSkewMs: { min: 0, max: Number.MAX_SAFE_INTEGER, orInfinity: true },
  preStopDelayMs: { min: 0, max: MAX_MS },
  terminationGracePeriodMs: { min: 0, max: MAX_MS },
  leaseTtlMs: { min: MIN_LEASE_TTL_MS, max: MAX_LEASE_TTL_MS },
  callLogRatio: { min: 0, max: 1, integer: false },
};

/**
 * Checks and fills a host's options.
 *
 * @throws ConfigError `UNKNOWN_OPTION` or `INVALID_OPTION`, before anything is opened, with the option's name, what was
 * seen and what was expected.
 */
export function resolveHostOptions(given: HostOptions = {}): ResolvedHostOptions {
  const o = fillOptions(given, hostDefaults, "options");
  const number = (key: keyof typeof hostNumberRanges): number =>
    checkNumber(o[key] as number, `options.${key}`, hostNumberRanges[key]);

  checkTexts(o);
  const service = o.service === undefined ? "" : checkServiceName(o.service, "options.service");
  const endpoint = bindEndpoint(o.endpoint ?? "", "options.endpoint");
  const directories = directoryEndpoints(o.directory);
  if (directories.length > 0 && service === "") {
    throw servingError("INVALID_OPTION", "options.service is missing: a directory lists by it");
  }
  for (const path of o.open ?? []) checkOneOf(path, "options.open", openPaths);
  return Object.freeze({
    service,
    endpoint,
    token: checkedTokens(o.token, "options.token"),
    adminToken: checkedTokens(o.adminToken, "options.adminToken"),
    open: o.open ?? [],
    tls: checkServerTls(o.tls, "options.tls"),
    cors: checkCors(o.cors, "options.cors"),
    ...resolveLanes(o, number),
    module: o.module === undefined ? undefined : moduleUrl(o.module),
    modelPath: o.modelPath,
    modelConfig: checkedModelConfig(o.modelConfig),
    heartbeatTimeoutMs: number("heartbeatTimeoutMs"),
    hangTimeoutMs: number("hangTimeoutMs"),
    readyCheckTimeoutMs: number("readyCheckTimeoutMs"),
    warmUp: warmUpPayloads(o.warmUp),
    requestTimeoutMs: number("requestTimeoutMs"),
    streamIdleTimeoutMs: number("streamIdleTimeoutMs"),
    maxQueueLength: number("maxQueueLength"),
    maxQueueBytes: number("maxQueueBytes"),
    requestsPerSecond: number("requestsPerSecond"),
    decompressor:
      o.decompressor === undefined
        ? undefined
        : checkOneOf(o.decompressor, "options.decompressor", decompressors),
    checkContentMd5: checkBoolean(o.checkContentMd5 ?? false, "options.checkContentMd5"),
    maxClockSkewMs: number("maxClockSkewMs"),
    limits: serverLimits(
      { maxMessageBytes: number("maxMessageBytes"), ...o.limits },
      "options.limits",
    ),
    preStopDelayMs: number("preStopDelayMs"),
    terminationGracePeriodMs: number("terminationGracePeriodMs"),
    directories,
    directoryToken: o.directoryToken,
    directoryTls: checkClientTls(
      o.directoryTls === true ? {} : o.directoryTls,
      "options.directoryTls",
    ),
    leaseTtlMs: number("leaseTtlMs"),
    advertised: directories.length === 0 ? undefined : advertisedAddress(o.advertise, endpoint),
    name: o.name ?? "",
    weight: checkedWeight(o.weight),
    app: o.app ?? appFromService(service),
    metrics: declaredMetrics(o.metrics),
    middleware: middlewareList(o.middleware, "options.middleware"),
    exposeErrors: checkBoolean(o.exposeErrors ?? false, "options.exposeErrors"),
    otherPaths: checkBoolean(o.otherPaths ?? true, "options.otherPaths"),
    loadReport: checkBoolean(o.loadReport ?? false, "options.loadReport"),
    callLogRatio: number("callLogRatio"),
    logger: checkLogger(o.logger, "options.logger"),
    logLevel: checkOneOf(o.logLevel ?? "info", "options.logLevel", logLevels),
    notices: noticeList(o.notices),
  });
}

type ResolvedLanes = Pick<
  ResolvedHostOptions,
  "lane" | "lanes" | "workerThreads" | "workerProcesses" | "callsPerLane" | "minReadyLanes"
>;

/** The lane table: what `lane`, `workerThreads` and `workerProcesses` mean together. */
function resolveLanes(
  o: FilledHostOptions,
  number: (key: keyof typeof hostNumberRanges) => number,
): ResolvedLanes {
  const workerThreads = number("workerThreads");
  const workerProcesses = number("workerProcesses");
  const lane = checkOneOf(
    o.lane ?? (workerProcesses > 1 ? "process" : "inline"),
    "options.lane",
    laneKinds,
  );
  if (lane !== "process" && workerProcesses > 1) {
    throw servingError(
      "INVALID_OPTION",
      `options.lane is "${lane}" with ${workerProcesses} workerProcesses, expected "process"`,
    );
  }
  const lanes = { inline: 1, thread: workerThreads, process: workerProcesses }[lane];
  const minReadyLanes = number("minReadyLanes");
  if (minReadyLanes > lanes) {
    throw servingError(
      "INVALID_OPTION",
      `options.minReadyLanes is ${minReadyLanes}, expected at most the ${lanes} lanes that there are`,
    );
  }
  const fallback = lane === "inline" ? workerThreads : 1;
  const callsPerLane = o.callsPerLane === undefined ? fallback : number("callsPerLane");
  return { lane, lanes, workerThreads, workerProcesses, callsPerLane, minReadyLanes };
}

function checkTexts(o: FilledHostOptions): void {
  for (const key of textOptions) {
    const value = o[key];
    if (value !== undefined) checkText(value, `options.${key}`);
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
}

type Tokens = ResolvedHostOptions["token"];

function checkedTokens(tokens: Tokens, option: string): Tokens {
  createTokenGuard(tokens, option);
  return tokens;
}

function checkedModelConfig(config: unknown): unknown {
  try {
    structuredClone(config);
    return config;
  } catch (cause) {
    const text = "options.modelConfig holds what cannot be handed to a lane, such as a function";
    throw servingError("INVALID_OPTION", text, { cause });
  }
}

function checkedWeight(weight: number | undefined): number {
  const problem = weightProblem(weight);
  if (problem !== undefined) throw servingError("INVALID_OPTION", `options.${problem}`);
  return weight ?? hostDefaults.weight ?? 0;
}

function warmUpPayloads(given: HostOptions["warmUp"]): readonly Uint8Array[] {
  if (given === undefined) return [];
  if (typeof given === "string" || given instanceof URL) return warmUpFile(given);
  const bad = Array.isArray(given) ? given.find((one) => !(one instanceof Uint8Array)) : given;
  if (bad === undefined) return given;
  throw servingError(
    "INVALID_OPTION",
    `options.warmUp is ${seen(given)}, expected a list of bytes (Uint8Array), or a file`,
  );
}

function warmUpFile(given: string | URL): readonly Uint8Array[] {
  const path = given instanceof URL ? fileURLToPath(given) : checkText(given, "options.warmUp");
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw servingError(
      "INVALID_OPTION",
      `options.warmUp names ${seen(path)}, which is unreadable`,
      {
        cause,
      },
    );
  }
  if (!path.endsWith(".txt")) return [bytes];
  const lines = bytes.toString("utf8").split(/\r?\n/);
  return lines.filter((line) => line !== "").map((line) => Buffer.from(line));
}

function declaredMetrics(given: HostOptions["metrics"]): ReadonlyMap<string, string> {
  const metrics = given ?? {};
  if (typeof metrics !== "object" || Array.isArray(metrics)) {
    throw servingError(
      "INVALID_OPTION",
      `options.metrics is ${seen(metrics)}, expected an object of names with their help`,
    );
  }
  for (const [name, help] of Object.entries(metrics)) {
    if (METRIC_NAME.test(name) && typeof help === "string") continue;
    throw servingError(
      "INVALID_OPTION",
      `options.metrics has ${seen(name)}: ${seen(help)}, expected a name of letters, digits, "_", ".", ":", "-" and a text`,
    );
  }
  return new Map(Object.entries(metrics));
}

function noticeList(given: HostOptions["notices"]): readonly string[] {
  const notices = given ?? [];
  if (Array.isArray(notices) && notices.every((one) => typeof one === "string")) return notices;
  throw servingError(
    "INVALID_OPTION",
    `options.notices is ${seen(notices)}, expected a list of texts`,
  );
}
