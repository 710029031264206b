import { FormatError } from "./format-error.js";
import type { Tensor } from "./tensor.js";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Bytes as text; undefined when they are not UTF-8. */
export function textFrom(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** A text as UTF-8. */
export function textToBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** A name as messages show it: in quotes, what is unusual escaped, not too long. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}...` : name);
}

/**
 * The elements of a tensor of strings as text.
 *
 * @throws FormatError naming the first element that is not UTF-8
 */
export function textsOf(tensor: Tensor<"string">): string[] {
  return tensor.data.map((bytes, index) => {
    const text = textFrom(bytes);
    if (text === undefined) throw new FormatError(`data[${index}] is not UTF-8`);
    return text;
  });
}
