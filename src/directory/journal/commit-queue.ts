import type { Clock, Logger } from "../../core/ports.js";
import { servingError } from "../../core/serving-error.js";
import { type Journal, journalError } from "./journal.js";

/** How long a disk may take for one write; longer, and it counts as one that fails until it is back. */
const WRITE_LIMIT_MS = 5_000;

/** The log says that a disk works again when it has taken as much as it refused, or has not failed for so long. */
const STEADY_MS = 5_000;

/** Commits that may wait: every instance that a directory holds may come back at once. */
const MAX_WAITING = 100_000;

/** Bytes of one write, roughly. */
const MAX_WRITE_LENGTH = 256 * 1_024;

/** Writes records before what they say holds. */
export interface CommitQueue {
  /**
   * Writes a line; once it is on disk, `apply` makes it hold, and its result is the answer. All that wait share one write. What
   * is applied is in the order of the file.
   *
   * @throws HostError `STORE_FAILED` when it could not be written, not within 5 s, or too many wait: then nothing of it holds;
   * what the journal throws; `DRAINING` after close; what `apply` throws
   */
  commit<T>(line: string, apply: () => T): Promise<T>;
  /**
   * As {@link commit}, but what cannot be written holds all the same, at its place in the order, and the caller is told the error; the
   * line is written as soon as the disk takes it.
   */
  commitAnyway(line: string, apply: () => void): Promise<void>;
  /**
   * Lets `change` happen without waiting for the disk, only not while something is being written, so that the order in the file is
   * that of the changes; the line that it returns is written as soon as the disk takes it.
   */
  note(change: () => string | undefined): void;
  /** Whether nothing waits, and nothing is being written. */
  readonly idle: boolean;
  /**
   * Ends when all that was handed over is written or refused, after 5 s at most.
   *
   * @returns when the disk keeps a write for longer, what ends when it has given it back: until then the file may change
   */
  close(): Promise<{ readonly late?: Promise<void> }>;
}

/** What a queue is made of. */
export interface CommitQueueOptions {
  readonly path: string;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * Called after every write; until a promise that it returns has ended, which never rejects, nothing is written, and nothing
   * changes but what is noted after 5 s.
   */
  readonly afterWrite: () => Promise<void> | undefined;
}

interface Commit {
  readonly line: string;
  /** Makes the record hold, and answers. */
  readonly apply: () => void;
  readonly refuse: (error: Error) => void;
  /** Whether it holds although it is refused. */
  readonly anyway: boolean;
}

/** Makes a queue before a journal that nobody else writes to. */
export function createCommitQueue(options: CommitQueueOptions): CommitQueue {
  return new JournalQueue(options);
}

/**
 * ```
 *           commit             on disk: apply, answer
 *   idle ----------> writing --------------------------> idle, or writing what came meanwhile
 *                       |    failed: refuse, keep notes     ^
 *                       | 5 s: refuse                       | the disk gives the write back: what it may have
 *                       v                                   | written of it is cut off before the next one
 *                     stuck --------------------------------+
 *              commits are refused, notes happen
 * ```
 */
class JournalQueue implements CommitQueue {
  readonly #options: CommitQueueOptions;
  #waiting: Commit[] = [];
  /** Lines of changes that hold already. */
  #noted: string[] = [];
  #changes: (() => string | undefined)[] = [];
  #running: Promise<void> | undefined;
  /** While it does, what holds stays as it is. */
  #writing = false;
  /** Why nothing can be written at the moment: the disk has not given back what it was given. */
  #stuck: Error | undefined;
  /** Ends the time that the present write has. */
  #giveUp: () => void = () => {};
  #onStuck: () => void = () => {};
  #closed = false;
  /** Whether the last write failed. */
  #failing = false;
  /** Whether the log says that writes fail. */
  #told = false;
  #failedAtMs = 0;
  /** The longest that was refused since the log said so. */
  #refusedLength = 0;

  constructor(options: CommitQueueOptions) {
    this.#options = options;
  }

  get idle(): boolean {
    return !this.#writing && this.#stuck === undefined && this.#waiting.length === 0;
  }

  commit<T>(line: string, apply: () => T): Promise<T> {
    return this.#add(line, apply, false);
  }

  commitAnyway(line: string, apply: () => void): Promise<void> {
    return this.#add(line, apply, true);
  }

  note(change: () => string | undefined): void {
    this.#changes.push(change);
    if (this.#writing) return;
    this.#change();
    if (this.#hasWork) this.#start();
  }

  async close(): Promise<{ readonly late?: Promise<void> }> {
    this.#closed = true;
    if (this.#noted.length > 0 && this.#stuck === undefined) this.#start();
    const stuck = new Promise<void>((resolve) => {
      this.#onStuck = resolve;
    });
    const cancelTimer = this.#options.clock.after(WRITE_LIMIT_MS, () => this.#giveUp());
    if (this.#stuck === undefined) await Promise.race([this.#given(), stuck]);
    cancelTimer();
    return this.#stuck === undefined ? {} : { late: this.#given() };
  }

  /** Lines that only say what holds already wait for a disk that is known to fail. */
  get #hasWork(): boolean {
    return this.#waiting.length > 0 || (this.#noted.length > 0 && !this.#failing);
  }

  #add<T>(line: string, apply: () => T, anyway: boolean): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(servingError("DRAINING", "the directory is stopping"));
        return;
      }
      const answer = (): void => {
        try {
          resolve(apply());
        } catch (thrown) {
          reject(thrown);
        }
      };
      const refuse = (error: Error): void => {
        reject(error);
        if (anyway) answer();
      };
      const commit = { line, apply: answer, refuse, anyway };
      if (this.#stuck !== undefined) {
        this.#refuse([commit], this.#stuck);
      } else if (this.#waiting.length >= MAX_WAITING && !anyway) {
        reject(
          servingError("STORE_FAILED", `${MAX_WAITING} writes wait for the disk, as many as may`),
        );
      } else {
        this.#waiting.push(commit);
        this.#start();
      }
    });
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      // What came in the very moment in which the last write ended.
      if (this.#hasWork) this.#start();
    });
  }

  async #given(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    // One turn, so that all who ask in this one share a write.
    await Promise.resolve();
    do {
      this.#writing = true;
      await this.#writeSome(this.#take());
      this.#writing = false;
      this.#change();
    } while (this.#hasWork);
  }

  async #writeSome(commits: readonly Commit[]): Promise<void> {
    const { journal, afterWrite } = this.#options;
    const lines = [...this.#noted, ...commits.map(({ line }) => line)].join("");
    const written = await this.#inTime(lines.length, commits, (signal) =>
      journal.append(lines, signal),
    );
    if (!written) return;
    this.#noted = [];
    for (const { apply } of commits) apply();
    const more = afterWrite();
    if (more !== undefined) await this.#inTime(0, [], () => more);
  }

  /** Does something with the disk; false when it failed, or took so long that the commits have been refused. */
  async #inTime(
    length: number,
    commits: readonly Commit[],
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<boolean> {
    const aborting = new AbortController();
    this.#giveUp = () => {
      this.#giveUp = () => {};
      aborting.abort();
      this.#stick(length, commits);
    };
    const cancelTimer = this.#options.clock.after(WRITE_LIMIT_MS, () => this.#giveUp());
    let failure: unknown;
    try {
      await work(aborting.signal);
      if (!aborting.signal.aborted) this.#recovered(length);
    } catch (thrown) {
      failure = thrown;
    }
    cancelTimer();
    this.#giveUp = () => {};
    if (aborting.signal.aborted) {
      // What holds by now is written at once: the disk is there again, or says that it is not.
      this.#stuck = undefined;
      this.#failing = false;
      return false;
    }
    if (failure === undefined) return true;
    const error = journalError(this.#options.path, "written", failure);
    this.#failed(error, length);
    this.#refuse(commits, error);
    return false;
  }

  #stick(length: number, commits: readonly Commit[]): void {
    const what = `the journal ${this.#options.path} has not been written for ${WRITE_LIMIT_MS / 1_000} s`;
    const error = servingError("STORE_FAILED", what);
    this.#stuck = error;
    this.#failed(error, length);
    this.#refuse([...commits, ...this.#waiting.splice(0)], error);
    this.#writing = false;
    this.#change();
    this.#onStuck();
  }

  #refuse(commits: readonly Commit[], error: Error): void {
    for (const { line, refuse, anyway } of commits) {
      refuse(error);
      if (anyway) this.#noted.push(line);
    }
  }

  #take(): readonly Commit[] {
    let length = 0;
    const end = this.#waiting.findIndex(({ line }) => {
      length += line.length;
      return length > MAX_WRITE_LENGTH;
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : Math.max(1, end));
  }

  #change(): void {
    for (const change of this.#changes.splice(0)) {
      const line = change();
      if (line !== undefined) this.#noted.push(line);
    }
  }

  #failed(error: Error, length: number): void {
    const { clock, logger } = this.#options;
    this.#failing = true;
    this.#failedAtMs = clock.now();
    this.#refusedLength = Math.max(this.#refusedLength, length);
    if (this.#told) return;
    this.#told = true;
    logger.error({ reason: error.message }, "writes are refused: the journal cannot be written");
  }

  #recovered(length: number): void {
    this.#failing = false;
    if (!this.#told) return;
    const { clock, logger, path } = this.#options;
    // A disk that is nearly full still takes a short line.
    if (length < this.#refusedLength && clock.now() - this.#failedAtMs < STEADY_MS) return;
    this.#told = false;
    this.#refusedLength = 0;
    logger.info({ journal: path }, "the journal can be written again");
  }
}
