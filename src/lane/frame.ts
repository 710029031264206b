import { servingError } from "../core/serving-error.js";

/** What crosses between a host and a lane, before anybody knows what it means. */
export interface Frame {
  /** 0 to 255. */
  readonly kind: number;
  /** The call it belongs to; 0 for none. */
  readonly id: number;
  /** At most 255. */
  readonly numbers: readonly number[];
  /** Half surrogate pairs arrive as U+FFFD. */
  readonly texts: readonly string[];
  readonly body: Uint8Array;
}

/** A body of no bytes. */
export const noBytes: Uint8Array = new Uint8Array(0);

const FIXED_BYTES = 16;

/**
 * Writes everything of a frame but its body, in whole words of 8 bytes, so that a body behind it is aligned for any
 * typed array. All texts are written as one: each crossing between JavaScript and UTF-8 costs more than the bytes.
 *
 * ```
 * u8 kind | u8 numbers | u16 0 | u32 id | u32 texts | u32 bytes of text | f64 ... | u32 length of each text ... | text
 * ```
 */
export function encodeHead({ kind, id, numbers, texts }: Frame): Buffer {
  const text = texts.length === 1 ? (texts[0] ?? "") : texts.join("");
  const textBytes = Buffer.byteLength(text);
  const end = FIXED_BYTES + 8 * numbers.length + 4 * texts.length + textBytes;
  const size = wholeWords(end);
  const head = Buffer.allocUnsafe(size);
  head.writeUInt32LE(kind | (numbers.length << 8), 0);
  head.writeUInt32LE(id, 4);
  head.writeUInt32LE(texts.length, 8);
  head.writeUInt32LE(textBytes, 12);
  let at = FIXED_BYTES;
  for (const number of numbers) at = head.writeDoubleLE(number, at);
  for (const each of texts) at = head.writeUInt32LE(each.length, at);
  if (textBytes > 0) head.write(text, at);
  if (size > end) head.fill(0, end);
  return head;
}

/**
 * Reads a frame; its body is a view over `bytes`.
 *
 * @throws HostError `INTERNAL` when the bytes are no frame.
 */
export function decodeFrame(bytes: Buffer): Frame {
  if (bytes.length < FIXED_BYTES) throw broken(bytes);
  const first = bytes.readUInt32LE(0);
  const numberCount = (first >>> 8) & 0xff;
  const textCount = bytes.readUInt32LE(8);
  const textBytes = bytes.readUInt32LE(12);
  const textsAt = FIXED_BYTES + 8 * numberCount;
  const textAt = textsAt + 4 * textCount;
  const bodyAt = wholeWords(textAt + textBytes);
  if (bodyAt > bytes.length) throw broken(bytes);
  const numbers: number[] = [];
  for (let at = FIXED_BYTES; at < textsAt; at += 8) numbers.push(bytes.readDoubleLE(at));
  const texts: string[] = [];
  const text = textBytes === 0 ? "" : bytes.toString("utf8", textAt, textAt + textBytes);
  let from = 0;
  for (let at = textsAt; at < textAt; at += 4) {
    const to = from + bytes.readUInt32LE(at);
    texts.push(text.slice(from, to));
    from = to;
  }
  if (from !== text.length) throw broken(bytes);
  const body =
    bodyAt === bytes.length
      ? noBytes
      : new Uint8Array(bytes.buffer, bytes.byteOffset + bodyAt, bytes.length - bodyAt);
  return { kind: first & 0xff, id: bytes.readUInt32LE(4), numbers, texts, body };
}

function wholeWords(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

function broken(bytes: Uint8Array): Error {
  return servingError("INTERNAL", `${bytes.length} bytes between host and lane are no frame`);
}
