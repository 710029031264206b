import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import type { BodyCodec, CompressionName } from "./body-codec.js";

/** How each codec is made; its library is loaded by whoever asks for it first, and by nobody else. */
const codecs: Readonly<Record<CompressionName, () => Promise<BodyCodec>>> = {
  gzip: async () => (await import("./zlib-codec.js")).createZlibCodec("gzip"),
  zlib: async () => (await import("./zlib-codec.js")).createZlibCodec("zlib"),
  snappy: async () => (await import("./snappy-codec.js")).createSnappyCodec(),
  lz4: async () => (await import("./lz4-codec.js")).createLz4Codec("lz4"),
  "lz4-frame": async () => (await import("./lz4-codec.js")).createLz4Codec("lz4-frame"),
  zstd: async () => (await import("./zstd-codec.js")).createZstdCodec(),
};

/** Every name that there is a codec of. */
export const compressionNames: readonly CompressionName[] = Object.keys(
  codecs,
) as CompressionName[];

/**
 * Makes the codec of a name.
 *
 * @throws ConfigError `INVALID_OPTION` for a name that there is none of.
 */
export function loadCodec(name: CompressionName): Promise<BodyCodec> {
  if (Object.hasOwn(codecs, name)) return codecs[name]();
  const known = compressionNames.join(", ");
  return Promise.reject(
    servingError("INVALID_OPTION", `compression is ${seen(name)}, expected one of ${known}`),
  );
}
