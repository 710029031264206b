import { CALM_MS } from "../../core/calm.js";
import type { CancelTimer, Clock } from "../../core/ports.js";
import type { LineLimit } from "./line-limit.js";

/** Time from one line about going out to the next one about the same, in milliseconds. */
const PAIR_MS = 60_000;

/** What the log says when a member goes out, and when it is back. */
export interface Words {
  readonly out: string;
  readonly back: string;
}

/** What news need from outside. */
export interface NewsPorts {
  readonly clock: Clock;
  readonly lines: LineLimit;
}

/**
 * Tells the log of one reason against one member as it comes and goes, calmly: that it is gone is told when it has been gone for
 * a while, and that it is there no more than once a minute. What lasts is told, late perhaps.
 */
export class ReasonNews {
  readonly #ports: NewsPorts;
  readonly #words: Words;
  /** When it was told last that the member is out. */
  #toldMs = Number.NEGATIVE_INFINITY;
  /** Whether that is how the log has it now. */
  #told = false;
  #sinceMs = 0;
  #stopTimer: CancelTimer | undefined;

  constructor(ports: NewsPorts, words: Words) {
    this.#ports = ports;
    this.#words = words;
  }

  /** The member is out for this reason from now on. */
  out(fields: object): void {
    this.#stopTimer?.();
    if (this.#told) return;
    const now = this.#ports.clock.now();
    this.#sinceMs = now;
    const waitMs = this.#toldMs + PAIR_MS - now;
    if (waitMs <= 0) this.#tellOut(fields);
    else this.#after(waitMs, () => this.#tellOut(fields));
  }

  /**
   * The reason is gone.
   *
   * @param fields - what the log is told besides; undefined when it is not told, since that does not mean that the member is well
   */
  back(fields: object | undefined): void {
    this.#stopTimer?.();
    if (!this.#told) return;
    const afterMs = Math.round(this.#ports.clock.now() - this.#sinceMs);
    this.#after(CALM_MS, () => {
      this.#told = false;
      if (fields !== undefined) this.#ports.lines.info({ ...fields, afterMs }, this.#words.back);
    });
  }

  /** The member has left. */
  end(): void {
    this.#stopTimer?.();
  }

  #tellOut(fields: object): void {
    this.#told = true;
    this.#toldMs = this.#ports.clock.now();
    this.#ports.lines.warn(fields, this.#words.out);
  }

  #after(ms: number, run: () => void): void {
    this.#stopTimer = this.#ports.clock.after(ms, run, { background: true });
  }
}
