import type { Clock } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import {
  differenceRhythm,
  type UpstreamDifference,
  type UpstreamList,
  wholeListRhythm,
} from "../wire/upstream.js";
import type { DirectoryStore } from "./store.js";
import { fullError } from "./table-bounds.js";

/** Watches at a time, of all readers: each costs some 20 KB. */
export const MAX_WATCHES = 10_000;

/** Least time between two answers of one watch: a change after some quiet goes out at once, a burst as one. */
const COALESCE_MS = 50;

const NOTHING: UpstreamDifference = Object.freeze({ changed: [], removed: [] });

/** One answer of a watch; watchers that are told the same are given the same object. */
export interface WatchUpdate {
  readonly list: UpstreamList;
  /** What leads to the list from the one that this watcher was told last; undefined when it is told the whole list. */
  readonly change?: { readonly since: string; readonly difference: UpstreamDifference };
}

/** How a watch is to be told. */
export interface WatchOptions {
  readonly signal: AbortSignal;
  /** Tell what has changed where that is known and less than the list. */
  readonly differences: boolean;
}

/** Tells any number of watchers what changes. */
export interface WatchHub {
  /**
   * The list of a service now, then after every change, and every 10 s (2 s where it takes differences), until the signal is
   * aborted.
   *
   * A watcher that is slow to ask gets the newest list only.
   *
   * @throws HostError `DRAINING` when the hub is closed, `FORBIDDEN` with the code RESOURCE_EXHAUSTED when there are too many.
   */
  watch(service: string, options: WatchOptions): AsyncIterable<WatchUpdate>;
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
  /** By service: those whose last answer is long enough ago. */
  readonly #waiting = new Map<string, Set<Wake>>();
  readonly #holding = new Set<Wake>();
  /** By list, then by the version that it differs from. */
  readonly #updates = new WeakMap<UpstreamList, Map<string, WatchUpdate>>();
  readonly #stopListening: () => void;
  #watches = 0;
  #closed: ServingError | undefined;

  constructor(store: DirectoryStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#stopListening = store.onChange((service) => this.#wakeAll(this.#waiting.get(service)));
  }

  async *watch(service: string, options: WatchOptions): AsyncIterable<WatchUpdate> {
    if (this.#watches >= MAX_WATCHES) throw fullError(`${MAX_WATCHES} watches`);
    this.#watches += 1;
    try {
      yield* this.#follow(service, options);
    } finally {
      this.#watches -= 1;
    }
  }

  close(): void {
    this.#closed ??= servingError("DRAINING", "the directory is stopping");
    this.#stopListening();
    this.#wakeAll(this.#holding);
    for (const waiting of [...this.#waiting.values()]) this.#wakeAll(waiting);
  }

  async *#follow(
    service: string,
    { signal, differences }: WatchOptions,
  ): AsyncIterable<WatchUpdate> {
    const { repeatMs } = differences ? differenceRhythm : wholeListRhythm;
    let since: string | undefined;
    while (!signal.aborted) {
      if (this.#closed !== undefined) throw this.#closed;
      const update = this.#update(service, since);
      const { version, known } = update.list;
      since = differences && known ? version : undefined;
      yield update;
      const toldAtMs = this.#clock.now();
      const repeatAtMs = toldAtMs + repeatMs;
      if (this.#open(signal)) await this.#wait(this.#holding, toldAtMs + COALESCE_MS, signal);
      while (this.#open(signal) && this.#quiet(service, version, repeatAtMs)) {
        await this.#waitForChange(service, repeatAtMs, signal);
      }
    }
  }

  #update(service: string, since: string | undefined): WatchUpdate {
    const list = this.#store.list(service);
    const key = since ?? "";
    let updates = this.#updates.get(list);
    if (updates === undefined) {
      updates = new Map();
      this.#updates.set(list, updates);
    }
    let update = updates.get(key);
    if (update === undefined) {
      update = this.#makeUpdate(list, since);
      updates.set(key, update);
    }
    return update;
  }

  #makeUpdate(list: UpstreamList, since: string | undefined): WatchUpdate {
    if (since === undefined || !list.known) return { list };
    const difference =
      since === list.version ? NOTHING : this.#store.difference(list.service, since);
    return difference === undefined ? { list } : { list, change: { since, difference } };
  }

  #open(signal: AbortSignal): boolean {
    return !signal.aborted && this.#closed === undefined;
  }

  /** Whether a watcher that has had a version has nothing to be told yet. */
  #quiet(service: string, version: string, repeatAtMs: number): boolean {
    return this.#clock.now() < repeatAtMs && this.#store.list(service).version === version;
  }

  async #waitForChange(service: string, untilMs: number, signal: AbortSignal): Promise<void> {
    const waiting = this.#waiting.get(service) ?? new Set<Wake>();
    this.#waiting.set(service, waiting);
    await this.#wait(waiting, untilMs, signal);
    if (waiting.size === 0 && this.#waiting.get(service) === waiting) this.#waiting.delete(service);
  }

  #wait(among: Set<Wake>, untilMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancelTimer();
        signal.removeEventListener("abort", wake);
        among.delete(wake);
        resolve();
      };
      const waitMs = untilMs - this.#clock.now();
      const cancelTimer = this.#clock.after(waitMs, wake, { background: true });
      signal.addEventListener("abort", wake, { once: true });
      among.add(wake);
    });
  }

  #wakeAll(waiting: ReadonlySet<Wake> | undefined): void {
    for (const wake of [...(waiting ?? [])]) wake();
  }
}
