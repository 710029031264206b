import { seen } from "../../core/options.js";
import { servingError } from "../../core/serving-error.js";

/** Metadata of one key. */
export type HeaderPair = readonly [key: string, value: string | Uint8Array];

/**
 * Reads `--header`.
 *
 * @param text - `key:value`; the value of a key that ends in `-bin` is base64
 * @throws ConfigError `INVALID_OPTION`
 */
export function headerOf(text: string): HeaderPair {
  const colon = text.indexOf(":");
  const key = text.slice(0, Math.max(0, colon)).trim().toLowerCase();
  const value = text.slice(colon + 1).trim();
  if (!/^[a-z0-9_.-]+$/.test(key)) throw wrong(text, "key:value");
  if (!key.endsWith("-bin")) {
    if (!/^[ -~]*$/.test(value)) throw wrong(text, "a value of printable ASCII");
    return [key, value];
  }
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw wrong(text, "a value in base64");
  return [key, Buffer.from(value, "base64")];
}

function wrong(text: string, expected: string): Error {
  return servingError("INVALID_OPTION", `--header is ${seen(text)}, expected ${expected}`);
}
