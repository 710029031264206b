interface Piece {
  readonly bytes: Uint8Array;
  readonly flushed: (() => void) | undefined;
}

/**
 * The pieces of an answer on their way from whoever answers to whoever writes them: each is pulled when the one before has
 * been written, and whoever answers is told when it is.
 */
export class AnswerPieces implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #waiting: Piece[] = [];
  #flushed: (() => void) | undefined;
  #wake: (() => void) | undefined;
  #over = false;

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  /** Hands a piece over; `flushed` is called when the next one may follow. */
  push(bytes: Uint8Array, flushed?: () => void): void {
    if (this.#over) return;
    this.#waiting.push({ bytes, flushed });
    this.#wake?.();
  }

  /** No more pieces come; those that wait still go out. */
  end(): void {
    this.#over = true;
    this.#wake?.();
  }

  /** Nobody writes any more: what waits is dropped. */
  drop(): void {
    this.#waiting.length = 0;
    this.end();
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const flushed = this.#flushed;
    this.#flushed = undefined;
    flushed?.();
    while (this.#waiting.length === 0 && !this.#over) await this.#change();
    const piece = this.#waiting.shift();
    if (piece === undefined) return { done: true, value: undefined };
    this.#flushed = piece.flushed;
    return { done: false, value: piece.bytes };
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.drop();
    return { done: true, value: undefined };
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
