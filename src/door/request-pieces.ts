import type { ServingError } from "../core/serving-error.js";

interface Waiting {
  readonly resolve: (result: IteratorResult<Uint8Array>) => void;
  readonly reject: (error: ServingError) => void;
}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * The messages of a request stream, as the one who answers pulls them: each is read from the wire when it is asked for and
 * not before, so that a caller who sends faster than it is served is held up by flow control.
 */
export class RequestPieces implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #read: () => void;
  readonly #waiting: Waiting[] = [];
  #error: ServingError | undefined;
  #over = false;

  /** @param read - asks for one message, of which {@link arrived} or {@link halfClosed} tells; never asked twice at once */
  constructor(read: () => void) {
    this.#read = read;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#over) return Promise.resolve(done);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (this.#waiting.length === 1) this.#read();
    });
  }

  /** Whoever answers wants no more; what still arrives is dropped. */
  return(): Promise<IteratorResult<Uint8Array>> {
    this.halfClosed();
    return Promise.resolve(done);
  }

  /** The message that was asked for is here. */
  arrived(message: Uint8Array): void {
    this.#waiting.shift()?.resolve({ done: false, value: message });
    if (this.#waiting.length > 0) this.#read();
  }

  /** There are no more messages. */
  halfClosed(): void {
    this.#over = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve(done);
  }

  /** The call was given up: whoever waits, or asks later, is told why. */
  fail(error: ServingError): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
