import { basename, dirname } from "node:path";
import type { CancelTimer } from "../core/ports.js";
import { ServingError } from "../core/serving-error.js";
import { upstreamAnswerFromJson } from "../wire/upstream-json.js";
import { type FileAccess, machineFiles } from "./file-access.js";
import { createSnapshotKeeper, type SnapshotKeeper } from "./snapshot-keeper.js";
import type { Source, SourceListener } from "./source.js";
import { sourceFailure } from "./source-failure.js";
import type { SourceOptions } from "./source-options.js";
import type { FileTarget } from "./target/target-kind.js";

const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** What is not told by an event (network file systems, links in other folders) is seen so soon. */
const LOOK_INTERVAL_MS = 5_000;

/** Programs write in several steps, each of them an event. */
const JOIN_MS = 100;

/** A file system that does not answer, such as one over a network that is gone. */
const TIMEOUT_MS = 5_000;

/** What the file source needs. */
export interface FileSourceOptions extends SourceOptions {
  /** The file system; the machine's own unless a test says otherwise. */
  readonly files?: FileAccess;
}

/**
 * Makes the source of a file with EAS's discovery JSON: read when something happens in its folder, and looked at every 5 s
 * besides. Its folder is watched and not itself, because it is replaced rather than written, or stands behind links that are.
 */
export function createFileSource(target: FileTarget, options: FileSourceOptions): Source {
  return new FileSource(target, options);
}

class FileSource implements Source {
  readonly name: string;
  readonly service: string;
  readonly #target: FileTarget;
  readonly #options: FileSourceOptions;
  readonly #files: FileAccess;
  readonly #baseName: string;
  #closed = false;
  #keeper: SnapshotKeeper | undefined;
  /** What the file looked like when it was read. */
  #lastLook: string | undefined;
  #problem: string | undefined;
  #looking = false;
  /** Something has happened since the look began. */
  #again = false;
  /** An event has named the file: it is read however it looks, since times of files are coarse. */
  #written = false;
  #cancelJoin: CancelTimer | undefined;
  #cancelLook: CancelTimer = () => {};
  #endWatch: (() => void) | undefined;

  constructor(target: FileTarget, options: FileSourceOptions) {
    this.name = target.text;
    this.service = target.service;
    this.#target = target;
    this.#options = options;
    this.#files = options.files ?? machineFiles;
    this.#baseName = basename(target.path);
  }

  start(listener: SourceListener): void {
    const { name, service } = this;
    const { clock, logger } = this.#options;
    this.#keeper = createSnapshotKeeper({ source: name, service, clock, logger, listener });
    this.#watch();
    this.#lookNow(this.#keeper);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#keeper?.close();
    this.#cancelJoin?.();
    this.#cancelLook();
    this.#endWatch?.();
  }

  #watch(): void {
    this.#endWatch = undefined;
    try {
      const folder = dirname(this.#target.path);
      this.#endWatch = this.#files.watch(folder, (name) => this.#onEvent(name));
    } catch {
      // The folder may come later, or the system have no watches left: looking does without.
    }
  }

  #onEvent(name: string | undefined): void {
    if (this.#closed) return;
    if (name === undefined || name === this.#baseName) this.#written = true;
    this.#cancelJoin ??= this.#options.clock.after(
      JOIN_MS,
      () => {
        this.#cancelJoin = undefined;
        if (this.#keeper !== undefined) this.#lookNow(this.#keeper);
      },
      { background: true },
    );
  }

  /** Looks, and again after some time; one look at a time. */
  #lookNow(keeper: SnapshotKeeper): void {
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#again = false;
    this.#looking = true;
    this.#cancelLook();
    const { clock } = this.#options;
    const cancelTimer = clock.after(
      TIMEOUT_MS,
      () => this.#fail(keeper, new Error(`the file system does not answer for ${TIMEOUT_MS} ms`)),
      { background: true },
    );
    this.#cancelLook = cancelTimer;
    this.#look(keeper)
      .catch((error: unknown) => this.#fail(keeper, error))
      .finally(() => {
        this.#looking = false;
        cancelTimer();
        if (this.#closed) return;
        const waitMs = this.#again ? JOIN_MS : LOOK_INTERVAL_MS;
        this.#cancelLook = clock.after(waitMs, () => this.#lookByTime(keeper), {
          background: true,
        });
      });
  }

  /** Watches anew, for the folder may be another one by now; before the look, so that nothing is missed. */
  #lookByTime(keeper: SnapshotKeeper): void {
    this.#endWatch?.();
    this.#watch();
    this.#lookNow(keeper);
  }

  async #look(keeper: SnapshotKeeper): Promise<void> {
    const { path } = this.#target;
    const written = this.#written;
    this.#written = false;
    // Before it is read: what is written meanwhile makes the next look a different one.
    const look = await this.#files.look(path);
    if (look === this.#lastLook && !written) {
      if (this.#problem === undefined) keeper.confirm();
      return;
    }
    const bytes = await this.#files.read(path, MAX_FILE_BYTES);
    this.#lastLook = look;
    keeper.accept(upstreamAnswerFromJson(new TextDecoder().decode(bytes)));
    this.#problem = undefined;
  }

  /** Tells of each problem once. */
  #fail(keeper: SnapshotKeeper, thrown: unknown): void {
    const cause = ServingError.from(thrown);
    this.#lastLook = undefined;
    if (this.#problem === cause.message) return;
    this.#problem = cause.message;
    keeper.fail(sourceFailure(this.name, cause));
  }
}
