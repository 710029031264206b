import { constants, watch } from "node:fs";
import { open, stat } from "node:fs/promises";
import { servingError } from "../core/serving-error.js";

/** What the file source needs of a file system. */
export interface FileAccess {
  /** What a file looks like from outside; differs when it was written or replaced. Links are followed. */
  look(path: string): Promise<string>;
  /** Reads a whole file, of at most so many bytes. Never waits for what is no regular file. */
  read(path: string, maxBytes: number): Promise<Uint8Array>;
  /**
   * Watches what happens in a folder; keeps no process alive.
   *
   * @param onEvent - told what it happened to, where that is known
   * @returns what ends it
   * @throws when it cannot be watched
   */
  watch(folder: string, onEvent: (name: string | undefined) => void): () => void;
}

/** The machine's own file system. */
export const machineFiles: FileAccess = {
  async look(path) {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
  },
  async read(path, maxBytes) {
    // To open a pipe is to wait for its other end, to open a device may move something.
    refuseUnlessFile(await stat(path));
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      // Once more: it may have been replaced in between.
      refuseUnlessFile(await file.stat());
      return await readAtMost(maxBytes, (buffer, at) => file.read(buffer, at));
    } finally {
      await file.close();
    }
  },
  watch(folder, onEvent) {
    const watcher = watch(folder, { persistent: false });
    watcher.on("change", (_type, name) => onEvent(name?.toString()));
    watcher.on("error", () => watcher.close());
    return () => watcher.close();
  },
};

function refuseUnlessFile(stats: { isFile(): boolean; isDirectory(): boolean }): void {
  if (stats.isFile()) return;
  const what = stats.isDirectory() ? "a folder" : "no regular file";
  throw servingError("DIRECTORY_FAILED", `it is ${what}, expected a file`);
}

const FIRST_BYTES = 64 * 1024;

/** Its size is not asked for: it may grow meanwhile, and some file systems say 0. */
async function readAtMost(
  maxBytes: number,
  read: (buffer: Uint8Array, at: number) => Promise<{ readonly bytesRead: number }>,
): Promise<Uint8Array> {
  let buffer = new Uint8Array(FIRST_BYTES);
  let length = 0;
  for (;;) {
    if (length === buffer.length) {
      const larger = new Uint8Array(2 * buffer.length);
      larger.set(buffer);
      buffer = larger;
    }
    const { bytesRead } = await read(buffer, length);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
    if (length > maxBytes) {
      throw servingError("MESSAGE_TOO_LARGE", `it is longer than ${maxBytes} bytes`);
    }
  }
}
