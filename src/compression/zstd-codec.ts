import type { BodyCodec } from "./body-codec.js";
import { malformed, tooLarge } from "./codec-errors.js";
import { zstdBound } from "./zstd-frames.js";
import { loadZstdLibrary } from "./zstd-library.js";

/** Makes the codec of Zstandard; it works on the caller's own thread. */
export async function createZstdCodec(): Promise<BodyCodec> {
  const library = await loadZstdLibrary();
  return {
    name: "zstd",
    compress: async (body) => library.compress(body),
    async decompress(body, { maxBytes }) {
      if (body.byteLength === 0) return body;
      const bound = zstdBound(body);
      if (bound === undefined) {
        throw malformed("zstd", "it is cut short, or something that is no frame follows");
      }
      const { mostBytes, exact } = bound;
      if (exact && mostBytes > maxBytes) throw tooLarge("zstd", maxBytes);
      try {
        return library.decompress(body, Math.min(mostBytes, maxBytes));
      } catch (thrown) {
        const problem = thrown instanceof Error ? thrown.message : "unreadable";
        // A frame that does not say how long it is tells by not finding room.
        const over = mostBytes > maxBytes && problem.includes("buffer is too small");
        if (over || thrown instanceof RangeError) throw tooLarge("zstd", maxBytes);
        throw malformed("zstd", problem, thrown);
      }
    },
  };
}
