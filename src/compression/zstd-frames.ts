/** What begins a frame, and one that is to be skipped but for its last four bits; least byte first. */
const MAGIC = 0xfd2f_b528;
const SKIPPED_MAGIC = 0x184d_2a50;

/** The most that one block gives, whatever its kind. */
const MAX_BLOCK_BYTES = 131_072;

/** Lengths of the fields that the descriptor's bits 0-1 and 6-7 speak of. */
const dictionaryBytes: readonly number[] = [0, 1, 2, 4];
const contentSizeBytes: readonly number[] = [0, 2, 4, 8];

/** Kinds of blocks. */
const RLE = 1;
const COMPRESSED = 2;

/** What a row of frames says of its contents. */
export interface ZstdBound {
  /** Bytes that cannot be exceeded. */
  readonly mostBytes: number;
  /** Whether every frame says how long its contents are, so that the bound is exact. */
  readonly exact: boolean;
}

/**
 * Tells how many bytes the frames of a body give at most, all together; undefined for what is no row of whole frames, or
 * claims more than its blocks can give. Checksums are not looked at.
 *
 * Source: RFC 8878, 3.1.
 */
export function zstdBound(body: Uint8Array): ZstdBound | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  let mostBytes = 0;
  let exact = true;
  for (let at = 0; at < body.byteLength; ) {
    if (at + 8 > body.byteLength) return undefined;
    const magic = view.getUint32(at, true);
    if (magic !== MAGIC) {
      if ((magic & ~15) !== SKIPPED_MAGIC) return undefined;
      at += 8 + view.getUint32(at + 4, true);
      if (at > body.byteLength) return undefined;
      continue;
    }
    const frame = readFrame(view, at);
    if (frame === undefined) return undefined;
    mostBytes += frame.claimed ?? frame.mostBytes;
    exact &&= frame.claimed !== undefined;
    at = frame.end;
  }
  return { mostBytes, exact };
}

interface Frame {
  readonly claimed: number | undefined;
  readonly mostBytes: number;
  /** Where the next one begins. */
  readonly end: number;
}

function readFrame(view: DataView, begin: number): Frame | undefined {
  const descriptor = view.getUint8(begin + 4);
  const single = (descriptor & 0x20) !== 0;
  const sizeCode = descriptor >>> 6;
  const sizeBytes = sizeCode === 0 && single ? 1 : (contentSizeBytes[sizeCode] ?? 0);
  const sizeAt = begin + 5 + (single ? 0 : 1) + (dictionaryBytes[descriptor & 3] ?? 0);
  const blocksAt = sizeAt + sizeBytes;
  if (blocksAt > view.byteLength) return undefined;
  const claimed = contentSize(view, sizeAt, sizeBytes);
  const blocks = readBlocks(view, blocksAt);
  if (blocks === undefined || (claimed ?? 0) > blocks.mostBytes) return undefined;
  const end = blocks.end + ((descriptor & 0x04) === 0 ? 0 : 4);
  return end > view.byteLength ? undefined : { claimed, mostBytes: blocks.mostBytes, end };
}

function contentSize(view: DataView, at: number, bytes: number): number | undefined {
  switch (bytes) {
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at, true) + 256;
    case 4:
      return view.getUint32(at, true);
    case 8:
      return Number(view.getBigUint64(at, true));
    default:
      return undefined;
  }
}

function readBlocks(view: DataView, begin: number): Pick<Frame, "mostBytes" | "end"> | undefined {
  let mostBytes = 0;
  for (let at = begin; at + 3 <= view.byteLength; ) {
    const head = view.getUint16(at, true) + view.getUint8(at + 2) * 0x1_0000;
    const kind = (head >>> 1) & 3;
    const size = head >>> 3;
    at += 3 + (kind === RLE ? 1 : size);
    if (size > MAX_BLOCK_BYTES) return undefined;
    mostBytes += kind === COMPRESSED ? MAX_BLOCK_BYTES : size;
    if ((head & 1) !== 0) return at > view.byteLength ? undefined : { mostBytes, end: at };
  }
  return undefined;
}
