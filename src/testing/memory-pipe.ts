/** What a pipe holds before it says that no more should come: HTTP/2's own first window. */
const WINDOW_BYTES = 65_535;

interface Item {
  readonly bytes: number;
  /** Delivered only when asked for. */
  readonly asked: boolean;
  readonly deliver: () => void;
}

/**
 * One direction of a call in memory. What is put in comes out in order and in a later turn of the event loop, messages only
 * when they are asked for; who sends is held back while more waits than a connection would take.
 */
export class MemoryPipe {
  readonly #items: Item[] = [];
  #owed = 0;
  #bytes = 0;
  #flushed: (() => void) | undefined;
  #scheduled = false;
  #closed = false;

  /** Asks for one more of what has to be asked for. */
  read(): void {
    this.#owed++;
    this.#schedule();
  }

  /** Puts in a message, and what tells its sender that the next may come. */
  message(message: Uint8Array, deliver: (message: Buffer) => void, flushed?: () => void): void {
    const copy = asReceived(message);
    this.#flushed = flushed;
    this.#add({ bytes: copy.byteLength, asked: true, deliver: () => deliver(copy) });
  }

  /** Puts in what comes after the last message, and has to be asked for as one. */
  last(deliver: () => void): void {
    this.#add({ bytes: 0, asked: true, deliver });
  }

  /** Puts in what nobody asks for: headers, a status. */
  control(deliver: () => void): void {
    this.#add({ bytes: 0, asked: false, deliver });
  }

  /** Drops what is in it, and takes no more. */
  close(): void {
    this.#closed = true;
    this.#items.length = 0;
    this.#flushed = undefined;
  }

  #add(item: Item): void {
    if (this.#closed) return;
    this.#bytes += item.bytes;
    this.#items.push(item);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    for (let next = this.#items[0]; next !== undefined; next = this.#items[0]) {
      if (next.asked && this.#owed === 0) break;
      if (next.asked) this.#owed--;
      this.#items.shift();
      this.#bytes -= next.bytes;
      next.deliver();
    }
    const flushed = this.#flushed;
    if (flushed === undefined || this.#bytes >= WINDOW_BYTES) return;
    this.#flushed = undefined;
    flushed();
  }
}

/** Bytes before a message in its frame. */
const FRAME_HEADER_BYTES = 5;

/** A copy where grpc-js would have it: behind the header of its frame, so that views over it are as unaligned as there. */
function asReceived(message: Uint8Array): Buffer {
  const copy = Buffer.from(
    new ArrayBuffer(FRAME_HEADER_BYTES + message.byteLength),
    FRAME_HEADER_BYTES,
  );
  copy.set(message);
  return copy;
}
