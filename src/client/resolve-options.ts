import {
  checkLogger,
  checkNumber,
  fillOptions,
  refuseLaterOptions,
  seen,
} from "../core/options.js";
import { silentLogger } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import { isToken } from "../core/token.js";
import { parseTarget } from "../resolve/target.js";
import { checkGrpcTls } from "../transport/grpc-credentials.js";
import type { ClientTls } from "../transport/transport.js";
import {
  type CallPolicyOptions,
  type ChannelOptions,
  channelDefaults,
  type FilledChannelOptions,
  type ResolvedCallPolicy,
  type ResolvedChannelOptions,
  type TokenSource,
} from "./client-options.js";

const milliseconds = { min: 1, max: 2 ** 31 - 1, integer: false, orInfinity: true };
const interval = { min: 10, max: 2 ** 31 - 1 };
const attempts = { min: 1, max: 10 };
const ratio = { min: 0, max: 1, integer: false };
const pings = { min: 1_000, max: 2 ** 31 - 1 };
const bytes = { min: 1, max: 2 ** 31 - 1 };
const anyNumber = { min: -(2 ** 53), max: 2 ** 53, integer: false };

/** Options of the documents that a later version brings. */
const laterOptions: readonly string[] = ["balance", "ejection", "hedgeDelayMs", "subsetSize"];

/**
 * Checks and fills the options of a channel.
 *
 * @throws ConfigError naming the option, what was seen and what was expected.
 */
export function resolveChannelOptions(options: ChannelOptions): ResolvedChannelOptions {
  refuseLaterOptions(options, laterOptions, "options");
  const filled = fillOptions<FilledChannelOptions>(options, channelDefaults, "options");
  const { retryBudgetRatio, firstListTimeoutMs, connectTimeoutMs, seed } = filled;
  return {
    target: parseTarget(filled.target),
    tls: checkTls(filled.tls, "tls"),
    directoryToken: checkToken(filled.directoryToken, "directoryToken"),
    directoryTls: checkTls(filled.directoryTls, "directoryTls"),
    pollIntervalMs: checkNumber(filled.pollIntervalMs, "pollIntervalMs", interval),
    pingIntervalMs: checkPing(filled.pingIntervalMs),
    maxMessageBytes: checkNumber(filled.maxMessageBytes, "maxMessageBytes", bytes),
    logger: checkLogger(filled.logger, "logger") ?? silentLogger,
    seed: seed === undefined ? undefined : checkNumber(seed, "seed", anyNumber),
    policy: {
      ...resolveCallPolicy(filled, filled, ""),
      token: checkToken(filled.token, "token"),
      retryBudgetRatio: checkNumber(retryBudgetRatio, "retryBudgetRatio", ratio),
      firstListTimeoutMs: checkNumber(firstListTimeoutMs, "firstListTimeoutMs", milliseconds),
      connectTimeoutMs: checkNumber(connectTimeoutMs, "connectTimeoutMs", milliseconds),
    },
  };
}

/**
 * Checks a call policy; what is left out is taken from `defaults`.
 *
 * @param where - what stands before an option's name in a message: empty, or `methods.name.`
 * @throws ConfigError naming the option.
 */
export function resolveCallPolicy(
  options: CallPolicyOptions,
  defaults: ResolvedCallPolicy,
  where: string,
): ResolvedCallPolicy {
  const timeoutMs = options.timeoutMs ?? defaults.timeoutMs;
  const idleMs = options.streamIdleTimeoutMs ?? defaults.streamIdleTimeoutMs;
  const maxAttempts = options.maxAttempts ?? defaults.maxAttempts;
  return {
    timeoutMs: checkTimeout(timeoutMs, `${where}timeoutMs`),
    streamIdleTimeoutMs: checkTimeout(idleMs, `${where}streamIdleTimeoutMs`),
    maxAttempts: checkNumber(maxAttempts, `${where}maxAttempts`, attempts),
  };
}

/**
 * Checks a timeout of a call.
 *
 * @throws ConfigError naming the option.
 */
export function checkTimeout(value: number, option: string): number {
  return checkNumber(value, option, milliseconds);
}

function checkPing(value: number): number {
  return value === 0 ? 0 : checkNumber(value, "pingIntervalMs (unless 0)", pings);
}

function checkToken(token: TokenSource | undefined, option: string): TokenSource | undefined {
  if (token === undefined || typeof token === "function" || isToken(token)) return token;
  // Not shown: even a token with a stray line end is a secret.
  throw servingError(
    "INVALID_OPTION",
    `${option} is ${typeof token === "string" ? "a text" : seen(token)} that cannot be sent, expected printable ASCII or a function`,
  );
}

function checkTls(tls: boolean | ClientTls | undefined, option: string): ClientTls | undefined {
  if (tls === undefined || tls === false) return undefined;
  if (tls === true) return {};
  if (typeof tls !== "object" || tls === null) {
    throw servingError("INVALID_OPTION", `${option} is ${seen(tls)}, expected true or an object`);
  }
  const known = { ca: undefined, cert: undefined, key: undefined, serverName: undefined };
  const filled = fillOptions<ClientTls>(tls, known, option);
  checkGrpcTls(filled, option);
  return filled;
}
