import { Agent, get } from "node:http";
import { setTimeout as wait } from "node:timers/promises";

/** One answer of `/readyz` that differed from the one before. */
export interface ReadyFlip {
  readonly ready: boolean;
  /** When the answer came, as `performance.now()` has it. */
  readonly atMs: number;
}

const POLL_EVERY_MS = 3;

/** Asks a host's `/readyz` every few milliseconds, over one connection. */
export class ReadyWatch {
  readonly flips: ReadyFlip[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;
  readonly #ended: Promise<void>;
  #ready = true;
  #stopped = false;

  constructor(port: number) {
    this.#port = port;
    this.#ended = this.#poll();
  }

  /** What the last answer said. */
  get ready(): boolean {
    return this.#ready;
  }

  /** What the last answer before a moment had said. */
  readyAt(ms: number): boolean {
    return this.flips.findLast((flip) => flip.atMs <= ms)?.ready ?? true;
  }

  /** When an answer first said so, from a moment on; that moment itself when it was so already. */
  firstSince(sinceMs: number, ready: boolean): number | undefined {
    if (this.readyAt(sinceMs) === ready) return sinceMs;
    return this.flips.find((flip) => flip.ready === ready && flip.atMs >= sinceMs)?.atMs;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
    this.#agent.destroy();
  }

  async #poll(): Promise<void> {
    while (!this.#stopped) {
      const ready = (await this.#ask()) === 200;
      if (ready !== this.#ready) this.flips.push({ ready, atMs: performance.now() });
      this.#ready = ready;
      await wait(POLL_EVERY_MS);
    }
  }

  #ask(): Promise<number | undefined> {
    return new Promise((resolve) => {
      const options = { host: "127.0.0.1", port: this.#port, path: "/readyz", agent: this.#agent };
      get(options, (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode));
      }).once("error", () => resolve(undefined));
    });
  }
}
