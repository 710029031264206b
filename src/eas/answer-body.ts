import type { CompressionName } from "../compression/body-codec.js";
import { loadCodec } from "../compression/load-codec.js";
import { type MetadataView, metadataText } from "../core/metadata.js";
import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";

/** What an answer may call its compression; `deflate` is the zlib format, as HTTP has it. */
const encodings: ReadonlyMap<string, CompressionName> = new Map([
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["deflate", "zlib"],
  ["zlib", "zlib"],
  ["snappy", "snappy"],
  ["zstd", "zstd"],
  ["lz4", "lz4"],
]);

/** How answers are taken. */
export interface AnswerBodyOptions {
  /** Their compression whatever they say; false leaves them as they come; undefined goes by what they say. */
  readonly decompress: CompressionName | false | undefined;
  readonly maxBytes: number;
}

/**
 * Undoes the compression of an answer.
 *
 * @throws ServingError `MALFORMED_REQUEST` for what is not compressed as it says, `MESSAGE_TOO_LARGE`.
 */
export function answerBody(
  headers: MetadataView,
  body: Uint8Array,
  { decompress, maxBytes }: AnswerBodyOptions,
): Uint8Array | Promise<Uint8Array> {
  const name = decompress ?? encodingOf(headers);
  if (name === false) return body;
  const originalBytes = lengthBefore(headers);
  return loadCodec(name).then((codec) => codec.decompress(body, { maxBytes, originalBytes }));
}

function encodingOf(headers: MetadataView): CompressionName | false {
  const said = metadataText(headers, "content-encoding")?.trim().toLowerCase() ?? "";
  if (said === "" || said === "identity") return false;
  const name = encodings.get(said);
  if (name !== undefined) return name;
  const known = [...encodings.keys()].join(", ");
  throw servingError("MALFORMED_REQUEST", `content-encoding is ${seen(said)}, known: ${known}`);
}

/** Raw LZ4 blocks do not say how long they become. */
function lengthBefore(headers: MetadataView): number | undefined {
  const text = metadataText(headers, "x-lz4-original-length");
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
