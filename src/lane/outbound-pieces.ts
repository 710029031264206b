import { BYTE_WINDOW, CREDIT_BYTES, PIECE_WINDOW } from "./link.js";

/** Where the pieces of a sequence go; exactly one of `end` and `fail` is called, as the last. */
export interface OutboundSink {
  /** May throw: then the sequence fails with that. */
  piece(bytes: Uint8Array): void;
  /** After the last piece, or when the sequence has been stopped. */
  end(): void;
  fail(thrown: unknown): void;
}

/** Sends a sequence over a link, never more pieces or bytes ahead of their reader than the windows allow. */
export class OutboundPieces {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #sink: OutboundSink;
  #credit = PIECE_WINDOW;
  /** Sent, and not known to be taken. */
  #bytesAhead = 0;
  #wake: (() => void) | undefined;
  #stopped = false;
  #over = false;

  constructor(pieces: AsyncIterable<Uint8Array>, sink: OutboundSink) {
    this.#iterator = pieces[Symbol.asyncIterator]();
    this.#sink = sink;
    void this.#send();
  }

  /** The reader has taken so many pieces, of so many bytes together. */
  credit(pieces: number, bytes: number): void {
    this.#credit += pieces;
    this.#bytesAhead -= bytes;
    this.#wake?.();
  }

  /** Nobody wants more: what makes the pieces is told so, and the sink hears of the end when that has ended. */
  stop(): void {
    if (this.#over || this.#stopped) return;
    this.#stopped = true;
    this.#wake?.();
    void this.#giveUp(() => this.#end());
  }

  /** Never rejects. */
  async #send(): Promise<void> {
    try {
      for (;;) {
        while (this.#credit === 0 && !this.#stopped) await this.#moreCredit();
        if (this.#stopped) return;
        const { done, value } = await this.#iterator.next();
        if (this.#stopped) return;
        if (done === true) {
          this.#end();
          return;
        }
        while (!this.#fits(value) && !this.#stopped) await this.#moreCredit();
        if (this.#stopped) return;
        this.#credit--;
        this.#bytesAhead += value.byteLength;
        this.#pass(value);
      }
    } catch (thrown) {
      if (!this.#stopped) this.#fail(thrown);
    }
  }

  // Of less than a batch of credit it is not known whether the reader has taken it all: that may not hold up a large piece.
  #fits({ byteLength }: Uint8Array): boolean {
    return this.#bytesAhead < CREDIT_BYTES || this.#bytesAhead + byteLength <= BYTE_WINDOW;
  }

  #pass(piece: Uint8Array): void {
    try {
      this.#sink.piece(piece);
    } catch (thrown) {
      this.#stopped = true;
      void this.#giveUp(() => this.#fail(thrown));
    }
  }

  #moreCredit(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Never rejects: what a sequence throws while it is told to stop has no reader. */
  async #giveUp(then: () => void): Promise<void> {
    try {
      await this.#iterator.return?.();
    } catch {
      // Nobody reads on.
    }
    then();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink.end();
  }

  #fail(thrown: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink.fail(thrown);
  }
}
