/**
 * Tells how many bytes an LZ4 block stands for, by its sequences alone; undefined for one that is cut short or is none.
 * What its matches refer to is not looked at.
 *
 * Source: lz4_Block_format.md: a token with the lengths of literals and match, each lengthened by bytes while these are
 * 255, the literals, two bytes of offset; the last sequence has literals only.
 *
 * @param mostBytes - Counting ends once it is above this.
 */
export function lz4BlockBytes(block: Uint8Array, mostBytes: number): number | undefined {
  const end = block.byteLength;
  let bytes = 0;
  for (let at = 0; at < end; ) {
    const token = block[at++] ?? 0;
    let literals = token >>> 4;
    if (literals === LENGTHENED) {
      const from = at;
      at = lengthEnd(block, from);
      literals += addedLength(block, from, at);
    }
    at += literals;
    bytes += literals;
    // Every encoder leaves the last token's other half empty: one that is not tells of a block cut behind literals.
    if (at >= end) return at === end && (token & LENGTHENED) === 0 ? bytes : undefined;
    at += OFFSET_BYTES;
    const match = token & LENGTHENED;
    bytes += match + MIN_MATCH;
    if (match === LENGTHENED) {
      const from = at;
      at = lengthEnd(block, from);
      bytes += addedLength(block, from, at);
    }
    if (bytes > mostBytes) return bytes;
  }
  // Empty, or cut behind a match.
  return undefined;
}

/** What half a token holds when more bytes of the length follow. */
const LENGTHENED = 15;
const OFFSET_BYTES = 2;
const MIN_MATCH = 4;

/** Where the bytes end that lengthen a length: behind the first that is not 255. */
function lengthEnd(block: Uint8Array, from: number): number {
  let at = from;
  while (block[at] === 255) at++;
  return at + 1;
}

function addedLength(block: Uint8Array, from: number, end: number): number {
  return 255 * (end - 1 - from) + (block[end - 1] ?? 0);
}
