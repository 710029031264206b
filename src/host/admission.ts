import type { Invocation } from "../core/invocation.js";
import { type ServingError, servingError } from "../core/serving-error.js";

/** Gives the place of an admitted call back; once. */
export type Release = () => void;

/** How much a host takes on. */
export interface AdmissionOptions {
  /** Calls in progress at a time. */
  readonly maxRunning: number;
  readonly maxQueueLength: number;
  readonly maxQueueBytes: number;
}

/** Lets calls in: so many at a time, a bounded number waits, in order of arrival. */
export interface Admission {
  readonly running: number;
  readonly queueLength: number;
  readonly queueBytes: number;
  /** Resolves when nothing runs; at once when nothing does. */
  idle(): Promise<void>;
  /**
   * Gives a place at once, or when one is free.
   *
   * @throws HostError `QUEUE_FULL` at once; the invocation's abort reason when it is given up before or while it waits.
   */
  enter(invocation: Invocation): Release | Promise<Release>;
}

interface Waiting {
  readonly bytes: number;
  readonly admit: () => void;
}

/** Makes the admission of a host. */
export function createAdmission(options: AdmissionOptions): Admission {
  const { maxRunning, maxQueueLength, maxQueueBytes } = options;
  // A Set keeps the order of arrival and lets a call that is given up leave from anywhere.
  const queue = new Set<Waiting>();
  let running = 0;
  let queueBytes = 0;

  const idle = new Set<() => void>();

  const release: Release = () => {
    running--;
    const [next] = queue;
    if (next !== undefined) next.admit();
    else if (running === 0) {
      for (const resolve of idle) resolve();
      idle.clear();
    }
  };
  const leave = (waiting: Waiting): void => {
    queue.delete(waiting);
    queueBytes -= waiting.bytes;
  };
  const refusal = (bytes: number): ServingError | undefined => {
    if (queue.size >= maxQueueLength) {
      return servingError(
        "QUEUE_FULL",
        `${queue.size} calls are waiting, at most ${maxQueueLength} may`,
      );
    }
    if (queueBytes + bytes > maxQueueBytes) {
      return servingError(
        "QUEUE_FULL",
        `waiting calls hold ${queueBytes} bytes, this one has ${bytes}, at most ${maxQueueBytes} may be held`,
      );
    }
    return undefined;
  };
  const wait = (invocation: Invocation, bytes: number): Promise<Release> =>
    new Promise((resolve, reject) => {
      const waiting: Waiting = {
        bytes,
        admit() {
          leave(waiting);
          takeBack();
          running++;
          resolve(release);
        },
      };
      const takeBack = invocation.abort.onAbort((reason) => {
        leave(waiting);
        reject(reason);
      });
      queue.add(waiting);
      queueBytes += bytes;
    });

  return {
    get running() {
      return running;
    },
    get queueLength() {
      return queue.size;
    },
    get queueBytes() {
      return queueBytes;
    },
    idle() {
      if (running === 0) return Promise.resolve();
      return new Promise((resolve) => {
        idle.add(resolve);
      });
    },
    enter(invocation) {
      if (invocation.abort.reason !== undefined) throw invocation.abort.reason;
      if (running < maxRunning) {
        running++;
        return release;
      }
      const { payloads } = invocation;
      const bytes = payloads instanceof Uint8Array ? payloads.byteLength : 0;
      const full = refusal(bytes);
      if (full !== undefined) throw full;
      return wait(invocation, bytes);
    },
  };
}
