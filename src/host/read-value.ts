import { fileURLToPath } from "node:url";
import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import { isToken } from "../core/token.js";

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$|^Infinity$/i;

const URL_START = /^(file:|[a-z][a-z0-9+.-]*:\/\/)/i;

const booleans: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  ["true", true],
  [1, true],
  ["1", true],
  [false, false],
  ["false", false],
  [0, false],
  ["0", false],
]);

/**
 * Reads a number, or a decimal text of one; `"Infinity"` is one.
 *
 * @throws ConfigError `INVALID_OPTION`.
 */
export function readNumber(value: unknown, where: string): number {
  if (typeof value === "number") return value;
  if (typeof value === "string" && NUMBER.test(value)) return Number(value);
  throw servingError("INVALID_OPTION", `${where} is ${seen(value)}, expected a number`);
}

/**
 * Reads true or false: themselves, 1 or 0, or a text of one of these.
 *
 * @throws ConfigError `INVALID_OPTION`.
 */
export function readBoolean(value: unknown, where: string): boolean {
  const known = booleans.get(typeof value === "string" ? value.toLowerCase() : value);
  if (known !== undefined) return known;
  throw servingError("INVALID_OPTION", `${where} is ${seen(value)}, expected true or false`);
}

/**
 * Reads a token. Messages never show it.
 *
 * @throws ConfigError `INVALID_OPTION` for what no header can carry.
 */
export function readToken(value: unknown, where: string): string {
  if (isToken(value)) return value;
  if (typeof value !== "string" || value === "") {
    const what = value === "" ? "empty" : "not a text";
    throw servingError("INVALID_OPTION", `${where} is ${what}, expected a token`);
  }
  throw servingError(
    "INVALID_OPTION",
    `${where} has a character that no header can carry, such as a newline, or a blank at an end`,
  );
}

/**
 * Parses JSON. What the parser says is not handed on but for the place: it quotes the text, which may hold a token.
 *
 * @param at - writes the place of an offset, instead of `where` and the offset
 * @throws ConfigError `INVALID_OPTION`.
 */
export function readJson(text: string, where: string, at?: (offset: number) => string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    const offset = offsetOf(String(thrown), text);
    // Not for every mistake does the parser say where it is.
    if (offset === undefined) throw servingError("INVALID_OPTION", `${where} is not JSON`);
    const place = at === undefined ? where : at(offset);
    const behind = at === undefined ? ` at position ${offset}` : "";
    throw servingError("INVALID_OPTION", `${place} is not JSON${behind}`);
  }
}

function offsetOf(parserText: string, text: string): number | undefined {
  const position = / at position (\d+)/.exec(parserText)?.[1];
  if (position !== undefined) return Number(position);
  return parserText.includes("Unexpected end of JSON input") ? text.length : undefined;
}

/**
 * Turns the URL of a file into its path; a text that is no URL is a path already.
 *
 * @throws ConfigError `INVALID_OPTION` for a URL that is not of a file on this machine.
 */
export function readFilePath(file: string | URL, where: string): string {
  if (typeof file === "string" && !URL_START.test(file)) return file;
  try {
    return fileURLToPath(file);
  } catch {
    throw servingError(
      "INVALID_OPTION",
      `${where} is ${seen(String(file))}, expected a file on this machine`,
    );
  }
}
