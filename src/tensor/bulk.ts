import type { ArrayMaker, NumericArray } from "./dtype-table.js";

/** Whether numbers in this machine's memory begin with their lowest byte, as they do on the wire. */
export const hostIsLittleEndian: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The bytes that an array lies over; not a copy. */
export function bytesOf(array: NumericArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** The same numbers in an array over memory of its own. */
export function copyOf<A extends NumericArray>(array: A, maker: ArrayMaker<A>): A {
  const copy = new maker(array.length);
  bytesOf(copy).set(bytesOf(array));
  return copy;
}

/** Turns the bytes of each number round. */
function reverseEach(bytes: Uint8Array, numberBytes: number): void {
  for (let start = 0; start < bytes.length; start += numberBytes)
    bytes.subarray(start, start + numberBytes).reverse();
}

/** Copies little-endian numbers into an array, from its `byteOffset`-th byte. */
export function copyIntoArray(
  source: Uint8Array,
  target: NumericArray,
  byteOffset: number,
  littleEndian: boolean = hostIsLittleEndian,
): void {
  const bytes = bytesOf(target).subarray(byteOffset, byteOffset + source.length);
  bytes.set(source);
  if (!littleEndian) reverseEach(bytes, target.BYTES_PER_ELEMENT);
}

/** Little-endian numbers in a message as an array: a view where alignment and byte order allow, else a copy. */
export function arrayOver<A extends NumericArray>(
  message: Uint8Array,
  start: number,
  end: number,
  maker: ArrayMaker<A>,
  littleEndian: boolean = hostIsLittleEndian,
): A {
  const length = (end - start) / maker.BYTES_PER_ELEMENT;
  const byteOffset = message.byteOffset + start;
  if (byteOffset % maker.BYTES_PER_ELEMENT === 0 && (littleEndian || maker.BYTES_PER_ELEMENT === 1))
    return new maker(message.buffer, byteOffset, length);
  // An ArrayBuffer's slice, unlike a new array, is not filled with zeros first, which costs half as much as the copy.
  const copy = message.buffer.slice(byteOffset, byteOffset + end - start);
  if (!littleEndian) reverseEach(new Uint8Array(copy), maker.BYTES_PER_ELEMENT);
  return new maker(copy, 0, length);
}

/** Writes an array's numbers little-endian. */
export function writeArray(
  array: NumericArray,
  out: Uint8Array,
  at: number,
  littleEndian: boolean = hostIsLittleEndian,
): void {
  out.set(bytesOf(array), at);
  if (!littleEndian) reverseEach(out.subarray(at, at + array.byteLength), array.BYTES_PER_ELEMENT);
}

/** An array of 64-bit integers as pairs of 32-bit words, and where in a pair the lower one is. */
export function wordsOf(
  array: BigInt64Array,
  littleEndian: boolean = hostIsLittleEndian,
): { readonly words: Uint32Array; readonly lowAt: 0 | 1 } {
  const words = new Uint32Array(array.buffer, array.byteOffset, array.length * 2);
  return { words, lowAt: littleEndian ? 0 : 1 };
}
