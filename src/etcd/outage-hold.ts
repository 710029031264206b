import type { CancelTimer, Clock } from "../core/ports.js";

/** A silence that a lease may not have outlived; shorter ones end none that is renewed in time. */
const OUTAGE_MS = 2_000;

/**
 * Tells for how long after an outage it cannot be known whether what ends has been given up: as long as etcd was away, nobody could
 * renew a lease.
 */
export interface OutageHold {
  /** Whether what ends under a lease may still be there. */
  readonly holding: boolean;
  /** etcd has said something; called before what it has said is looked at. */
  heard(): void;
  /** Ends it without a word. */
  close(): void;
}

/** What a hold is made of. */
export interface OutageHoldOptions {
  readonly clock: Clock;
  /** Within so long of etcd's return those who live have renewed or registered anew. */
  readonly holdMs: number;
  /** The hold is over: who has not come back is gone. */
  onEnd(): void;
}

/**
 * Makes a hold; it begins when etcd is heard after a silence of 2 s and more, anew after every one. That this process itself was
 * stopped or busy is such a silence, too.
 */
export function createOutageHold({ clock, holdMs, onEnd }: OutageHoldOptions): OutageHold {
  let heardAtMs = Number.POSITIVE_INFINITY;
  let holding = false;
  let cancelTimer: CancelTimer = () => {};

  const silent = (): boolean => clock.now() - heardAtMs >= OUTAGE_MS;

  function begin(): void {
    cancelTimer();
    holding = true;
    cancelTimer = clock.after(
      holdMs,
      () => {
        // Away again: the hold begins anew when it is back.
        if (silent()) return;
        holding = false;
        onEnd();
      },
      { background: true },
    );
  }

  return {
    get holding() {
      return holding;
    },
    heard() {
      if (silent()) begin();
      heardAtMs = clock.now();
    },
    close: () => cancelTimer(),
  };
}
