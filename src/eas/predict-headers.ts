import { seen } from "../core/options.js";
import { isRecord } from "../core/record.js";
import { servingError } from "../core/serving-error.js";
import { isHeaderName, isHeaderValue } from "../transport/http-headers.js";

/** Headers of calls, by name. */
export type PredictHeaders = Readonly<Record<string, string>>;

/**
 * Checks headers, and writes their names in lower case.
 *
 * @throws ConfigError `INVALID_OPTION` naming the header, never its value: it may be a secret.
 */
export function checkHeaders(headers: PredictHeaders, option: string): PredictHeaders {
  if (!isRecord(headers)) {
    throw servingError("INVALID_OPTION", `${option} is ${seen(headers)}, expected an object`);
  }
  // Not by assignment, which would lose one that is called "__proto__".
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const key = name.toLowerCase();
      if (!isHeaderName(key)) {
        throw servingError("INVALID_OPTION", `${option} has ${seen(name)}, which cannot be set`);
      }
      return [key, checkHeaderValue(value, `${option}.${name}`)];
    }),
  );
}

/**
 * Checks the value of a header.
 *
 * @throws ConfigError `INVALID_OPTION`, without the value.
 */
export function checkHeaderValue(value: string, option: string): string {
  if (isHeaderValue(value)) return value;
  throw servingError("INVALID_OPTION", `${option} cannot be sent as a header`);
}
