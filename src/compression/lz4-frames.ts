import { lz4BlockBytes } from "./lz4-block.js";

/** What begins a frame, least byte first. */
const MAGIC = 0x184d2204;

/** Bits of the descriptor's first byte. */
const BLOCK_CHECKSUM = 0x10;
const CONTENT_SIZE = 0x08;
const CONTENT_CHECKSUM = 0x04;
const DICTIONARY = 0x01;

/** Bit of a block's length: it stands as it is, uncompressed. */
const STORED = 0x8000_0000;

/** Tells whether a body is a frame. No raw block begins so: its first match would point before its beginning. */
export function isLz4Frame(body: Uint8Array): boolean {
  return body.byteLength >= 4 && viewOf(body).getUint32(0, true) === MAGIC;
}

/** The most frames that one body may be made of: each costs a trip to another thread, however small. */
export const MAX_LZ4_FRAMES = 1_024;

/** A whole frame of a body. */
interface Lz4Frame {
  readonly begin: number;
  readonly end: number;
  /** How many bytes it stands for. */
  readonly bytes: number;
}

/** Frames that follow each other. */
interface Lz4Frames {
  readonly frames: readonly Lz4Frame[];
  /** How many bytes they stand for, all together. */
  readonly bytes: number;
}

/**
 * Finds the frames of a body and how many bytes they stand for, by the sequences of their blocks and not by what they
 * claim; undefined for what is no row of whole frames. Checksums are not looked at.
 *
 * Source: lz4_Frame_format.md.
 *
 * @param mostBytes - Reading ends once there are more, or more frames than {@link MAX_LZ4_FRAMES}.
 */
export function lz4Frames(body: Uint8Array, mostBytes: number): Lz4Frames | undefined {
  const view = viewOf(body);
  const frames: Lz4Frame[] = [];
  let bytes = 0;
  let at = 0;
  while (at < body.byteLength && bytes <= mostBytes && frames.length <= MAX_LZ4_FRAMES) {
    const frame = readFrame(body, view, at, mostBytes - bytes);
    if (frame === undefined) return undefined;
    frames.push(frame);
    bytes += frame.bytes;
    at = frame.end;
  }
  return { frames, bytes };
}

function readFrame(
  body: Uint8Array,
  view: DataView,
  begin: number,
  mostBytes: number,
): Lz4Frame | undefined {
  // Magic, two bytes of descriptor, its checksum, and the end mark at least.
  if (begin + 11 > body.byteLength || view.getUint32(begin, true) !== MAGIC) return undefined;
  const flags = view.getUint8(begin + 4);
  const has = (flag: number, fieldBytes: number): number => ((flags & flag) === 0 ? 0 : fieldBytes);
  let at = begin + 7 + has(CONTENT_SIZE, 8) + has(DICTIONARY, 4);
  let bytes = 0;
  while (at + 4 <= body.byteLength) {
    const size = view.getUint32(at, true);
    at += 4;
    if (size === 0) {
      const end = at + has(CONTENT_CHECKSUM, 4);
      return end <= body.byteLength ? { begin, end, bytes } : undefined;
    }
    const block = body.subarray(at, at + (size % STORED));
    at += (size % STORED) + has(BLOCK_CHECKSUM, 4);
    const inBlock = size >= STORED ? block.length : lz4BlockBytes(block, mostBytes - bytes);
    if (at > body.byteLength || inBlock === undefined) return undefined;
    bytes += inBlock;
    if (bytes > mostBytes) return { begin, end: at, bytes };
  }
  return undefined;
}

function viewOf(body: Uint8Array): DataView {
  return new DataView(body.buffer, body.byteOffset, body.byteLength);
}
