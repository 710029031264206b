import { runOutsideCalls } from "../../core/ambient-call.js";
import { CALM_MS } from "../../core/calm.js";
import type { CancelTimer, Clock, Logger } from "../../core/ports.js";
import type { ServingError } from "../../core/serving-error.js";
import type { Snapshot, SnapshotChange } from "../../core/snapshot.js";
import type { Source } from "../../resolve/source.js";

/** Told of every list, and of what leads to it from the one before where that is known. */
type OnSnapshot = (snapshot: Snapshot, change: SnapshotChange | undefined) => void;

/** A failure that the log tells of. */
interface ToldFailure {
  readonly sinceMs: number;
  readonly reasons: Set<string>;
}

/** The latest list of a source, and those who wait for the first one. */
export class InstanceList {
  readonly #source: Source;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #onSnapshot: OnSnapshot;
  readonly #waiting = new Set<() => void>();
  #started = false;
  #snapshot: Snapshot | undefined;
  #lastError: ServingError | undefined;
  #told: ToldFailure | undefined;
  #cancelCalm: CancelTimer = () => {};

  constructor(
    source: Source,
    { logger, clock }: { readonly logger: Logger; readonly clock: Clock },
    onSnapshot: OnSnapshot,
  ) {
    this.#source = source;
    this.#logger = logger;
    this.#clock = clock;
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
    // It outlives the call that happens to need it first.
    runOutsideCalls(() =>
      this.#source.start({
        onSnapshot: (snapshot, change) => this.#take(snapshot, change),
        onConfirmed: (snapshot) => {
          this.#snapshot = snapshot;
        },
        onError: (error) => this.#fail(error),
      }),
    );
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
    this.#cancelCalm();
    return this.#source.close();
  }

  #take(snapshot: Snapshot, change: SnapshotChange | undefined): void {
    if (!snapshot.stale) this.#works();
    this.#snapshot = snapshot;
    this.#onSnapshot(snapshot, change);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const ready of waiting) ready();
  }

  #works(): void {
    const told = this.#told;
    if (told !== undefined && this.#lastError !== undefined) {
      const afterMs = Math.round(this.#clock.now() - told.sinceMs);
      this.#cancelCalm = this.#clock.after(
        CALM_MS,
        () => {
          this.#told = undefined;
          this.#logger.info({ source: this.#source.name, afterMs }, "list is fresh again");
        },
        { background: true },
      );
    }
    this.#lastError = undefined;
  }

  /** The source goes on trying; one line for each kind of failure is enough, until it works again. */
  #fail(error: ServingError): void {
    const { reason, message } = error;
    this.#lastError = error;
    this.#cancelCalm();
    this.#told ??= { sinceMs: this.#clock.now(), reasons: new Set() };
    if (this.#told.reasons.has(reason)) return;
    this.#told.reasons.add(reason);
    this.#logger.warn({ source: this.#source.name, reason }, message);
  }
}
