import { CREDIT_BATCH, CREDIT_BYTES } from "./link.js";

/** What the reader's side of a sequence tells the other one. */
export interface InboundHooks {
  /** The reader has taken so many pieces, of so many bytes together. */
  credit(pieces: number, bytes: number): void;
  /** The reader wants no more; the other side still says when it has ended. */
  stop(): void;
}

interface Waiting {
  readonly resolve: (result: IteratorResult<Uint8Array>) => void;
  readonly reject: (error: Error) => void;
}

const done: IteratorResult<Uint8Array> = { done: true, value: undefined };

/** A sequence whose pieces come over a link; it can be read once. */
export class InboundPieces implements AsyncIterableIterator<Uint8Array> {
  readonly #hooks: InboundHooks;
  readonly #unread: Uint8Array[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #stopping: (() => void)[] = [];
  #taken = 0;
  #takenBytes = 0;
  #stopped = false;
  #over = false;
  #error: Error | undefined;

  constructor(hooks: InboundHooks) {
    this.#hooks = hooks;
  }

  /** A piece has come. */
  push(piece: Uint8Array): void {
    if (this.#over || this.#stopped) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      this.#unread.push(piece);
      return;
    }
    waiting.resolve({ done: false, value: piece });
    this.#count(piece);
  }

  /** The last piece has come, or the other side has stopped as it was asked to. */
  end(): void {
    this.#finish(undefined);
  }

  /** There will be no more, because of `error`; pieces that have come can still be read. */
  fail(error: Error): void {
    this.#finish(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const piece = this.#unread.shift();
    if (piece !== undefined) {
      this.#count(piece);
      return Promise.resolve({ done: false, value: piece });
    }
    if (this.#stopped) return Promise.resolve(done);
    if (this.#over) return this.#last();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  /** Resolves when the other side has stopped. */
  return(): Promise<IteratorResult<Uint8Array>> {
    this.#unread.length = 0;
    for (const { resolve } of this.#waiting.splice(0)) resolve(done);
    if (this.#over) {
      this.#stopped = true;
      return Promise.resolve(done);
    }
    if (!this.#stopped) {
      this.#stopped = true;
      this.#hooks.stop();
    }
    return new Promise((resolve) => {
      this.#stopping.push(() => resolve(done));
    });
  }

  /** An error is told once, as a generator does. */
  #last(): Promise<IteratorResult<Uint8Array>> {
    const error = this.#error;
    this.#error = undefined;
    return error === undefined ? Promise.resolve(done) : Promise.reject(error);
  }

  #finish(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    for (const { resolve, reject } of this.#waiting.splice(0)) this.#last().then(resolve, reject);
    for (const resolve of this.#stopping.splice(0)) resolve();
  }

  #count({ byteLength }: Uint8Array): void {
    this.#taken++;
    this.#takenBytes += byteLength;
    if (this.#over || (this.#taken < CREDIT_BATCH && this.#takenBytes < CREDIT_BYTES)) return;
    this.#hooks.credit(this.#taken, this.#takenBytes);
    this.#taken = 0;
    this.#takenBytes = 0;
  }
}
