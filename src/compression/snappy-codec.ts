import { compress, uncompress } from "snappy";
import type { BodyCodec } from "./body-codec.js";
import { malformed, tooLarge } from "./codec-errors.js";

/** The most that a byte can stand for, rounded up: three bytes copy 64. */
const MOST_FROM_A_BYTE = 22;

/** Makes the codec of raw Snappy blocks, which works on Node's threads. */
export function createSnappyCodec(): BodyCodec {
  return {
    name: "snappy",
    compress: (body) => compress(body),
    async decompress(body, { maxBytes }) {
      if (body.byteLength === 0) return body;
      const bytes = originalBytes(body);
      // Before the library is asked: it makes room for what the block claims.
      if (bytes > body.byteLength * MOST_FROM_A_BYTE) {
        throw malformed("snappy", `it claims ${bytes} bytes, more than its length can hold`);
      }
      if (bytes > maxBytes) throw tooLarge("snappy", maxBytes);
      try {
        return (await uncompress(body, { asBuffer: true })) as Buffer;
      } catch (thrown) {
        throw malformed("snappy", thrown instanceof Error ? thrown.message : "unreadable", thrown);
      }
    },
  };
}

/**
 * The length that a block begins with: seven bits a byte, the least first, 32 in all.
 *
 * Source: Snappy's format_description.txt, 1.
 */
function originalBytes(body: Uint8Array): number {
  let bytes = 0;
  for (let i = 0; i < 5; i++) {
    const byte = body[i];
    if (byte === undefined) break;
    bytes += (byte & 0x7f) * 2 ** (7 * i);
    if (byte >= 0x80) continue;
    if (bytes < 2 ** 32) return bytes;
    break;
  }
  throw malformed("snappy", "it does not begin with a length");
}
