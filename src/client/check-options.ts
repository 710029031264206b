import { checkNumber, type NumberRange, seen } from "../core/options.js";
import type { Logger } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import { isToken } from "../core/token.js";
import { checkClientTls } from "../transport/client-tls.js";
import type { ClientTls } from "../transport/transport.js";
import type { TokenSource } from "./client-options.js";

/** What the number options of clients may be. */
export const clientRanges: Readonly<
  Record<
    "milliseconds" | "connecting" | "interval" | "attempts" | "ratio" | "bytes" | "seed",
    NumberRange
  >
> = {
  milliseconds: { min: 1, max: 2 ** 31 - 1, integer: false, orInfinity: true },
  connecting: { min: 1, max: 2 ** 31 - 1, integer: false },
  interval: { min: 10, max: 2 ** 31 - 1 },
  attempts: { min: 1, max: 10 },
  ratio: { min: 0, max: 1, integer: false },
  bytes: { min: 1, max: 2 ** 31 - 1 },
  seed: { min: -(2 ** 53), max: 2 ** 53, integer: false },
};

/**
 * Checks a timeout of a call.
 *
 * @throws ConfigError naming the option.
 */
export function checkTimeout(value: number, option: string): number {
  return checkNumber(value, option, clientRanges.milliseconds);
}

/**
 * Checks a token, or the function that gives it.
 *
 * @throws ConfigError naming the option, without the token.
 */
export function checkToken(
  token: TokenSource | undefined,
  option: string,
): TokenSource | undefined {
  if (token === undefined || typeof token === "function" || isToken(token)) return token;
  // Not shown: even a token with a stray line end is a secret.
  throw servingError(
    "INVALID_OPTION",
    `${option} is ${typeof token === "string" ? "a text" : seen(token)} that cannot be sent, expected printable ASCII or a function`,
  );
}

/**
 * Checks an option that asks for TLS.
 *
 * @param logger - told when files that change later cannot be used
 * @returns undefined for none
 * @throws ConfigError naming the option, for certificates that cannot be used, too.
 */
export function checkTls(
  tls: boolean | ClientTls | undefined,
  option: string,
  logger?: Logger,
): ClientTls | undefined {
  if (tls === undefined || tls === false) return undefined;
  if (tls === true) return {};
  if (typeof tls !== "object" || tls === null) {
    throw servingError("INVALID_OPTION", `${option} is ${seen(tls)}, expected true or an object`);
  }
  return checkClientTls(tls, option, logger);
}
