import { calmLogger } from "../client/calm-logger.js";
import { checkHedge } from "../client/check-hedge.js";
import { checkTimeout, checkTls, checkToken, clientRanges } from "../client/check-options.js";
import { resolvePoolOptions } from "../client/resolve-pool-options.js";
import { compressionNames } from "../compression/load-codec.js";
import { connectEndpoint } from "../core/endpoint.js";
import {
  checkBoolean,
  checkLogger,
  checkNumber,
  checkOneOf,
  checkText,
  fillOptions,
} from "../core/options.js";
import { checkEndpointType } from "./endpoint-type.js";
import {
  type FilledPredictClientOptions,
  type PredictClientOptions,
  predictClientDefaults,
  type ResolvedPredictClientOptions,
} from "./predict-client-options.js";
import { checkHeaders, checkHeaderValue } from "./predict-headers.js";
import { checkPath, checkQuery } from "./request-target.js";

const { milliseconds, interval, attempts, ratio, bytes, seed: anySeed } = clientRanges;

/**
 * Checks and fills the options of a client.
 *
 * @throws ConfigError naming the option, what was seen and what was expected.
 */
export function resolvePredictClientOptions(
  options: PredictClientOptions | undefined,
): ResolvedPredictClientOptions {
  const filled = fillOptions<FilledPredictClientOptions>(options, predictClientDefaults, "options");
  const { signed, url, compress, decompress, seed } = filled;
  // EAS's SDKs take an empty token for none.
  const token = filled.token === "" ? undefined : checkToken(filled.token, "token");
  const signing = checkBoolean(signed, "signed");
  const contentType = checkHeaderValue(checkText(filled.contentType, "contentType"), "contentType");
  connectEndpoint(filled.vipserverList, "vipserverList");
  const logger = calmLogger(checkLogger(filled.logger, "logger"));
  return {
    endpointType: checkEndpointType(filled.endpointType, "endpointType"),
    headers: { "content-type": contentType, ...checkHeaders(filled.headers, "headers") },
    path: checkPath(filled.path, "path"),
    query: checkQuery(filled.query, "query"),
    url: url === undefined ? undefined : checkText(url, "url"),
    compress:
      compress === undefined ? undefined : checkOneOf(compress, "compress", compressionNames),
    decompress:
      decompress === undefined || decompress === false
        ? decompress
        : checkOneOf(decompress, "decompress", compressionNames),
    idempotent: checkBoolean(filled.idempotent, "idempotent"),
    tls: checkTls(filled.tls, "tls", logger),
    signingToken: signing ? token : undefined,
    pollIntervalMs: checkNumber(filled.pollIntervalMs, "pollIntervalMs", interval),
    maxMessageBytes: checkNumber(filled.maxMessageBytes, "maxMessageBytes", bytes),
    directoryToken: checkToken(filled.directoryToken, "directoryToken"),
    directoryTls: checkTls(filled.directoryTls, "directoryTls", logger),
    vipserverList: filled.vipserverList,
    logger,
    seed: seed === undefined ? undefined : checkNumber(seed, "seed", anySeed),
    policy: resolvePolicy(filled, signing ? undefined : token),
  };
}

function resolvePolicy(
  filled: FilledPredictClientOptions,
  token: ResolvedPredictClientOptions["policy"]["token"],
): ResolvedPredictClientOptions["policy"] {
  const { firstListTimeoutMs } = filled;
  const retryCount = checkNumber(filled.retryCount, "retryCount", { ...attempts, min: 0 });
  const timeoutMs = checkTimeout(filled.timeoutMs, "timeoutMs");
  const hedgeDelayMs = checkNumber(filled.hedgeDelayMs, "hedgeDelayMs", milliseconds);
  const retryBudgetRatio = checkNumber(filled.retryBudgetRatio, "retryBudgetRatio", ratio);
  checkHedge(
    { hedgeDelayMs, timeoutMs, maxAttempts: retryCount, retryBudgetRatio },
    { where: "", attempts: "retryCount" },
  );
  return {
    token,
    timeoutMs,
    // Nothing here streams.
    streamIdleTimeoutMs: Number.POSITIVE_INFINITY,
    maxAttempts: Math.max(1, retryCount),
    retryBudgetRatio,
    firstListTimeoutMs: checkNumber(firstListTimeoutMs, "firstListTimeoutMs", milliseconds),
    hedgeDelayMs,
    // HTTP has no such thing.
    pool: { ...resolvePoolOptions(filled), healthCheck: false },
  };
}
