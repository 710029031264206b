import { compress, compressFrame, decompressFrame, uncompress } from "lz4-napi";
import type { BodyCodec, DecompressOptions } from "./body-codec.js";
import { malformed, tooLarge } from "./codec-errors.js";
import { lz4BlockBytes } from "./lz4-block.js";
import { isLz4Frame, lz4Frames, MAX_LZ4_FRAMES } from "./lz4-frames.js";

/** The library's blocks begin with the length of the original, which nobody else's do. */
const PREFIX_BYTES = 4;

/** Makes the codec of LZ4, which works on Node's threads: raw blocks and frames, or frames only. */
export function createLz4Codec(name: "lz4" | "lz4-frame"): BodyCodec {
  return {
    name,
    compress:
      name === "lz4"
        ? async (body) => (await compress(body)).subarray(PREFIX_BYTES)
        : (body) => compressFrame(body, { contentChecksum: true }),
    async decompress(body, options) {
      if (body.byteLength === 0) return body;
      if (isLz4Frame(body)) return decompressedFrames(name, body, options);
      if (name === "lz4") return decompressedBlock(body, options);
      throw malformed(name, "it does not begin as a frame does");
    },
  };
}

// What comes out is counted before the library is asked: it takes as much memory as that needs.
async function decompressedFrames(
  name: "lz4" | "lz4-frame",
  body: Uint8Array,
  { maxBytes }: DecompressOptions,
): Promise<Uint8Array> {
  const found = lz4Frames(body, maxBytes);
  if (found === undefined) throw malformed(name, "it is cut short, or something follows it");
  if (found.bytes > maxBytes) throw tooLarge(name, maxBytes);
  if (found.frames.length > MAX_LZ4_FRAMES)
    throw malformed(name, `it is made of more than ${MAX_LZ4_FRAMES} frames`);
  const parts: Uint8Array[] = [];
  for (const { begin, end, bytes } of found.frames) {
    parts.push(await exactly(name, bytes, decompressFrame(body.subarray(begin, end))));
  }
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, found.bytes);
}

async function decompressedBlock(
  body: Uint8Array,
  { maxBytes, originalBytes }: DecompressOptions,
): Promise<Uint8Array> {
  const bytes = lz4BlockBytes(body, maxBytes);
  if (bytes === undefined) throw malformed("lz4", "it is cut short, or something follows it");
  if (bytes > maxBytes) throw tooLarge("lz4", maxBytes);
  if (originalBytes !== undefined && originalBytes !== bytes)
    throw wrongLength("lz4", bytes, originalBytes);
  const prefixed = Buffer.allocUnsafe(PREFIX_BYTES + body.byteLength);
  prefixed.writeUInt32LE(bytes);
  prefixed.set(body, PREFIX_BYTES);
  return exactly("lz4", bytes, uncompress(prefixed));
}

async function exactly(
  name: "lz4" | "lz4-frame",
  bytes: number,
  reading: Promise<Uint8Array>,
): Promise<Uint8Array> {
  const original = await reading.catch((thrown: unknown) => {
    throw malformed(name, thrown instanceof Error ? thrown.message : "unreadable", thrown);
  });
  if (original.byteLength === bytes) return original;
  throw wrongLength(name, original.byteLength, bytes);
}

function wrongLength(name: "lz4" | "lz4-frame", bytes: number, expected: number): Error {
  return malformed(name, `it gives ${bytes} bytes, expected ${expected}`);
}
