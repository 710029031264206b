import { servingError } from "../core/serving-error.js";
import { MAX_FRAME_BYTES } from "./link.js";

/** Bytes in front of each frame: a mark, and the frame's length. */
export const PREFIX_BYTES = 8;

/** Begins every frame, so that whatever else gets into the stream is noticed and not taken for a length. */
const MARK = 0x1f_e7_4a_3e;

/** Writes what stands in front of a frame. */
export function writePrefix(target: Buffer, bytes: number): void {
  target.writeUInt32LE(MARK, 0);
  target.writeUInt32LE(bytes, 4);
}

/**
 * Puts frames together again that a stream has cut up. Each gets memory of its own, aligned to 8 bytes: a view over the
 * stream's own chunks would keep 64 KiB for the smallest message.
 */
export class FrameReader {
  readonly #onFrame: (frame: Buffer) => void;
  readonly #prefix: Buffer = Buffer.alloc(PREFIX_BYTES);
  #prefixFilled = 0;
  #frame: Buffer | undefined;
  #filled = 0;

  constructor(onFrame: (frame: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  /** Takes the next bytes of the stream. @throws HostError `INTERNAL` when they are no frames of a lane. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#frame === undefined) {
        const taken = chunk.copy(this.#prefix, this.#prefixFilled, at, at + PREFIX_BYTES);
        at += taken;
        this.#prefixFilled += taken;
        if (this.#prefixFilled < PREFIX_BYTES) return;
        this.#prefixFilled = 0;
        this.#frame = Buffer.allocUnsafe(this.#announced());
        this.#filled = 0;
      }
      const frame = this.#frame;
      const taken = chunk.copy(frame, this.#filled, at);
      at += taken;
      this.#filled += taken;
      if (this.#filled < frame.length) return;
      this.#frame = undefined;
      this.#onFrame(frame);
    }
  }

  #announced(): number {
    const bytes = this.#prefix.readUInt32LE(4);
    if (this.#prefix.readUInt32LE(0) === MARK && bytes > 0 && bytes <= MAX_FRAME_BYTES) {
      return bytes;
    }
    throw servingError("INTERNAL", "something that is no frame came from the other side of a lane");
  }
}
