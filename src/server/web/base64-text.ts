import { servingError } from "../../core/serving-error.js";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PAD = "=".charCodeAt(0);
const NONE = 255;

/** Value of each character's code; {@link NONE} for what is no base64. */
const values: Uint8Array = new Uint8Array(256).fill(NONE);
for (let value = 0; value < ALPHABET.length; value++) values[ALPHABET.charCodeAt(value)] = value;

/** Writes bytes as base64, padded. */
export function base64FromBytes(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString("base64"), "latin1");
}

/**
 * Reads base64 in which padding may stand anywhere: whoever sends may have encoded it in parts, of any length, each with
 * padding of its own. By hand, because Node's decoder stops at padding and skips what is no base64.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md, "application/grpc-web-text"
 * @throws HostError `MALFORMED_REQUEST` for what is no such text.
 */
export function bytesFromBase64(text: Uint8Array): Uint8Array {
  if (text.byteLength % 4 !== 0) {
    throw malformed(`${text.byteLength} characters, expected a multiple of 4`);
  }
  const bytes = new Uint8Array((text.byteLength / 4) * 3);
  let length = 0;
  for (let at = 0; at < text.byteLength; at += 4) {
    const padding = paddingOf(text, at);
    const quartet =
      (valueAt(text, at) << 18) |
      (valueAt(text, at + 1) << 12) |
      ((padding === 2 ? 0 : valueAt(text, at + 2)) << 6) |
      (padding > 0 ? 0 : valueAt(text, at + 3));
    bytes[length++] = quartet >> 16;
    if (padding < 2) bytes[length++] = quartet >> 8;
    if (padding < 1) bytes[length++] = quartet;
  }
  return bytes.subarray(0, length);
}

function paddingOf(text: Uint8Array, at: number): number {
  if (text[at + 3] !== PAD) return 0;
  return text[at + 2] === PAD ? 2 : 1;
}

function valueAt(text: Uint8Array, at: number): number {
  const value = values[text[at] ?? 0] ?? NONE;
  if (value === NONE) throw malformed(`character ${at + 1} is not of base64, or padding too early`);
  return value;
}

function malformed(problem: string): Error {
  return servingError("MALFORMED_REQUEST", `the body is not base64: ${problem}`);
}
