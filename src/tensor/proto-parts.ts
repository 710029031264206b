import { hostIsLittleEndian, wordsOf, writeArray } from "./bulk.js";
import type { NumericArray } from "./dtype-table.js";
import { WireType } from "./proto-reader.js";

/** A piece of a message whose length is known before it is written, so that the message is put together in one allocation. */
export interface Part {
  readonly length: number;
  /** Writes it where there is room for it; returns the place behind it. */
  write(out: Buffer, at: number): number;
}

const MAX_SHORT = 64;

/** Bytes of the varint of 64 bits, given as halves without sign. */
function wordsLength(low: number, high: number): number {
  const bits = high === 0 ? 32 - Math.clz32(low | 1) : 64 - Math.clz32(high);
  return Math.floor((bits + 6) / 7);
}

function writeWords(out: Buffer, at: number, low: number, high: number): number {
  let lower = low;
  let higher = high;
  let pos = at;
  while (higher !== 0 || lower > 0x7f) {
    out[pos++] = (lower & 0x7f) | 0x80;
    lower = ((lower >>> 7) | (higher << 25)) >>> 0;
    higher >>>= 7;
  }
  out[pos++] = lower;
  return pos;
}

const highOf = (value: number): number => Math.floor(value / 2 ** 32) >>> 0;

/** Bytes of a whole number up to 2^53, or of an int32, which is as long as an int64 when negative. */
function numberLength(value: number): number {
  return value >= 0 && value < 0x80 ? 1 : wordsLength(value >>> 0, highOf(value));
}

function writeNumber(out: Buffer, at: number, value: number): number {
  if (value < 0 || value >= 0x80) return writeWords(out, at, value >>> 0, highOf(value));
  out[at] = value;
  return at + 1;
}

/** A tag, a length, and so many bytes. */
function lengthField(
  field: number,
  bodyLength: number,
  writeBody: (out: Buffer, at: number) => number,
): Part {
  const tag = (field << 3) | WireType.LENGTH;
  return {
    length: numberLength(tag) + numberLength(bodyLength) + bodyLength,
    write: (out, at) => writeBody(out, writeNumber(out, writeNumber(out, at, tag), bodyLength)),
  };
}

/** A field that is left out when it is 0, as proto3 does; of type int32 or an enum. */
export function int32Field(field: number, value: number): readonly Part[] {
  return value === 0 ? [] : [requiredInt32Field(field, value)];
}

/** A field that is written even when it is 0. */
export function requiredInt32Field(field: number, value: number): Part {
  const tag = (field << 3) | WireType.VARINT;
  return {
    length: numberLength(tag) + numberLength(value),
    write: (out, at) => writeNumber(out, writeNumber(out, at, tag), value),
  };
}

/** A field of bytes. */
export function bytesField(field: number, bytes: Uint8Array): Part {
  return lengthField(field, bytes.length, (out, at) => {
    out.set(bytes, at);
    return at + bytes.length;
  });
}

/** Most names are: then a few steps here cost less than the way into the engine's encoder. */
function isShortAscii(text: string): boolean {
  if (text.length > MAX_SHORT) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}

/** A text in a list of texts. */
export function textElement(field: number, text: string): Part {
  if (isShortAscii(text))
    return lengthField(field, text.length, (out, at) => {
      for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
      return at + text.length;
    });
  return lengthField(field, Buffer.byteLength(text), (out, at) => at + out.write(text, at));
}

/** A field that is left out when it is empty. */
export function textField(field: number, text: string): readonly Part[] {
  return text === "" ? [] : [textElement(field, text)];
}

/** A message in a message. */
export function messageField(field: number, parts: readonly Part[]): Part {
  return lengthField(field, lengthOf(parts), (out, at) => writeParts(parts, out, at));
}

/** Numbers of fixed length; nothing when there are none. */
export function packedFixed(
  field: number,
  array: NumericArray,
  littleEndian: boolean = hostIsLittleEndian,
): readonly Part[] {
  if (array.length === 0) return [];
  const write = (out: Buffer, at: number): number => {
    writeArray(array, out, at, littleEndian);
    return at + array.byteLength;
  };
  return [lengthField(field, array.byteLength, write)];
}

/** Whole numbers up to 2^53, int32 when negative, as varints; nothing when there are none. */
export function packedNumbers(field: number, values: ArrayLike<number>): readonly Part[] {
  if (values.length === 0) return [];
  let length = 0;
  for (let i = 0; i < values.length; i++) length += numberLength(values[i] ?? 0);
  const write = (out: Buffer, at: number): number => {
    let pos = at;
    for (let i = 0; i < values.length; i++) pos = writeNumber(out, pos, values[i] ?? 0);
    return pos;
  };
  return [lengthField(field, length, write)];
}

/** Whole numbers of 64 bits as varints; nothing when there are none. */
export function packedInt64(
  field: number,
  values: BigInt64Array,
  littleEndian: boolean = hostIsLittleEndian,
): readonly Part[] {
  if (values.length === 0) return [];
  const { words, lowAt } = wordsOf(values, littleEndian);
  const highAt = 1 - lowAt;
  let length = 0;
  for (let i = 0; i < words.length; i += 2)
    length += wordsLength(words[i + lowAt] ?? 0, words[i + highAt] ?? 0);
  const write = (out: Buffer, at: number): number => {
    let pos = at;
    for (let i = 0; i < words.length; i += 2)
      pos = writeWords(out, pos, words[i + lowAt] ?? 0, words[i + highAt] ?? 0);
    return pos;
  };
  return [lengthField(field, length, write)];
}

/** A message of these parts. */
export function encodeParts(parts: readonly Part[]): Uint8Array {
  // Not filled with zeros first: every byte is written.
  const out = Buffer.allocUnsafe(lengthOf(parts));
  writeParts(parts, out, 0);
  return out;
}

function lengthOf(parts: readonly Part[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

function writeParts(parts: readonly Part[], out: Buffer, at: number): number {
  let pos = at;
  for (const part of parts) pos = part.write(out, pos);
  return pos;
}
