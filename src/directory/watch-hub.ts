import type { CancelTimer, Clock } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import { type UpstreamList, WATCH_REPEAT_MS } from "../wire/upstream.js";
import type { DirectoryStore } from "./store.js";

/** Changes that follow each other so closely go out as one list. */
const COALESCE_MS = 50;

/** Tells any number of watchers what changes. */
export interface WatchHub {
  /**
   * The list of a service now, then after every change and every 10 s, until the signal is aborted.
   *
   * A watcher that is slow to ask gets the newest list only.
   *
   * @throws HostError `DRAINING` when the hub is closed.
   */
  watch(service: string, signal: AbortSignal): AsyncIterable<UpstreamList>;
  /** Ends every watch. */
  close(): void;
}

type Wake = () => void;

/** Makes the hub of a store. */
export function createWatchHub(store: DirectoryStore, clock: Clock): WatchHub {
  return new StoreWatchHub(store, clock);
}

class StoreWatchHub implements WatchHub {
  readonly #store: DirectoryStore;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Set<Wake>>();
  readonly #coalescing = new Map<string, CancelTimer>();
  readonly #stopListening: () => void;
  #closed: ServingError | undefined;

  constructor(store: DirectoryStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#stopListening = store.onChange((service) => this.#changed(service));
  }

  async *watch(service: string, signal: AbortSignal): AsyncIterable<UpstreamList> {
    while (!signal.aborted) {
      if (this.#closed !== undefined) throw this.#closed;
      const list = this.#store.list(service);
      yield list;
      const repeatAtMs = this.#clock.now() + WATCH_REPEAT_MS;
      while (this.#quiet(list, repeatAtMs, signal)) await this.#wait(service, repeatAtMs, signal);
    }
  }

  close(): void {
    this.#closed ??= servingError("DRAINING", "the directory is stopping");
    this.#stopListening();
    for (const cancel of this.#coalescing.values()) cancel();
    this.#coalescing.clear();
    for (const service of [...this.#waiting.keys()]) this.#wakeAll(service);
  }

  /** Whether a watcher that has had `list` has nothing to be told yet. */
  #quiet(list: UpstreamList, repeatAtMs: number, signal: AbortSignal): boolean {
    if (signal.aborted || this.#closed !== undefined || this.#clock.now() >= repeatAtMs) {
      return false;
    }
    return (
      this.#coalescing.has(list.service) || this.#store.list(list.service).version === list.version
    );
  }

  #wait(service: string, repeatAtMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(service) ?? new Set<Wake>();
      this.#waiting.set(service, waiting);
      const wake = (): void => {
        cancelTimer();
        signal.removeEventListener("abort", wake);
        waiting.delete(wake);
        if (waiting.size === 0 && this.#waiting.get(service) === waiting) {
          this.#waiting.delete(service);
        }
        resolve();
      };
      const cancelTimer = this.#clock.after(repeatAtMs - this.#clock.now(), wake, {
        background: true,
      });
      signal.addEventListener("abort", wake, { once: true });
      waiting.add(wake);
    });
  }

  #changed(service: string): void {
    if (this.#coalescing.has(service) || !this.#waiting.has(service)) return;
    const cancel = this.#clock.after(
      COALESCE_MS,
      () => {
        this.#coalescing.delete(service);
        this.#wakeAll(service);
      },
      { background: true },
    );
    this.#coalescing.set(service, cancel);
  }

  #wakeAll(service: string): void {
    for (const wake of [...(this.#waiting.get(service) ?? [])]) wake();
  }
}
