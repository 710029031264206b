/**
 * Chunks that are held one by one; so many are joined if they are tiny. Others stay as they are until the end: what is joined
 * twice is copied twice.
 */
const CHUNKS_TO_JOIN = 256;

/** Below so many bytes on average, chunks are tiny. */
const TINY_BYTES = 1_024;

/** Collects what arrives in chunks; a flood of tiny ones costs little more than its bytes. */
export class ChunkList {
  /** What has arrived, but for {@link #latest}. */
  #parts: Buffer[] = [];
  /** Fewer chunks than are looked at together. */
  #latest: Buffer[] = [];
  #latestBytes = 0;
  #bytes = 0;

  /** Bytes of all chunks. */
  get bytes(): number {
    return this.#bytes;
  }

  /** In the order in which they arrived; not copied. */
  get parts(): readonly Buffer[] {
    return this.#parts.length === 0 ? this.#latest : [...this.#parts, ...this.#latest];
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#latestBytes += chunk.length;
    this.#latest.push(chunk);
    if (this.#latest.length === CHUNKS_TO_JOIN) this.#settle();
  }

  /** All in one piece: the only chunk as it is, several joined. */
  whole(): Buffer {
    const { parts } = this;
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, this.#bytes);
  }

  #settle(): void {
    const tiny = this.#latestBytes < CHUNKS_TO_JOIN * TINY_BYTES;
    if (tiny) this.#parts.push(Buffer.concat(this.#latest, this.#latestBytes));
    else for (const chunk of this.#latest) this.#parts.push(chunk);
    this.#latest = [];
    this.#latestBytes = 0;
  }
}
