import type { FileAccess } from "../../src/resolve/file-access.js";

/** A file system of one file, in the hands of a test. */
export interface FakeFiles extends FileAccess {
  /** What is in the file; an error is what every access fails with, `never` leaves them without an end. */
  content: string | Error | "never";
  readonly reads: number;
  readonly looks: number;
  /** Watches that have not been ended. */
  readonly watches: number;
  /** From now on the folder cannot be watched. */
  unwatchable: boolean;
  /** Something has happened in the folder. */
  event(name?: string): void;
}

/** Makes a file system without the file. */
export function createFakeFiles(): FakeFiles {
  const listeners = new Set<(name: string | undefined) => void>();
  const access = <T>(value: (content: string) => T): Promise<T> => {
    const { content } = files;
    if (content instanceof Error) return Promise.reject(content);
    if (content === "never") return new Promise(() => {});
    return Promise.resolve(value(content));
  };
  const files = {
    content: new Error("ENOENT: no such file") as FakeFiles["content"],
    reads: 0,
    looks: 0,
    unwatchable: false,
    get watches() {
      return listeners.size;
    },
    event(name?: string) {
      for (const listener of listeners) listener(name);
    },
    look() {
      files.looks += 1;
      return access((content) => content);
    },
    read() {
      files.reads += 1;
      return access((content) => new TextEncoder().encode(content));
    },
    watch(_folder: string, onEvent: (name: string | undefined) => void) {
      if (files.unwatchable) throw new Error("ENOSPC: no watches left");
      listeners.add(onEvent);
      return () => listeners.delete(onEvent);
    },
  };
  return files;
}
