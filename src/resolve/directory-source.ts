import { type Backoff, createBackoff } from "../core/backoff.js";
import type { CancelTimer } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import { createGrpcTransport } from "../transport/grpc-transport.js";
import type { TransportFactory } from "../transport/transport.js";
import { noneMakesSense } from "../wire/left-out.js";
import type { ReceivedUpstreamList } from "../wire/upstream.js";
import { type DirectoryWatch, openDirectoryWatch } from "./directory-watch.js";
import { createRemovalGrace, type RemovalGrace } from "./removal-grace.js";
import { createSnapshotKeeper, type SnapshotKeeper } from "./snapshot-keeper.js";
import type { Source, SourceListener } from "./source.js";
import type { SourceOptions } from "./source-options.js";
import type { DirectoryTarget } from "./target/target-kind.js";

const MAX_LIST_BYTES = 16 * 1024 * 1024;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 5_000;

/**
 * A watch that has lasted so long was a success: the next wait is a short one again. One whose list has been stale for so long is
 * left for another directory, which may know more.
 */
const STABLE_MS = 10_000;

/** What the directory source needs. */
export interface DirectorySourceOptions extends SourceOptions {
  /** Makes the way to a directory; gRPC unless a test says otherwise. */
  readonly connect?: TransportFactory;
}

/**
 * Makes the source of a service that directories of the kit list: a watch on one of them, on the next when it ends.
 *
 * ```
 *   opening -- first list --> watching -- ended, silent, refused --> waiting (jittered) -- next directory --> opening
 *      '------- no list within 5 s, refused ------------------------>---'
 * ```
 */
export function createDirectorySource(
  target: DirectoryTarget,
  options: DirectorySourceOptions,
): Source {
  return new DirectorySource(target, options);
}

class DirectorySource implements Source {
  readonly name: string;
  readonly service: string;
  readonly #target: DirectoryTarget;
  readonly #options: DirectorySourceOptions;
  readonly #connect: TransportFactory;
  readonly #backoff: Backoff;
  #turn: number;
  #keeper: SnapshotKeeper | undefined;
  #watch: DirectoryWatch | undefined;
  #firstListAtMs: number | undefined;
  /** Since when the list of this watch has been a stale one. */
  #staleSinceMs: number | undefined;
  #cancelRetry: CancelTimer = () => {};
  #grace: RemovalGrace | undefined;
  #closed = false;

  constructor(target: DirectoryTarget, options: DirectorySourceOptions) {
    this.name = target.text;
    this.service = target.service;
    this.#target = target;
    this.#options = options;
    const { directoryTls: tls, random } = options;
    this.#connect =
      options.connect ??
      ((instance) =>
        createGrpcTransport(instance, {
          tls,
          maxMessageBytes: MAX_LIST_BYTES,
          pingIntervalMs: 0,
          background: true,
        }));
    this.#backoff = createBackoff({ initialMs: FIRST_RETRY_MS, maxMs: LONGEST_RETRY_MS }, random);
    // Not all clients on the first directory.
    this.#turn = Math.floor(random() * target.directories.length);
  }

  start(listener: SourceListener): void {
    const { name, service } = this;
    const { clock, logger } = this.#options;
    const keeper = createSnapshotKeeper({ source: name, service, clock, logger, listener });
    this.#keeper = keeper;
    this.#grace = createRemovalGrace(keeper, clock);
    this.#open(keeper);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#keeper?.close();
    this.#cancelRetry();
    this.#grace?.suspend();
    this.#watch?.close();
  }

  #open(keeper: SnapshotKeeper): void {
    const { directories } = this.#target;
    const directory = directories[this.#turn % directories.length];
    if (directory === undefined) return;
    this.#firstListAtMs = undefined;
    this.#staleSinceMs = undefined;
    this.#grace?.arm();
    this.#watch = openDirectoryWatch({
      ...this.#options,
      directory,
      service: this.service,
      connect: this.#connect,
      onList: (list) => this.#take(keeper, list),
      onSilence: () => keeper.doubt(),
      onEnd: (error) => {
        keeper.fail(error);
        this.#tryNext(keeper);
      },
    });
  }

  #tryNext(keeper: SnapshotKeeper): void {
    if (this.#closed) return;
    const { clock } = this.#options;
    this.#watch?.close();
    this.#grace?.suspend();
    const since = this.#firstListAtMs;
    if (since !== undefined && clock.now() - since >= STABLE_MS) this.#backoff.reset();
    this.#turn += 1;
    this.#cancelRetry = clock.after(this.#backoff.next(), () => this.#open(keeper), {
      background: true,
    });
  }

  #take(keeper: SnapshotKeeper, list: ReceivedUpstreamList): void {
    this.#firstListAtMs ??= this.#options.clock.now();
    if (!list.known) {
      this.#takeUnknown(keeper, list.stale);
      return;
    }
    const { instances, removed, baseVersion, rejected, settled, stale } = list;
    if (baseVersion !== undefined) {
      this.#grace?.change({ changed: instances, removed, settled, stale });
    } else if (instances.length === 0 && rejected > 0) {
      keeper.fail(servingError("UPSTREAM_MALFORMED", `${this.name}: ${noneMakesSense(list)}`));
      return;
    } else {
      this.#grace?.take(list);
    }
    // No difference could lead on from what was not taken.
    if (keeper.refused) this.#tryNext(keeper);
    else this.#noteStale(keeper, stale);
  }

  /** A directory that has lost its store is the best there is until another one can be asked. */
  #noteStale(keeper: SnapshotKeeper, stale: boolean): void {
    if (!stale) {
      this.#staleSinceMs = undefined;
      return;
    }
    const nowMs = this.#options.clock.now();
    if (this.#staleSinceMs === undefined) {
      this.#staleSinceMs = nowMs;
      keeper.fail(this.#storeLost());
    } else if (nowMs - this.#staleSinceMs >= STABLE_MS && this.#target.directories.length > 1) {
      this.#tryNext(keeper);
    }
  }

  /** A directory that has just started does not know the service yet; another one may. */
  #takeUnknown(keeper: SnapshotKeeper, stale: boolean): void {
    if (keeper.instances === undefined) keeper.fail(stale ? this.#storeLost() : this.#unknown());
    else keeper.doubt();
    if (this.#target.directories.length > 1) this.#tryNext(keeper);
  }

  #unknown(): ServingError {
    const message = `${this.name}: no instance of ${this.service} has ever registered`;
    return servingError("SERVICE_UNKNOWN", message);
  }

  #storeLost(): ServingError {
    const message = `${this.name}: the directory cannot reach its store and says what it knew last`;
    return servingError("DIRECTORY_FAILED", message);
  }
}
