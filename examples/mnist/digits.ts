import { gunzipSync, gzipSync } from "node:zlib";

/** Labelled pictures of handwritten digits. */
export interface Digits {
  /** How many there are; indexes go from 0 to `count - 1`. */
  readonly count: number;
  /**
   * Returns the digit, 0 to 9, that picture `index` shows.
   *
   * @throws RangeError if there is no such picture
   */
  label(index: number): number;
  /**
   * Returns the 784 bytes of picture `index`, row by row, 0 is background and 255 is ink. It is a
   * view: writing to it changes the picture for everyone.
   *
   * @throws RangeError if there is no such picture
   */
  pixels(index: number): Uint8Array;
}

// The file, inside gzip: these 16 bytes, then all labels (a byte each), then all pictures.
const magic = "IWDG";
const version = 1;
const side = 28;
const pixelCount = side * side;
const headerBytes = 16;
const countOffset = 12;
/** Stops a file that only claims to be ours from filling the memory. */
const maxFileBytes = 64 * 1024 * 1024;

/**
 * Reads a file of digits.
 *
 * @param bytes - the whole file, as {@link encodeDigits} makes it, still compressed
 * @throws Error if it is not gzip, or if magic, version, dimensions, length or a label is wrong
 */
export function loadDigits(bytes: Uint8Array): Digits {
  const file = unpack(bytes);
  const count = checkHeader(file);
  const labels = file.subarray(headerBytes, headerBytes + count);
  const pictures = file.subarray(headerBytes + count);
  const wrongLabel = labels.find((label) => label > 9);
  if (wrongLabel !== undefined) {
    throw new Error(`digits file has label ${wrongLabel}, expected 0 to 9`);
  }
  const check = (index: number): number => {
    if (!Number.isInteger(index) || index < 0 || index >= count) {
      throw new RangeError(`digit index is ${index}, expected 0 to ${count - 1}`);
    }
    return index;
  };
  return {
    count,
    label: (index) => labels[check(index)] ?? 0,
    pixels: (index) => {
      const start = check(index) * pixelCount;
      return pictures.subarray(start, start + pixelCount);
    },
  };
}

/** Returns the compressed bytes of a file of digits; the counterpart of {@link loadDigits}. */
export function encodeDigits(digits: Digits): Uint8Array {
  const { count } = digits;
  const file = new Uint8Array(headerBytes + count * (1 + pixelCount));
  const view = new DataView(file.buffer);
  file.set(new TextEncoder().encode(magic));
  for (const [index, value] of [version, side, side].entries()) {
    view.setUint16(magic.length + 2 * index, value, true);
  }
  view.setUint32(countOffset, count, true);
  for (let index = 0; index < count; index++) {
    file[headerBytes + index] = digits.label(index);
    file.set(digits.pixels(index), headerBytes + count + index * pixelCount);
  }
  return gzipSync(file, { level: 9 });
}

function unpack(bytes: Uint8Array): Uint8Array {
  try {
    // Copied out of the Buffer, so that the views given out are plain Uint8Arrays.
    return new Uint8Array(gunzipSync(bytes, { maxOutputLength: maxFileBytes }));
  } catch (cause) {
    throw new Error("digits file cannot be decompressed, expected gzip", { cause });
  }
}

function checkHeader(file: Uint8Array): number {
  if (file.length < headerBytes) {
    throw new Error(`digits file has ${file.length} bytes, expected at least ${headerBytes}`);
  }
  const seenMagic = String.fromCharCode(...file.subarray(0, magic.length));
  if (seenMagic !== magic) {
    throw new Error(`digits file starts with ${JSON.stringify(seenMagic)}, expected "${magic}"`);
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const fields = { version, rows: side, columns: side };
  for (const [index, [name, expected]] of Object.entries(fields).entries()) {
    const seen = view.getUint16(magic.length + 2 * index, true);
    if (seen !== expected) {
      throw new Error(`digits file says ${name} ${seen}, expected ${expected}`);
    }
  }
  const count = view.getUint32(countOffset, true);
  const expectedBytes = headerBytes + count * (1 + pixelCount);
  if (file.length !== expectedBytes) {
    throw new Error(
      `digits file has ${file.length} bytes, expected ${expectedBytes} for ${count} digits`,
    );
  }
  return count;
}
