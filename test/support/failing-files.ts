import {
  type JournalFiles,
  type JournalHandle,
  machineFiles,
} from "../../src/directory/journal/journal-file.js";

/** What a journal does with files, reading and closing aside. */
export type FileStep = "open" | "write" | "truncate" | "datasync" | "sync" | "rename" | "unlink";

/** A file system that fails when it is told to, and counts. */
export interface FailingFiles extends JournalFiles {
  /** Every step so far, in order, failed ones included. */
  readonly steps: FileStep[];
  /** Asked before every step: an errno to fail with. A write that fails has written half. */
  failing: (step: FileStep) => string | undefined;
  /** Asked before every step of an open file: what it waits for. */
  holding: (step: FileStep) => Promise<void> | undefined;
}

/** Makes the machine's files, with nothing that fails yet. */
export function createFailingFiles(): FailingFiles {
  const files: FailingFiles = {
    steps: [],
    failing: () => undefined,
    holding: () => undefined,
    lstat: (path) => machineFiles.lstat(path),
    async open(path, flags, mode) {
      attempt("open");
      return wrap(await machineFiles.open(path, flags, mode));
    },
    async rename(from, to) {
      attempt("rename");
      await machineFiles.rename(from, to);
    },
    async unlink(path) {
      attempt("unlink");
      await machineFiles.unlink(path);
    },
  };

  function attempt(step: FileStep): void {
    files.steps.push(step);
    const errno = files.failing(step);
    if (errno !== undefined) throw Object.assign(new Error(`${errno}: ${step}`), { code: errno });
  }

  function wrap(handle: JournalHandle): JournalHandle {
    return {
      read: (...args) => handle.read(...args),
      async write(buffer, offset, length, position) {
        await files.holding("write");
        try {
          attempt("write");
        } catch (thrown) {
          await handle.write(buffer, offset, length >> 1, position);
          throw thrown;
        }
        return handle.write(buffer, offset, length, position);
      },
      stat: () => handle.stat(),
      async truncate(bytes) {
        await files.holding("truncate");
        attempt("truncate");
        await handle.truncate(bytes);
      },
      async datasync() {
        await files.holding("datasync");
        attempt("datasync");
        await handle.datasync();
      },
      async sync() {
        await files.holding("sync");
        attempt("sync");
        await handle.sync();
      },
      close: () => handle.close(),
    };
  }

  return files;
}
