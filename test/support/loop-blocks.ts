import { readFileSync } from "node:fs";

/** How long the event loop was kept from its timers. */
export interface LoopBlock {
  readonly ms: number;
  /** Of that, without the time in which the thread wanted a core and others had it. */
  readonly computedMs: number;
}

/** Watches the event loop of the main thread by a timer of one millisecond. Linux only. */
export class LoopBlocks {
  readonly #timer: NodeJS.Timeout;
  #beatMs: number = performance.now();
  #waitedMs: number = waitedMs();
  #longest: LoopBlock = { ms: 0, computedMs: 0 };

  constructor() {
    this.#timer = setInterval(() => this.#beat(), 1);
  }

  /** Ends the watch; the block that was longest computed. */
  stop(): LoopBlock {
    this.#beat();
    clearInterval(this.#timer);
    return this.#longest;
  }

  #beat(): void {
    const now = performance.now();
    const waited = waitedMs();
    const ms = now - this.#beatMs;
    const computedMs = ms - (waited - this.#waitedMs);
    this.#beatMs = now;
    this.#waitedMs = waited;
    if (computedMs > this.#longest.computedMs) this.#longest = { ms, computedMs };
  }
}

/** How long the main thread has waited for a core since it started. */
function waitedMs(): number {
  const [, waitedNs = ""] = readFileSync("/proc/self/schedstat", "latin1").split(" ");
  return Number(waitedNs) / 1e6;
}
