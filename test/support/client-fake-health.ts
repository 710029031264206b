import type { TransportHealth } from "../../src/transport/transport.js";

/** A question for a sign of life that a test answers. */
export interface FakePing {
  readonly timeoutMs: number;
  answer(alive: boolean): void;
}

/** How an instance is, by the word of a test. */
export class FakeHealth implements TransportHealth {
  /** Those that wait for an answer. */
  readonly pings: FakePing[] = [];
  /** How many there were. */
  pinged = 0;
  watches = 0;
  /** How many bytes have come from the instance. */
  bytes = 0;
  #listener: ((serving: boolean | undefined) => void) | undefined;

  ping(timeoutMs: number, done: (alive: boolean) => void): void {
    this.pinged++;
    const ping: FakePing = {
      timeoutMs,
      answer: (alive) => {
        const at = this.pings.indexOf(ping);
        if (at < 0) return;
        this.pings.splice(at, 1);
        done(alive);
      },
    };
    this.pings.push(ping);
  }

  bytesRead(): number {
    return this.bytes;
  }

  watch(listener: (serving: boolean | undefined) => void): () => void {
    this.watches++;
    this.#listener = listener;
    return () => {
      this.watches--;
      this.#listener = undefined;
    };
  }

  /** The instance makes a statement. */
  say(serving: boolean | undefined): void {
    this.#listener?.(serving);
  }

  /** All questions are answered alike. */
  answerAll(alive: boolean): void {
    for (const ping of [...this.pings]) ping.answer(alive);
  }
}
