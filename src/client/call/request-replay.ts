import type { Attempt } from "../../transport/transport.js";

/** Bytes of a streamed request that are kept for another attempt; a single message is kept whatever its size. */
const KEPT_BYTES = 1024 * 1024;

const none: Uint8Array[] = [];

/**
 * The request of a call: hands its messages to the attempt under way, one at a time, and keeps them (by reference) so that
 * another attempt can be given the same ones from the start.
 */
export class RequestReplay {
  readonly #streaming: boolean;
  #attempt: Attempt | undefined;
  /** What may be needed again; after `commit` only what is still to be sent. */
  #messages: Uint8Array[] = none;
  #bytes = 0;
  #handedOver = 0;
  #flushing = false;
  #ended = false;
  #committed = false;
  #flushed: (() => void) | undefined;

  constructor(streaming: boolean) {
    this.#streaming = streaming;
  }

  /** Whether there is too much to keep it for another attempt. */
  get tooLarge(): boolean {
    return this.#streaming && this.#bytes > KEPT_BYTES;
  }

  /** Whether all of it is there. */
  get complete(): boolean {
    return this.#ended;
  }

  /** Takes the next message; `flushed` is called once, when the one after it may come. */
  push(message: Uint8Array, flushed: (() => void) | undefined): void {
    // A list that begins with one element is the smallest; most requests have no second.
    if (this.#messages === none) this.#messages = [message];
    else this.#messages.push(message);
    this.#bytes += message.length;
    this.#flushed = flushed;
    this.#pump();
  }

  /** No more messages will come. */
  end(): void {
    this.#ended = true;
    if (this.#handedOver === this.#messages.length) this.#attempt?.halfClose();
  }

  /** Sends everything, from the start, on this attempt. */
  attach(attempt: Attempt): void {
    this.#attempt = attempt;
    this.#handedOver = 0;
    this.#flushing = false;
    if (this.#messages.length > 0) this.#pump();
    else if (this.#ended) attempt.halfClose();
  }

  /** The attempt is over. */
  detach(): void {
    this.#attempt = undefined;
  }

  /** There will be no other attempt: lets go of what has been sent. */
  commit(): void {
    this.#committed = true;
    this.#messages.splice(0, this.#handedOver);
    this.#handedOver = 0;
  }

  /** The call is over: lets go of everything, and of whoever waits to send. */
  release(): void {
    this.#attempt = undefined;
    this.#messages = none;
    this.#handedOver = 0;
    const flushed = this.#flushed;
    this.#flushed = undefined;
    flushed?.();
  }

  #pump(): void {
    const attempt = this.#attempt;
    if (attempt === undefined || this.#flushing) return;
    const message = this.#messages[this.#handedOver];
    if (message === undefined) return;
    this.#handedOver++;
    if (this.#streaming) {
      this.#flushing = true;
      attempt.send(message, () => this.#onFlushed(attempt));
    } else {
      attempt.send(message);
    }
    if (this.#ended && this.#handedOver === this.#messages.length) attempt.halfClose();
    if (this.#committed) this.commit();
  }

  #onFlushed(attempt: Attempt): void {
    if (attempt !== this.#attempt) return;
    this.#flushing = false;
    if (this.#handedOver < this.#messages.length) {
      this.#pump();
      return;
    }
    const flushed = this.#flushed;
    this.#flushed = undefined;
    flushed?.();
  }
}
