import { constants } from "node:buffer";
import { deflate, gunzip, gzip, inflate, type Zlib, type ZlibOptions } from "node:zlib";
import type { BodyCodec, DecompressOptions } from "./body-codec.js";
import { malformed, tooLarge } from "./codec-errors.js";

type Callback = (error: Error | null, result: unknown) => void;
type Run = (body: Uint8Array, options: ZlibOptions, done: Callback) => void;

/** Larger than Node's 16 KiB: each piece is a trip to another thread and back. */
const CHUNK_BYTES = 65_536;

const runs: Readonly<Record<"gzip" | "zlib", { compress: Run; decompress: Run }>> = {
  gzip: { compress: gzip as Run, decompress: gunzip as Run },
  zlib: { compress: deflate as Run, decompress: inflate as Run },
};

/** Makes the codec of Node's own zlib, which works on its threads. */
export function createZlibCodec(name: "gzip" | "zlib"): BodyCodec {
  const { compress, decompress } = runs[name];
  return {
    name,
    compress: (body) =>
      new Promise((resolve, reject) => {
        compress(body, { chunkSize: CHUNK_BYTES }, (error, result) => {
          if (error === null) resolve(result as Buffer);
          else reject(error);
        });
      }),
    decompress: (body, options) => decompressed(name, decompress, body, options),
  };
}

function decompressed(
  name: "gzip" | "zlib",
  run: Run,
  body: Uint8Array,
  { maxBytes }: DecompressOptions,
): Promise<Uint8Array> {
  if (body.byteLength === 0) return Promise.resolve(body);
  const maxOutputLength = Math.min(Math.max(maxBytes, 1), constants.MAX_LENGTH);
  return new Promise((resolve, reject) => {
    // `info` gives the engine besides: only that tells whether all of the body was used.
    run(body, { maxOutputLength, info: true, chunkSize: CHUNK_BYTES }, (error, result) => {
      if (error !== null) {
        reject(refusal(name, error, maxBytes));
        return;
      }
      const { buffer, engine } = result as { readonly buffer: Buffer; readonly engine: Zlib };
      const unused = body.byteLength - engine.bytesWritten;
      if (unused > 0) reject(malformed(name, `${unused} bytes follow its end`));
      else if (buffer.byteLength > maxBytes) reject(tooLarge(name, maxBytes));
      else resolve(buffer);
    });
  });
}

function refusal(name: "gzip" | "zlib", error: NodeJS.ErrnoException, maxBytes: number): Error {
  if (error.code === "ERR_BUFFER_TOO_LARGE") return tooLarge(name, maxBytes);
  return malformed(name, error.message, error);
}
