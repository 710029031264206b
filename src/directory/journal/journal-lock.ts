import { lstatSync, type Stats, unlinkSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { servingError } from "../../core/serving-error.js";
import { errnoOf } from "./journal-file.js";

/** The shortest that a system takes for the path of a unix socket: macOS. */
const MAX_SOCKET_PATH_BYTES = 103;

const SUFFIX = ".lock";

/** Keeps other processes away from a journal. */
export interface JournalLock {
  release(): Promise<void>;
}

/**
 * Locks a journal by a unix socket beside it: its owner listens there as long as it lives, so that a lock never outlives who
 * holds it, however it ends. It holds for processes of one machine.
 *
 * @throws ConfigError `INVALID_OPTION` when the path is too long for a socket; HostError `STORE_IN_USE`.
 */
export async function lockJournal(path: string): Promise<JournalLock> {
  const socketPath = `${path}${SUFFIX}`;
  const bytes = Buffer.byteLength(socketPath);
  if (bytes > MAX_SOCKET_PATH_BYTES) {
    const most = MAX_SOCKET_PATH_BYTES - SUFFIX.length;
    throw servingError(
      "INVALID_OPTION",
      `store is "file:${path}", a path of ${bytes - SUFFIX.length} bytes, expected at most ${most}: a unix socket beside it is the lock`,
    );
  }
  const server =
    (await listen(socketPath)) ??
    ((await clearAway(path, socketPath)) && (await listen(socketPath)));
  if (server === undefined || server === false) throw inUse(path);
  return {
    release: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}

function inUse(path: string): Error {
  return servingError("STORE_IN_USE", `the journal ${path} is open in another process`);
}

/** @returns undefined when something is there already */
function listen(socketPath: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.on("error", (error) => {
      if (errnoOf(error) === "EADDRINUSE") resolve(undefined);
      else reject(lockError(socketPath, error));
    });
    server.listen(socketPath, () => resolve(server));
  });
}

/** Removes the socket of a dead owner. */
async function clearAway(path: string, socketPath: string): Promise<boolean> {
  const seen = statOf(socketPath);
  if (seen === undefined) return true;
  if (!seen.isSocket()) {
    throw servingError("STORE_FAILED", `${socketPath} is in the way of the lock, and no socket`);
  }
  if (await answers(socketPath)) throw inUse(path);
  // Another process may have done the same meanwhile and listen by now; nothing else runs between these two calls.
  const now = statOf(socketPath);
  if (now === undefined) return true;
  if (now.ino !== seen.ino || now.ctimeMs !== seen.ctimeMs) throw inUse(path);
  unlinkSync(socketPath);
  return true;
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", (error) => {
      const errno = errnoOf(error);
      if (errno === "ECONNREFUSED" || errno === "ENOENT") resolve(false);
      // Its queue is full, or it closes while we come: it lives.
      else if (errno === "EAGAIN" || errno === "ECONNRESET" || errno === "EPIPE") resolve(true);
      else reject(lockError(socketPath, error));
    });
  });
}

function lockError(socketPath: string, cause: Error): Error {
  const message = `the lock ${socketPath} cannot be taken: ${cause.message}`;
  return servingError("STORE_FAILED", message, { cause });
}
