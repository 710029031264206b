import { Option } from "commander";
import { checkNumber, type NumberRange, seen } from "../core/options.js";
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
