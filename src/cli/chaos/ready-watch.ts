import { Agent, get } from "node:http";
import type { CancelTimer, Clock } from "../../core/ports.js";

/** One answer of `/readyz` that differed from the one before. */
export interface ReadyFlip {
  readonly ready: boolean;
  /** When the answer came, by the clock. */
  readonly atMs: number;
}

const POLL_EVERY_MS = 3;

/** Asks a host's `/readyz` every few milliseconds, over one connection. */
export class ReadyWatch {
  readonly flips: ReadyFlip[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;
  readonly #clock: Clock;
  #cancelTimer: CancelTimer = () => {};
  #ready = true;
  #stopped = false;

  constructor(port: number, clock: Clock) {
    this.#port = port;
    this.#clock = clock;
    this.#ask();
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

  /** Asks no more; what is still answered is not looked at. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
    this.#agent.destroy();
  }

  #ask(): void {
    const options = { host: "127.0.0.1", port: this.#port, path: "/readyz", agent: this.#agent };
    get(options, (response) => {
      response.resume();
      response.once("end", () => this.#answered(response.statusCode === 200));
    }).once("error", () => this.#answered(false));
  }

  #answered(ready: boolean): void {
    if (this.#stopped) return;
    if (ready !== this.#ready) this.flips.push({ ready, atMs: this.#clock.now() });
    this.#ready = ready;
    this.#cancelTimer = this.#clock.after(POLL_EVERY_MS, () => this.#ask());
  }
}
