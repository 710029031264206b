import { randomUUID } from "node:crypto";
import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Clock, Logger } from "../../core/ports.js";
import { servingError } from "../../core/serving-error.js";
import type { UpstreamDifference, UpstreamList } from "../../wire/upstream.js";
import type {
  Lease,
  Registration,
  TrafficSetting,
  WeightSetting,
} from "../../wire/upstream-registration.js";
import { type HeldLease, isSameHolder, type LeaseBook } from "../lease-book.js";
import { logRegistration, sameInstance } from "../registration-event.js";
import type { ServiceTable } from "../service-table.js";
import { logTraffic, logWeight, weightOutcome } from "../setting-outcome.js";
import { createSettling, type Settling } from "../settling.js";
import type { DirectoryStore, WeightOutcome } from "../store.js";
import type { TableBounds } from "../table-bounds.js";
import { type CommitQueue, createCommitQueue } from "./commit-queue.js";
import { checkJournalPath, type Journal, journalError, openJournal } from "./journal.js";
import { errnoOf, type JournalFiles, machineFiles } from "./journal-file.js";
import { type JournalLock, lockJournal } from "./journal-lock.js";
import { lineFromRecord } from "./journal-record.js";
import { createJournalState, type JournalState, linesOf } from "./journal-state.js";

/** What a file store is made of. */
export interface FileStoreOptions {
  /** Of the journal, absolute or relative to the working folder. */
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bounds?: TableBounds;
  /** The machine's own unless a test says otherwise. */
  readonly files?: JournalFiles;
}

/** A journal is not worth compacting below this. */
const COMPACT_FROM_BYTES = 1_024 * 1_024;

/** A journal is compacted when it is so many times as large as when it was new. */
const COMPACT_RATIO = 4;

/**
 * Opens a store in this process's memory whose changes are in a file before they are acknowledged: whatever ends the process,
 * nothing that was acknowledged is lost. Renewals are not written: after a restart every lease holds for its whole time again.
 *
 * Records are written first and hold then, in the order of the file, so that reading the file does what was done. Who is not
 * renewed in time, or goes, is taken off the list whether the disk works or not.
 *
 * @throws ConfigError `INVALID_OPTION`; HostError `STORE_IN_USE`, `STORE_DAMAGED` or `STORE_FAILED`.
 */
export async function openFileStore(options: FileStoreOptions): Promise<DirectoryStore> {
  const { logger, files = machineFiles } = options;
  const path = await realPath(options.path);
  // Before the lock, which would be the first thing to stand beside a device.
  await checkJournalPath(path, files);
  const lock = await lockJournal(path);
  const state = createJournalState(options);
  try {
    const journal = await openJournal({ path, files, logger, onRecord: state.replay });
    return new FileStore({ ...options, path, state, journal, lock });
  } catch (thrown) {
    state.leases.close();
    await lock.release();
    throw thrown;
  }
}

/** Links are followed once, or compacting would put a file in the place of the link. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (thrown) {
    if (errnoOf(thrown) !== "ENOENT") throw unusablePath(path, thrown);
  }
  try {
    return join(await realpath(dirname(path)), basename(path));
  } catch (thrown) {
    throw unusablePath(path, thrown);
  }
}

function unusablePath(path: string, cause: unknown): Error {
  const missing = errnoOf(cause) === "ENOENT";
  const what = missing ? "does not exist" : `cannot be read: ${errnoOf(cause)}`;
  const message = `store is "file:${path}", and its folder ${dirname(path)} ${what}`;
  return servingError("INVALID_OPTION", message, { cause });
}

interface OpenStore extends FileStoreOptions {
  readonly state: JournalState;
  readonly journal: Journal;
  readonly lock: JournalLock;
}

class FileStore implements DirectoryStore {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #path: string;
  readonly #table: ServiceTable<HeldLease>;
  readonly #leases: LeaseBook;
  readonly #journal: Journal;
  readonly #lock: JournalLock;
  readonly #queue: CommitQueue;
  readonly #settling: Settling;
  #compactFromBytes: number;

  constructor({ clock, logger, path, state, journal, lock }: OpenStore) {
    const { table, leases } = state;
    this.#clock = clock;
    this.#logger = logger;
    this.#path = path;
    this.#table = table;
    this.#leases = leases;
    this.#journal = journal;
    this.#lock = lock;
    const afterWrite = (): Promise<void> | undefined =>
      this.#journal.bytes < this.#compactFromBytes ? undefined : this.#compact();
    this.#queue = createCommitQueue({ path, journal, clock, logger, afterWrite });
    state.begin({
      onEvent: (lease, event) => logRegistration(logger, lease, event),
      onDue: (lease) => this.#queue.note(() => this.#expire(lease)),
      onStall: (stallMs) => this.#settling.onStall(stallMs),
    });
    let neededBytes = 0;
    for (const line of linesOf(table)) neededBytes += line.length;
    this.#compactFromBytes = Math.max(COMPACT_FROM_BYTES, COMPACT_RATIO * neededBytes);
    this.#settling = createSettling(table, { clock, logger });
    // An empty journal knows as little as an empty memory.
    if (journal.isNew) this.#settling.begin();
  }

  services(): readonly string[] {
    return this.#table.services();
  }

  list(service: string): UpstreamList {
    return this.#table.list(service);
  }

  difference(service: string, since: string): UpstreamDifference | undefined {
    return this.#table.difference(service, since);
  }

  async register(registration: Registration): Promise<Lease> {
    const { service, instance, ttlMs, holder } = registration;
    this.#table.checkRegistration(service, instance.name);
    if (this.#queue.idle && this.#changesNothing(registration)) {
      return this.#leases.register(registration, randomUUID());
    }
    const id = randomUUID();
    const line = lineFromRecord({ type: "register", id, service, instance, ttlMs, holder });
    return this.#queue.commit(line, () => this.#leases.register(registration, id));
  }

  async keepAlive(leaseId: string): Promise<Lease> {
    return this.#leases.keepAlive(leaseId);
  }

  async deregister(leaseId: string): Promise<void> {
    if (this.#leases.held(leaseId) === undefined) return;
    // Who goes is gone, whether the disk works or not.
    await this.#queue.commitAnyway(lineFromRecord({ type: "end", id: leaseId }), () => {
      this.#leases.end(leaseId, "deregistered");
    });
  }

  async setWeight(setting: WeightSetting): Promise<WeightOutcome> {
    const { service, instance, weight } = setting;
    this.#table.checkWeight(setting);
    if (this.#queue.idle && this.#table.weight(service, instance) === weight) {
      return weightOutcome(this.#table, setting);
    }
    const line = lineFromRecord({ type: "weight", service, instance, weight });
    return this.#queue.commit(line, () => {
      if (this.#table.setWeight(setting)) logWeight(this.#logger, setting);
      return weightOutcome(this.#table, setting);
    });
  }

  async setTraffic(setting: TrafficSetting): Promise<string> {
    const { group } = setting;
    this.#table.checkTraffic(setting);
    if (this.#queue.idle && this.#table.hasTraffic(setting)) return this.#table.list(group).version;
    return this.#queue.commit(lineFromRecord({ type: "traffic", ...setting }), () => {
      if (this.#table.setTraffic(setting)) logTraffic(this.#logger, setting);
      return this.#table.list(group).version;
    });
  }

  onChange(listener: (service: string) => void): () => void {
    return this.#table.onChange(listener);
  }

  async close(): Promise<void> {
    this.#settling.close();
    this.#leases.close();
    try {
      const { late } = await this.#queue.close();
      if (late === undefined) await this.#release();
      else this.#releaseAfter(late);
    } finally {
      this.#table.close();
    }
  }

  /** As long as a write may still reach the file, nobody else may have it. */
  #releaseAfter(late: Promise<void>): void {
    const reasonOf = (thrown: unknown): string =>
      journalError(this.#path, "closed", thrown).message;
    late
      .then(() => this.#release())
      .catch((thrown: unknown) => {
        this.#logger.warn({ reason: reasonOf(thrown) }, "the journal could not be closed");
      });
  }

  async #release(): Promise<void> {
    try {
      await this.#journal.close();
    } finally {
      await this.#lock.release();
    }
  }

  /** Whether a registration says what its holder has said before, so that nothing needs to be written. */
  #changesNothing({ service, instance, ttlMs, holder }: Registration): boolean {
    const held = this.#table.registration(service, instance.name);
    return (
      held !== undefined &&
      isSameHolder(held, holder) &&
      held.ttlMs === ttlMs &&
      sameInstance(held.instance, instance)
    );
  }

  #expire(lease: HeldLease): string | undefined {
    if (lease.gone) return undefined;
    if (lease.expiresMs > this.#clock.now()) {
      // Renewed while something was being written.
      this.#leases.wait(lease);
      return undefined;
    }
    this.#leases.end(lease.id, "expired");
    return lineFromRecord({ type: "end", id: lease.id });
  }

  async #compact(): Promise<void> {
    const { bytes } = this.#journal;
    try {
      await this.#journal.replace(linesOf(this.#table));
      const fields = { journal: this.#path, bytes, bytesNow: this.#journal.bytes };
      this.#logger.info(fields, "journal compacted");
      this.#compactFromBytes = Math.max(COMPACT_FROM_BYTES, COMPACT_RATIO * this.#journal.bytes);
    } catch (thrown) {
      this.#compactFromBytes = 2 * bytes;
      const reason = journalError(this.#path, "compacted", thrown).message;
      this.#logger.warn(
        { reason },
        "the journal cannot be compacted, tried again when it is twice as large",
      );
    }
  }
}
