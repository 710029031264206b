/** How a body may be compressed. `lz4` writes raw blocks and reads blocks and frames; `lz4-frame` writes and reads frames. */
export type CompressionName = "gzip" | "zlib" | "snappy" | "lz4" | "lz4-frame" | "zstd";

/** What reading is bounded by. */
export interface DecompressOptions {
  /** Most bytes that may come out; memory stays in proportion to it whatever the body claims. */
  readonly maxBytes: number;
  /** Length of the original, where somebody says it beside a raw LZ4 block. */
  readonly originalBytes?: number | undefined;
}

/** Compresses bodies, and undoes it. Neither changes nor keeps what it is given. */
export interface BodyCodec {
  readonly name: CompressionName;
  compress(body: Uint8Array): Promise<Uint8Array>;
  /**
   * @throws HostError `MESSAGE_TOO_LARGE` before more than `maxBytes` are held, `MALFORMED_REQUEST` naming the codec for what is not
   * compressed so, or cut short.
   */
  decompress(body: Uint8Array, options: DecompressOptions): Promise<Uint8Array>;
}
