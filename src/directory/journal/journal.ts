import { randomUUID } from "node:crypto";
import { dirname } from "node:path";
import type { Logger } from "../../core/ports.js";
import { servingError } from "../../core/serving-error.js";
import {
  errnoOf,
  type JournalFiles,
  type JournalHandle,
  lookAt,
  OPEN_EXISTING,
  refuseUnlessFile,
  syncFolder,
  writeAll,
} from "./journal-file.js";
import { JOURNAL_FORMAT, type JournalRecord, lineFromRecord } from "./journal-record.js";
import { readJournal } from "./read-journal.js";

/** A file of records that only grows, until it is replaced by another one. One operation at a time. */
export interface Journal {
  /** Whether it holds no record yet. */
  readonly isNew: boolean;
  /** What it takes on disk. */
  readonly bytes: number;
  /**
   * Appends lines; when the promise resolves they are on disk, when it rejects none of them will be read again, unless this
   * process ends before it has been able to cut them off. So it is when the disk takes them after the signal has been aborted.
   *
   * @throws HostError `STORE_IN_USE` or `STORE_DAMAGED` when the file is not as it was left: then nothing is written.
   */
  append(lines: string, signal?: AbortSignal): Promise<void>;
  /**
   * Puts a new file with these lines into its place, in one step.
   *
   * @throws HostError `STORE_IN_USE` or `STORE_DAMAGED` as `append` does
   */
  replace(lines: Iterable<string>): Promise<void>;
  close(): Promise<void>;
}

/** What a journal is opened with. */
export interface JournalOptions {
  /** Absolute. */
  readonly path: string;
  readonly files: JournalFiles;
  readonly logger: Logger;
  /** Told every record that the file holds, in order. */
  readonly onRecord: (record: JournalRecord) => void;
}

/**
 * Looks whether a journal can be at a path, and touches nothing.
 *
 * @throws ConfigError `INVALID_OPTION` when something else is there, or where the next file of a journal would be written;
 * HostError `STORE_FAILED`.
 */
export async function checkJournalPath(path: string, files: JournalFiles): Promise<void> {
  try {
    for (const place of [path, nextPath(path)]) {
      refuseUnlessFile(place, await lookAt(files, place));
    }
  } catch (thrown) {
    throw journalError(path, "opened", thrown);
  }
}

/**
 * Opens a journal, or begins one.
 *
 * A crash may leave an incomplete record at the end: it was never acknowledged, and is cut off. Anything else that cannot be
 * read is left as it is.
 *
 * @throws ConfigError `INVALID_OPTION` when a newer version wrote it; HostError `STORE_DAMAGED` or `STORE_FAILED`.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { path, files, logger } = options;
  let handle: JournalHandle | undefined;
  try {
    await checkJournalPath(path, files);
    // A crash may have left it; it was never in use.
    await removeIfThere(files, nextPath(path));
    handle = await openExisting(path, files);
    const read =
      handle === undefined ? undefined : await readJournal(handle, path, options.onRecord);
    if (handle === undefined || read === undefined) {
      await handle?.close();
      return await beginJournal(options);
    }
    const { header, end, bytes, records } = read;
    if (end < bytes) {
      await handle.truncate(end);
      await handle.datasync();
      logger.warn(
        { journal: path, offset: end, bytes: bytes - end },
        "the journal ended in an incomplete record, as a crash leaves it: cut off, nothing acknowledged is lost",
      );
    }
    const id = header.id;
    logger.info({ journal: path, id, records, bytes: end }, "journal read");
    return new FileJournal({ ...options, handle, id, end, isNew: records === 0 });
  } catch (thrown) {
    await handle?.close().catch(() => {
      // What has been thrown says more.
    });
    throw journalError(path, "opened", thrown);
  }
}

async function openExisting(path: string, files: JournalFiles): Promise<JournalHandle | undefined> {
  let handle: JournalHandle;
  try {
    handle = await files.open(path, OPEN_EXISTING);
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
  try {
    // It may have been replaced since it was looked at.
    refuseUnlessFile(path, await handle.stat());
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
  return handle;
}

/** A first file comes into its place as later ones do, so that no crash leaves half a header. */
async function beginJournal(options: JournalOptions): Promise<Journal> {
  const id = randomUUID();
  const { handle, end } = await writeNext(options, [headerLine(id)]);
  const journal = new FileJournal({ ...options, handle, id, end, isNew: true });
  try {
    await syncFolder(options.files, dirname(options.path));
  } catch (thrown) {
    await journal.close();
    throw thrown;
  }
  return journal;
}

function headerLine(id: string): string {
  return lineFromRecord({ type: "header", format: JOURNAL_FORMAT, id });
}

/** The error of a file operation, unless it is the kit's own. */
export function journalError(path: string, what: string, thrown: unknown): Error {
  if (!(thrown instanceof Error) || errnoOf(thrown) === undefined) {
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  }
  return servingError("STORE_FAILED", `the journal ${path} cannot be ${what}: ${thrown.message}`, {
    cause: thrown,
  });
}

const PIECE_BYTES = 64 * 1_024;

function nextPath(path: string): string {
  return `${path}.new`;
}

/** Writes a file beside the journal and renames it into its place, once it is on disk. */
async function writeNext(
  { path, files }: Pick<JournalOptions, "path" | "files">,
  lines: Iterable<string>,
): Promise<{ readonly handle: JournalHandle; readonly end: number }> {
  const next = nextPath(path);
  refuseUnlessFile(next, await lookAt(files, next));
  await removeIfThere(files, next);
  const handle = await files.open(next, "wx+", 0o600);
  try {
    let end = 0;
    let piece = "";
    const write = async (): Promise<void> => {
      const bytes = Buffer.from(piece);
      piece = "";
      await writeAll(handle, bytes, end);
      end += bytes.length;
    };
    for (const line of lines) {
      piece += line;
      if (piece.length >= PIECE_BYTES) await write();
    }
    await write();
    await handle.datasync();
    await files.rename(next, path);
    return { handle, end };
  } catch (thrown) {
    await handle.close().catch(() => {
      // What has been thrown says more; so with what follows.
    });
    await removeIfThere(files, next).catch(() => {});
    throw thrown;
  }
}

async function removeIfThere(files: JournalFiles, path: string): Promise<void> {
  try {
    await files.unlink(path);
  } catch (thrown) {
    if (errnoOf(thrown) !== "ENOENT") throw thrown;
  }
}

interface OpenFile extends JournalOptions {
  readonly handle: JournalHandle;
  readonly id: string;
  readonly end: number;
  readonly isNew: boolean;
}

class FileJournal implements Journal {
  readonly isNew: boolean;
  readonly #path: string;
  readonly #files: JournalFiles;
  readonly #id: string;
  #handle: JournalHandle;
  /** Where the last record ends that was written whole. */
  #end: number;
  /** How many bytes of what is to be cut off may stand behind that. */
  #tornBytes = 0;
  /** Whether a power failure might bring the file before the last rename back. */
  #renamed = false;

  constructor({ path, files, handle, id, end, isNew }: OpenFile) {
    this.isNew = isNew;
    this.#path = path;
    this.#files = files;
    this.#id = id;
    this.#handle = handle;
    this.#end = end;
  }

  get bytes(): number {
    return this.#end;
  }

  async append(lines: string, signal?: AbortSignal): Promise<void> {
    await this.#check();
    await this.#mend();
    const bytes = Buffer.from(lines);
    this.#tornBytes = bytes.length;
    try {
      await writeAll(this.#handle, bytes, this.#end);
      await this.#handle.datasync();
      signal?.throwIfAborted();
    } catch (thrown) {
      await this.#cut().catch(() => {
        // Tried again before the next record is written.
      });
      throw thrown;
    }
    this.#end += bytes.length;
    this.#tornBytes = 0;
  }

  async replace(lines: Iterable<string>): Promise<void> {
    await this.#check();
    const header = [headerLine(this.#id)];
    const { handle, end } = await writeNext(
      { path: this.#path, files: this.#files },
      concat(header, lines),
    );
    const old = this.#handle;
    this.#handle = handle;
    this.#end = end;
    this.#tornBytes = 0;
    this.#renamed = true;
    await old.close();
    await this.#mend();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Brings the file into a state where what is appended lasts. */
  async #mend(): Promise<void> {
    if (this.#tornBytes > 0) await this.#cut();
    if (this.#renamed) {
      await syncFolder(this.#files, dirname(this.#path));
      this.#renamed = false;
    }
  }

  async #cut(): Promise<void> {
    await this.#handle.truncate(this.#end);
    await this.#handle.datasync();
    this.#tornBytes = 0;
  }

  /** Somebody may have taken the lock away, and let another directory in: neither may overwrite what the other one wrote. */
  async #check(): Promise<void> {
    const there = await lookAt(this.#files, this.#path);
    if (there === undefined) {
      throw unlike("STORE_DAMAGED", `the journal ${this.#path} is not there any more`);
    }
    const { dev, ino, size } = await this.#handle.stat();
    if (there.dev !== dev || there.ino !== ino) {
      throw unlike("STORE_IN_USE", `another file is in the place of the journal ${this.#path}`);
    }
    const ends = `the journal ${this.#path} has ${size} bytes, this directory left ${this.#end}`;
    if (size < this.#end) throw unlike("STORE_DAMAGED", ends);
    if (size > this.#end + this.#tornBytes) throw unlike("STORE_IN_USE", ends);
  }
}

function unlike(reason: "STORE_DAMAGED" | "STORE_IN_USE", what: string): Error {
  return servingError(reason, `${what}; nothing in it was changed`);
}

function* concat(...parts: readonly Iterable<string>[]): Iterable<string> {
  for (const part of parts) yield* part;
}
