import type { CancelTimer, Clock } from "../core/ports.js";
import { printable, printableLine } from "./printable.js";

/** Where a command writes to: `process.stdout`, `process.stderr`, or a test's own. */
export interface TextSink {
  write(text: string): unknown;
  /** Whether people are looking. */
  readonly isTTY?: boolean | undefined;
}

/** Tells people that something takes long; says nothing within the first second. */
export interface Progress {
  /** What is going on now: `120 of 500 files`. */
  update(text: string): void;
  /** Ends it; idempotent. */
  done(): void;
}

/**
 * What commands say, for people or, with `--json`, for machines. Results go to stdout, everything else to stderr. Texts cannot
 * command people's terminals.
 */
export interface Terminal {
  readonly json: boolean;
  /**
   * One result.
   *
   * @param value - what machines get, on a line of its own
   * @param text - what people get
   */
  result(value: unknown, text: string): void;
  /** Something beside the results, on stderr: a dim line for people, JSON for machines. */
  aside(value: unknown, text: string): void;
  /** A line for people, on stderr; nothing with `--json`. */
  note(text: string): void;
  /** Shows an error, or what else must be seen and is no result: `text` for people, `value` for machines; on stderr. */
  fail(value: unknown, text: string): void;
  /** Begins to tell of something that takes long, on stderr; nothing with `--json`. */
  progress(label: string): Progress;
}

const SHOW_AFTER_MS = 1_000;
const REDRAW_MS = 200;
const NEXT_LINE_MS = 10_000;

/** Makes the terminal of a command. */
export function createTerminal(options: {
  readonly json: boolean;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly clock: Clock;
}): Terminal {
  const { json, stdout, stderr, clock } = options;
  let shown: ShownProgress | undefined;
  const write = (sink: TextSink, text: string): void => {
    shown?.clear();
    sink.write(text.endsWith("\n") ? text : `${text}\n`);
  };
  // A machine's reader may show it to people as it is.
  const said = (value: unknown, text: string): string =>
    printable(json ? JSON.stringify(value) : text);
  return {
    json,
    result: (value, text) => write(stdout, said(value, text)),
    aside: (value, text) => {
      const line = said(value, text);
      write(stderr, !json && stderr.isTTY === true ? `\u001b[2m${line}\u001b[22m` : line);
    },
    note: (text) => {
      if (!json) write(stderr, printable(text));
    },
    fail: (value, text) => write(stderr, said(value, text)),
    progress: (label) => {
      if (json) return silentProgress;
      shown?.done();
      shown = new ShownProgress(label, stderr, clock);
      return shown;
    },
  };
}

const silentProgress: Progress = { update: () => {}, done: () => {} };

/** On a terminal one line that is drawn anew; elsewhere a line now and then. */
class ShownProgress implements Progress {
  readonly #label: string;
  readonly #sink: TextSink;
  readonly #clock: Clock;
  readonly #startedMs: number;
  #text = "";
  #drawn = false;
  #cancelTimer: CancelTimer;

  constructor(label: string, sink: TextSink, clock: Clock) {
    this.#label = label;
    this.#sink = sink;
    this.#clock = clock;
    this.#startedMs = clock.now();
    this.#cancelTimer = this.#later(SHOW_AFTER_MS);
  }

  update(text: string): void {
    this.#text = text;
  }

  done(): void {
    this.#cancelTimer();
    this.clear();
  }

  /** Takes the line back, so that something else can be written. */
  clear(): void {
    if (this.#drawn && this.#sink.isTTY === true) this.#sink.write("\r\u001b[K");
    this.#drawn = false;
  }

  #later(ms: number): CancelTimer {
    return this.#clock.after(ms, () => this.#draw(), { background: true });
  }

  #draw(): void {
    const seconds = Math.round((this.#clock.now() - this.#startedMs) / 1_000);
    const text = this.#text === "" ? "" : ` ${this.#text}`;
    const line = printableLine(`${this.#label} ...${text} (${seconds} s)`);
    const redrawn = this.#sink.isTTY === true;
    this.#sink.write(redrawn ? `\r\u001b[K${line}` : `${line}\n`);
    this.#drawn = true;
    this.#cancelTimer = this.#later(redrawn ? REDRAW_MS : NEXT_LINE_MS);
  }
}
