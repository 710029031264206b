import type { Logger } from "../core/ports.js";
import type { ServingError } from "../core/serving-error.js";
import type { Snapshot } from "../core/snapshot.js";
import type { Source } from "../resolve/source.js";

/** The latest list of a source, and those who wait for the first one. */
export class InstanceList {
  readonly #source: Source;
  readonly #logger: Logger;
  readonly #onSnapshot: (snapshot: Snapshot) => void;
  readonly #waiting = new Set<() => void>();
  #started = false;
  #snapshot: Snapshot | undefined;
  #lastError: ServingError | undefined;

  constructor(source: Source, logger: Logger, onSnapshot: (snapshot: Snapshot) => void) {
    this.#source = source;
    this.#logger = logger;
    this.#onSnapshot = onSnapshot;
  }

  /** The latest list; undefined before the first. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** Why there is no newer list; undefined while the source works. */
  get lastError(): ServingError | undefined {
    return this.#lastError;
  }

  /** Begins to ask the source; only the first call counts. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#source.start({
      onSnapshot: (snapshot) => this.#take(snapshot),
      onConfirmed: (snapshot) => {
        this.#snapshot = snapshot;
      },
      onError: (error) => this.#fail(error),
    });
  }

  /** Starts, and calls back once when the first list is there; until taken back. */
  onFirst(ready: () => void): () => void {
    this.#waiting.add(ready);
    this.start();
    return () => {
      this.#waiting.delete(ready);
    };
  }

  /** Ends the source. */
  close(): Promise<void> {
    this.#waiting.clear();
    return this.#source.close();
  }

  #take(snapshot: Snapshot): void {
    if (!snapshot.stale) this.#lastError = undefined;
    this.#snapshot = snapshot;
    this.#onSnapshot(snapshot);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const ready of waiting) ready();
  }

  #fail(error: ServingError): void {
    // The source goes on trying; one line for each kind of failure is enough.
    if (error.reason !== this.#lastError?.reason) {
      const { reason, message } = error;
      this.#logger.warn({ source: this.#source.name, reason }, message);
    }
    this.#lastError = error;
  }
}
