import { servingError } from "../core/serving-error.js";

/** Who takes what comes over a link. */
export interface LinkReceiver {
  /** One frame, as it was sent; the bytes are the receiver's. */
  frame(bytes: Buffer): void;
  /** The other side is gone, or sent what is no frame; called once, after the last frame, also after `close`. */
  ended(): void;
}

/** Two ends between which frames go, in order: one `send` here is one `frame` there. */
export interface Link {
  /** Hands over what comes, from now on; once. */
  open(receiver: LinkReceiver): void;
  /**
   * Sends a frame of two parts; dropped when the other side is gone. `body` must not change afterwards, `head` may not
   * either.
   *
   * @throws HostError `MESSAGE_TOO_LARGE` beyond {@link MAX_FRAME_BYTES}; nothing has been sent then.
   */
  send(head: Buffer, body: Uint8Array): void;
  /** Sends what is under way, then ends the link. */
  close(): void;
  /** Whether the link keeps its process or thread alive; true until told otherwise. */
  hold(on: boolean): void;
}

/** Pieces of one sequence that may be under way between host and lane before their reader has taken them. */
export const PIECE_WINDOW = 16;

/** A reader gives back credit for so many pieces at a time. */
export const CREDIT_BATCH: number = PIECE_WINDOW / 2;

/** Bytes of one sequence that may be under way; a larger piece is by itself, but for less than a batch of credit. */
export const BYTE_WINDOW: number = 2 ** 20;

/** A reader gives back credit at the latest when it has taken so many bytes. */
export const CREDIT_BYTES: number = 2 ** 16;

/** Largest frame: the largest message that a host can be told to take, and 64 MiB for what goes with it. */
export const MAX_FRAME_BYTES: number = 2 ** 31 + 2 ** 26;

/** Tells the size of a frame. @throws HostError `MESSAGE_TOO_LARGE`. */
export function frameBytes(head: Uint8Array, body: Uint8Array): number {
  const bytes = head.byteLength + body.byteLength;
  if (bytes <= MAX_FRAME_BYTES) return bytes;
  throw servingError(
    "MESSAGE_TOO_LARGE",
    `${bytes} bytes do not fit between host and lane, at most ${MAX_FRAME_BYTES} do`,
  );
}
