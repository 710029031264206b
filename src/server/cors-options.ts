import { checkBoolean, checkNumber, fillOptions, seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";

/** Which web pages may call a port, and what they may send. */
export interface CorsRules {
  /** Origins of the pages, as browsers write them: `https://app.example`; `"*"` for any page. */
  readonly origins: readonly string[] | "*";
  /** Request headers that pages may send besides those of the protocols' own clients. */
  readonly allowHeaders: readonly string[];
  /** How long a browser may keep the answer to a preflight, in seconds; 0 to 86,400 (browsers have limits of their own). */
  readonly maxAgeSeconds: number;
  /** Whether a page may call with cookies and client certificates; never with origins `"*"`. */
  readonly credentials: boolean;
}

/** {@link CorsRules} as they are given: only the origins must be. */
export type CorsOptions = Pick<CorsRules, "origins"> & {
  readonly [K in keyof Omit<CorsRules, "origins">]?: CorsRules[K] | undefined;
};

const corsDefaults: CorsRules = Object.freeze({
  origins: Object.freeze([]),
  allowHeaders: Object.freeze([]),
  maxAgeSeconds: 7_200,
  credentials: false,
});

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._~:[\]-]+$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const MAX_AGE_SECONDS = 86_400;

/**
 * Checks and fills the rules for web pages.
 *
 * @throws ConfigError `UNKNOWN_OPTION`, or `INVALID_OPTION` with what was seen and what was expected.
 */
export function checkCors(given: CorsOptions | undefined, option: string): CorsRules | undefined {
  if (given === undefined) return undefined;
  const rules = fillOptions(given, corsDefaults, option);
  const origins = checkOrigins(rules.origins, `${option}.origins`);
  const credentials = checkBoolean(rules.credentials, `${option}.credentials`);
  if (origins === "*" && credentials) {
    throw servingError(
      "INVALID_OPTION",
      `${option}.credentials is true with origins "*", by which every page could act as whoever opens it; list the origins`,
    );
  }
  const maxAgeSeconds = checkNumber(rules.maxAgeSeconds, `${option}.maxAgeSeconds`, {
    min: 0,
    max: MAX_AGE_SECONDS,
  });
  const allowHeaders = checkHeaders(rules.allowHeaders, `${option}.allowHeaders`);
  return Object.freeze({ origins, allowHeaders, maxAgeSeconds, credentials });
}

function checkOrigins(given: CorsRules["origins"], option: string): CorsRules["origins"] {
  if (given === "*") return given;
  if (!Array.isArray(given) || given.length === 0) {
    throw servingError(
      "INVALID_OPTION",
      `${option} is ${seen(given)}, expected "*" or a list of origins such as "https://app.example"`,
    );
  }
  const wrong: unknown = given.find((origin) => !isOrigin(origin));
  if (wrong === undefined) return Object.freeze([...given]);
  throw servingError(
    "INVALID_OPTION",
    `${option} has ${seen(wrong)}, expected origins as browsers write them: scheme and host in lower case, a port only if it is not the scheme's own, no path`,
  );
}

function isOrigin(origin: unknown): boolean {
  if (typeof origin !== "string" || !ORIGIN.test(origin)) return false;
  // Browsers leave out a scheme's own port: an origin with it would never be met.
  return !/^https?:/.test(origin) || (URL.canParse(origin) && new URL(origin).origin === origin);
}

function checkHeaders(given: readonly string[], option: string): readonly string[] {
  const ok =
    Array.isArray(given) &&
    given.every((name) => typeof name === "string" && HEADER_NAME.test(name) && name !== "*");
  if (ok) return Object.freeze(given.map((name) => name.toLowerCase()));
  throw servingError(
    "INVALID_OPTION",
    `${option} is ${seen(given)}, expected a list of names of headers`,
  );
}
