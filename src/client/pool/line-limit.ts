import type { CancelTimer, Clock, Logger } from "../../core/ports.js";

/** So many lines are told in a stretch of so many milliseconds. */
const MOST_LINES = 10;
const STRETCH_MS = 1_000;

/** Tells the log no more than ten lines a second, and how many more there were in one line: a whole pool may fail at once. */
export class LineLimit {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #stretchMs = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #more = { warn: 0, info: 0 };
  #stopTimer: CancelTimer | undefined;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  warn(fields: object, message: string): void {
    this.#tell("warn", fields, message);
  }

  info(fields: object, message: string): void {
    this.#tell("info", fields, message);
  }

  /** Tells what has not been told yet; nothing more comes by itself. */
  close(): void {
    this.#tellMore();
  }

  #tell(level: "warn" | "info", fields: object, message: string): void {
    const now = this.#clock.now();
    if (this.#stopTimer === undefined && now - this.#stretchMs >= STRETCH_MS) {
      this.#stretchMs = now;
      this.#lines = 0;
    }
    if (++this.#lines <= MOST_LINES) {
      this.#logger[level](fields, message);
      return;
    }
    this.#more[level]++;
    const leftMs = this.#stretchMs + STRETCH_MS - now;
    this.#stopTimer ??= this.#clock.after(leftMs, () => this.#tellMore(), { background: true });
  }

  #tellMore(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    const { warn: wentOut, info: cameBack } = this.#more;
    if (wentOut + cameBack === 0) return;
    this.#more = { warn: 0, info: 0 };
    this.#logger.warn({ wentOut, cameBack }, "more instances went out of rotation or came back");
  }
}
