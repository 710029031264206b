import { checkTimeout, checkTls, checkToken, clientRanges } from "../client/check-options.js";
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
import { silentLogger } from "../core/ports.js";
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
    tls: checkTls(filled.tls, "tls"),
    signingToken: signing ? token : undefined,
    pollIntervalMs: checkNumber(filled.pollIntervalMs, "pollIntervalMs", interval),
    maxMessageBytes: checkNumber(filled.maxMessageBytes, "maxMessageBytes", bytes),
    directoryToken: checkToken(filled.directoryToken, "directoryToken"),
    directoryTls: checkTls(filled.directoryTls, "directoryTls"),
    vipserverList: filled.vipserverList,
    logger: checkLogger(filled.logger, "logger") ?? silentLogger,
    seed: seed === undefined ? undefined : checkNumber(seed, "seed", anySeed),
    policy: resolvePolicy(filled, signing ? undefined : token),
  };
}

function resolvePolicy(
  filled: FilledPredictClientOptions,
  token: ResolvedPredictClientOptions["policy"]["token"],
): ResolvedPredictClientOptions["policy"] {
  const { firstListTimeoutMs, connectTimeoutMs } = filled;
  const retryCount = checkNumber(filled.retryCount, "retryCount", { ...attempts, min: 0 });
  return {
    token,
    timeoutMs: checkTimeout(filled.timeoutMs, "timeoutMs"),
    // Nothing here streams.
    streamIdleTimeoutMs: Number.POSITIVE_INFINITY,
    maxAttempts: Math.max(1, retryCount),
    retryBudgetRatio: checkNumber(filled.retryBudgetRatio, "retryBudgetRatio", ratio),
    firstListTimeoutMs: checkNumber(firstListTimeoutMs, "firstListTimeoutMs", milliseconds),
    connectTimeoutMs: checkNumber(connectTimeoutMs, "connectTimeoutMs", milliseconds),
  };
}
