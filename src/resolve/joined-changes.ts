import type { CancelTimer, Clock } from "../core/ports.js";

/** Changes that come within so long are told together. */
const WINDOW_MS = 50;

/** Tells of a change at once after quiet, and joins those that follow: each is told within 50 ms. */
export interface JoinedChanges {
  /** Something has changed; `patiently` also the first one waits. */
  note(options?: { readonly patiently?: boolean }): void;
  /** Whether there is something to tell. */
  readonly pending: boolean;
  /** Tells now what there is to tell. */
  flush(): void;
  /** Nothing more is told. */
  close(): void;
}

/** Makes one; `tell` is what tells of all that has changed. */
export function createJoinedChanges(clock: Clock, tell: () => void): JoinedChanges {
  let pending = false;
  let cancelTimer: CancelTimer | undefined;

  function wait(): void {
    cancelTimer = clock.after(
      WINDOW_MS,
      () => {
        cancelTimer = undefined;
        flush();
      },
      { background: true },
    );
  }

  function flush(): void {
    if (!pending) return;
    pending = false;
    if (cancelTimer === undefined) wait();
    tell();
  }

  return {
    get pending() {
      return pending;
    },
    note({ patiently = false } = {}) {
      pending = true;
      if (cancelTimer !== undefined) return;
      if (patiently) wait();
      else flush();
    },
    flush,
    close() {
      pending = false;
      cancelTimer?.();
      cancelTimer = undefined;
    },
  };
}
