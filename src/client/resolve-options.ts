import { checkLogger, checkNumber, fillOptions, refuseLaterOptions } from "../core/options.js";
import { silentLogger } from "../core/ports.js";
import { parseTarget } from "../resolve/target/target.js";
import { checkTimeout, checkTls, checkToken, clientRanges } from "./check-options.js";
import {
  type CallPolicyOptions,
  type ChannelOptions,
  channelDefaults,
  type FilledChannelOptions,
  type ResolvedCallPolicy,
  type ResolvedChannelOptions,
  type ResolvedWay,
} from "./client-options.js";

const { milliseconds, interval, attempts, ratio, bytes, seed: anySeed } = clientRanges;
const pings = { min: 1_000, max: 2 ** 31 - 1 };

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
  return { target: parseTarget(filled.target), ...resolveWay(filled) };
}

/**
 * Checks and fills the options of a channel whose instances are known by other means than a target.
 *
 * @throws ConfigError naming the option, what was seen and what was expected.
 */
export function resolveTargetless(options: Omit<ChannelOptions, "target">): ResolvedWay {
  const { target: _, ...defaults } = channelDefaults;
  refuseLaterOptions(options, laterOptions, "options");
  return resolveWay(
    fillOptions<Omit<FilledChannelOptions, "target">>(options, defaults, "options"),
  );
}

function resolveWay(filled: Omit<FilledChannelOptions, "target">): ResolvedWay {
  const { retryBudgetRatio, firstListTimeoutMs, connectTimeoutMs, seed } = filled;
  return {
    tls: checkTls(filled.tls, "tls"),
    directoryToken: checkToken(filled.directoryToken, "directoryToken"),
    directoryTls: checkTls(filled.directoryTls, "directoryTls"),
    pollIntervalMs: checkNumber(filled.pollIntervalMs, "pollIntervalMs", interval),
    pingIntervalMs: checkPing(filled.pingIntervalMs),
    maxMessageBytes: checkNumber(filled.maxMessageBytes, "maxMessageBytes", bytes),
    logger: checkLogger(filled.logger, "logger") ?? silentLogger,
    seed: seed === undefined ? undefined : checkNumber(seed, "seed", anySeed),
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

function checkPing(value: number): number {
  return value === 0 ? 0 : checkNumber(value, "pingIntervalMs (unless 0)", pings);
}
