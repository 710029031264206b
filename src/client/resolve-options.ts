import { checkBoolean, checkLogger, checkNumber, fillOptions } from "../core/options.js";
import { parseTarget } from "../resolve/target/target.js";
import { calmLogger } from "./calm-logger.js";
import { checkHedge } from "./check-hedge.js";
import { checkTimeout, checkTls, checkToken, clientRanges } from "./check-options.js";
import {
  type CallPolicyOptions,
  type ChannelOptions,
  channelDefaults,
  type FilledChannelOptions,
  type MethodGround,
  type ResolvedCallPolicy,
  type ResolvedChannelOptions,
  type ResolvedWay,
} from "./client-options.js";
import { resolvePoolOptions } from "./resolve-pool-options.js";

const { milliseconds, interval, attempts, ratio, bytes, seed: anySeed } = clientRanges;
const pings = { min: 1_000, max: 2 ** 31 - 1 };

/**
 * Checks and fills the options of a channel.
 *
 * @throws ConfigError naming the option, what was seen and what was expected.
 */
export function resolveChannelOptions(options: ChannelOptions): ResolvedChannelOptions {
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
  return resolveWay(
    fillOptions<Omit<FilledChannelOptions, "target">>(options, defaults, "options"),
  );
}

function resolveWay(filled: Omit<FilledChannelOptions, "target">): ResolvedWay {
  const { retryBudgetRatio, firstListTimeoutMs, seed } = filled;
  const logger = calmLogger(checkLogger(filled.logger, "logger"));
  return {
    tls: checkTls(filled.tls, "tls", logger),
    directoryToken: checkToken(filled.directoryToken, "directoryToken"),
    directoryTls: checkTls(filled.directoryTls, "directoryTls", logger),
    pollIntervalMs: checkNumber(filled.pollIntervalMs, "pollIntervalMs", interval),
    pingIntervalMs: checkPing(filled.pingIntervalMs),
    maxMessageBytes: checkNumber(filled.maxMessageBytes, "maxMessageBytes", bytes),
    logger,
    seed: seed === undefined ? undefined : checkNumber(seed, "seed", anySeed),
    policy: {
      ...resolveCallPolicy(filled, filled, ""),
      token: checkToken(filled.token, "token"),
      retryBudgetRatio: checkNumber(retryBudgetRatio, "retryBudgetRatio", ratio),
      firstListTimeoutMs: checkNumber(firstListTimeoutMs, "firstListTimeoutMs", milliseconds),
      pool: {
        ...resolvePoolOptions(filled),
        healthCheck: checkBoolean(filled.healthCheck, "healthCheck"),
      },
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
  defaults: MethodGround,
  where: string,
): ResolvedCallPolicy {
  const policy = {
    timeoutMs: options.timeoutMs ?? defaults.timeoutMs,
    streamIdleTimeoutMs: options.streamIdleTimeoutMs ?? defaults.streamIdleTimeoutMs,
    maxAttempts: options.maxAttempts ?? defaults.maxAttempts,
    hedgeDelayMs: options.hedgeDelayMs ?? defaults.hedgeDelayMs,
  };
  checkTimeout(policy.timeoutMs, `${where}timeoutMs`);
  checkTimeout(policy.streamIdleTimeoutMs, `${where}streamIdleTimeoutMs`);
  checkNumber(policy.maxAttempts, `${where}maxAttempts`, attempts);
  checkNumber(policy.hedgeDelayMs, `${where}hedgeDelayMs`, milliseconds);
  // What comes from further out and makes no sense here is meant for others: it just does not apply.
  if (options.hedgeDelayMs !== undefined) {
    const { retryBudgetRatio } = defaults;
    checkHedge({ ...policy, retryBudgetRatio }, { where, attempts: "maxAttempts" });
  }
  return policy;
}

function checkPing(value: number): number {
  return value === 0 ? 0 : checkNumber(value, "pingIntervalMs (unless 0)", pings);
}
