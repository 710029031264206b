import { didYouMean } from "./nearest.js";
import type { Logger } from "./ports.js";
import { servingError } from "./serving-error.js";

/**
 * Fills an options object: every key must be one of the defaults' keys, undefined means the default.
 *
 * @throws ConfigError `UNKNOWN_OPTION` naming the key and the nearest known one.
 */
export function fillOptions<T extends object>(
  given: { readonly [K in keyof T]?: T[K] | undefined } | undefined,
  defaults: T,
  where: string,
): T {
  if (given === undefined) return { ...defaults };
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw servingError("INVALID_OPTION", `${where} is ${seen(given)}, expected an object`);
  }
  const filled: T = { ...defaults };
  for (const key of Object.keys(given) as (keyof T & string)[]) {
    if (!Object.hasOwn(defaults, key)) {
      const known = Object.keys(defaults);
      throw servingError(
        "UNKNOWN_OPTION",
        `${where} has no option "${key}"${didYouMean(key, known)}`,
      );
    }
    const value = given[key];
    if (value !== undefined) filled[key] = value;
  }
  return filled;
}

/** What a number option may be. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly integer?: boolean;
  /** Infinity is allowed besides. */
  readonly orInfinity?: boolean;
}

/**
 * Checks a number option.
 *
 * @throws ConfigError `INVALID_OPTION` with the option's path, what was seen and what was expected.
 */
export function checkNumber(value: number, option: string, range: NumberRange): number {
  const { min, max, integer = true, orInfinity = false } = range;
  if (orInfinity && value === Number.POSITIVE_INFINITY) return value;
  const ok =
    typeof value === "number" &&
    value >= min &&
    value <= max &&
    (!integer || Number.isInteger(value));
  if (!ok) {
    const kind = integer ? "an integer" : "a number";
    throw servingError(
      "INVALID_OPTION",
      `${option} is ${seen(value)}, expected ${kind} from ${min} to ${max}${orInfinity ? ", or Infinity" : ""}`,
    );
  }
  return value;
}

/**
 * Checks an option that takes one of a few words.
 *
 * @throws ConfigError `INVALID_OPTION` with the nearest word.
 */
export function checkOneOf<T extends string>(value: T, option: string, allowed: readonly T[]): T {
  if (!allowed.includes(value)) {
    throw servingError(
      "INVALID_OPTION",
      `${option} is ${seen(value)}${didYouMean(String(value), allowed)}`,
    );
  }
  return value;
}

/** Checks an option that takes true or false. */
export function checkBoolean(value: boolean, option: string): boolean {
  if (typeof value === "boolean") return value;
  throw servingError("INVALID_OPTION", `${option} is ${seen(value)}, expected true or false`);
}

/** Checks an option that takes a non-empty text. */
export function checkText(value: string, option: string): string {
  if (typeof value !== "string" || value === "") {
    throw servingError("INVALID_OPTION", `${option} is ${seen(value)}, expected a text`);
  }
  return value;
}

const logMethods = ["debug", "info", "warn", "error"] as const;

/**
 * Checks an option that takes a logger; undefined means the default.
 *
 * @throws ConfigError `INVALID_OPTION` naming the first method that is missing.
 */
export function checkLogger(logger: Logger | undefined, option: string): Logger | undefined {
  const missing = logMethods.find((method) => typeof logger?.[method] !== "function");
  if (logger === undefined || missing === undefined) return logger;
  throw servingError("INVALID_OPTION", `${option} has no method "${missing}"`);
}

/** Shows a value in an error message, never at length. */
export function seen(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 80));
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value === null || typeof value !== "object") return String(value);
  return "an object";
}
