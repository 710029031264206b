import { Option } from "commander";
import { checkNumber, type NumberRange, seen } from "../core/options.js";
import { LONGEST_TIMER_MS } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import { readNumber } from "../host/read-value.js";

/**
 * Collects the values of a flag that may be repeated; for commander, which hands it each value with those before.
 *
 * The flag needs no default: where it is never given it is undefined.
 */
export function repeated(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/**
 * A flag that takes one of a few words, which help and completion show. The command itself checks what was given: its errors
 * name the nearest word.
 */
export function wordsFlag(flag: string, description: string, words: readonly string[]): Option {
  const option = new Option(flag, description);
  option.argChoices = [...words];
  return option;
}

/** A flag whose value begins with one of a few words, which completion shows. */
export class BeginningsFlag extends Option {
  readonly beginnings: readonly string[];

  constructor(flag: string, description: string, beginnings: readonly string[]) {
    super(flag, description);
    this.beginnings = beginnings;
  }
}

/**
 * Reads a flag that takes a number, as options and their variables are read.
 *
 * @param text - what was given
 * @param flag - with both dashes, for errors
 * @returns undefined when it was not given
 * @throws ConfigError `INVALID_OPTION` with what was seen and what was expected.
 */
export function numberOf(
  text: string | undefined,
  flag: string,
  range: NumberRange,
): number | undefined {
  return text === undefined ? undefined : checkNumber(readNumber(text, flag), flag, range);
}

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;

const unitsMs: ReadonlyMap<string | undefined, number> = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/**
 * Reads a flag that takes a time with its unit: `500ms`, `30s`, `5m`, `1h`.
 *
 * @param flag - with both dashes, for errors
 * @returns milliseconds; undefined when it was not given
 * @throws ConfigError `INVALID_OPTION` for anything else, and for less than a millisecond or more than a timer can count.
 */
export function durationOf(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const [, number, unit] = DURATION.exec(text) ?? [];
  const ms = Number(number) * (unitsMs.get(unit) ?? Number.NaN);
  if (ms >= 1 && ms <= LONGEST_TIMER_MS) return ms;
  throw servingError(
    "INVALID_OPTION",
    `${flag} is ${seen(text)}, expected a time such as 500ms, 30s, 5m or 1h, at most 24 days`,
  );
}

/**
 * Reads a flag of the form `name=value`.
 *
 * @param flag - with both dashes, for errors
 * @throws ConfigError `INVALID_OPTION`
 */
export function pairOf(text: string, flag: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw servingError("INVALID_OPTION", `${flag} is ${seen(text)}, expected name=value`);
}
