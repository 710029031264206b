import { constants } from "node:fs";
import { lstat, open, rename, unlink } from "node:fs/promises";
import { servingError } from "../../core/serving-error.js";

/** What a file looks like, as `node:fs` has it. */
export interface FileLook {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  isFile(): boolean;
}

/** An open file, as `node:fs/promises` has it. */
export interface JournalHandle {
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesRead: number }>;
  write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesWritten: number }>;
  stat(): Promise<FileLook>;
  truncate(bytes: number): Promise<void>;
  datasync(): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The part of the file system that a journal needs; tests bring one that fails. */
export interface JournalFiles {
  /** What is at a path; a link is not followed. */
  lstat(path: string): Promise<FileLook>;
  open(path: string, flags: string | number, mode?: number): Promise<JournalHandle>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
}

/** The machine's own files. */
export const machineFiles: JournalFiles = { lstat, open, rename, unlink };

/** To read and write what is there; never waits for the other end of a pipe. */
export const OPEN_EXISTING: number = constants.O_RDWR | (constants.O_NONBLOCK ?? 0);

/** What is at a path; undefined when nothing is. A link is not followed. */
export async function lookAt(files: JournalFiles, path: string): Promise<FileLook | undefined> {
  try {
    return await files.lstat(path);
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}

/**
 * Refuses what is no regular file: a journal would come into its place.
 *
 * @throws ConfigError `INVALID_OPTION`
 */
export function refuseUnlessFile(path: string, look: FileLook | undefined): void {
  if (look === undefined || look.isFile()) return;
  throw servingError(
    "INVALID_OPTION",
    `store is a journal, and ${path} is a device, a pipe, a folder or a link to nothing, expected a regular file or none`,
  );
}

/** The errno of a failed file operation; undefined of anything else. */
export function errnoOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string"
    ? thrown.code
    : undefined;
}

/** Writes all of it: one write may take less, when a disk is nearly full or a signal comes. */
export async function writeAll(
  handle: JournalHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(
      bytes,
      written,
      bytes.length - written,
      position + written,
    );
    written += bytesWritten;
  }
}

/** Makes what has been renamed in a folder last. */
export async function syncFolder(files: JournalFiles, folder: string): Promise<void> {
  const handle = await files.open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** One line of a file. */
export interface FileLine {
  /** Where it begins. */
  readonly offset: number;
  /** From 1 on. */
  readonly number: number;
  /** Without its end; undefined when it is longer than any record, or has no end. */
  readonly text: string | undefined;
}

const CHUNK_BYTES = 64 * 1_024;
/** Twice what the shares of the largest group take. */
const MAX_LINE_BYTES = 64 * 1_024;
const LINE_END = 0x0a;

/** Reads a file line by line, in pieces, whatever it holds. */
export async function readLines(
  handle: JournalHandle,
  onLine: (line: FileLine) => void,
): Promise<{ readonly bytes: number }> {
  let rest = Buffer.alloc(0);
  let restOffset = 0;
  let tooLong = false;
  let number = 1;
  let position = 0;
  while (true) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    let start = 0;
    for (let end = rest.indexOf(LINE_END); end >= 0; end = rest.indexOf(LINE_END, start)) {
      const text = tooLong ? undefined : rest.toString("utf8", start, end);
      onLine({ offset: restOffset, number, text });
      number += 1;
      tooLong = false;
      start = end + 1;
      restOffset = position - rest.length + start;
    }
    rest = rest.subarray(start);
    if (rest.length > MAX_LINE_BYTES) {
      tooLong = true;
      rest = rest.subarray(rest.length);
    }
  }
  if (restOffset < position) onLine({ offset: restOffset, number, text: undefined });
  return { bytes: position };
}
