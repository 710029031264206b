import type { CancelTimer, Clock } from "../core/ports.js";

/** Something that ends at a time which may move into the future. */
export interface Expiring {
  /** On the clock of the expiry; never moved back. */
  expiresMs: number;
  /** Set when it has ended in another way. */
  gone: boolean;
}

/** Ends what is not renewed in time. */
export interface LeaseExpiry<L extends Expiring> {
  add(lease: L): void;
  /** Waits for no more. */
  close(): void;
}

interface Entry<L> {
  /** When to look again: never later than the lease's own time. */
  readonly dueMs: number;
  readonly lease: L;
}

/** Entries of leases that are gone are swept out when they are more than this and half of all. */
const SWEEP_FROM = 1_024;

/**
 * Makes an expiry with one timer for all leases.
 *
 * A renewal costs nothing here: it moves the lease's time, and the entry in the heap finds that out when it comes up.
 */
export function createLeaseExpiry<L extends Expiring>(
  clock: Clock,
  onExpired: (lease: L) => void,
): LeaseExpiry<L> {
  let heap: Entry<L>[] = [];
  let sweepAt = SWEEP_FROM;
  let cancelTimer: CancelTimer = () => {};
  let timerMs = Number.POSITIVE_INFINITY;
  let closed = false;

  function push(entry: Entry<L>): void {
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || parent.dueMs <= entry.dueMs) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  function pop(): void {
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    while (true) {
      const child = lesserChild(index);
      const entry = heap[child];
      if (entry === undefined || entry.dueMs >= last.dueMs) break;
      heap[index] = entry;
      index = child;
    }
    heap[index] = last;
  }

  function lesserChild(index: number): number {
    const left = 2 * index + 1;
    const leftDue = heap[left]?.dueMs ?? Number.POSITIVE_INFINITY;
    const rightDue = heap[left + 1]?.dueMs ?? Number.POSITIVE_INFINITY;
    return rightDue < leftDue ? left + 1 : left;
  }

  /** Registering and giving back in turns would otherwise fill the heap faster than time empties it. */
  function sweep(): void {
    if (heap.length < sweepAt) return;
    // A sorted list is a heap.
    heap = heap.filter((entry) => !entry.lease.gone).sort((a, b) => a.dueMs - b.dueMs);
    sweepAt = Math.max(SWEEP_FROM, 2 * heap.length);
  }

  function run(): void {
    timerMs = Number.POSITIVE_INFINITY;
    const now = clock.now();
    for (let next = heap[0]; next !== undefined && next.dueMs <= now; next = heap[0]) {
      pop();
      const { lease } = next;
      if (lease.gone) continue;
      if (lease.expiresMs > now) push({ dueMs: lease.expiresMs, lease });
      else onExpired(lease);
    }
    schedule();
  }

  function schedule(): void {
    const dueMs = heap[0]?.dueMs;
    if (closed || dueMs === undefined || dueMs >= timerMs) return;
    cancelTimer();
    timerMs = dueMs;
    cancelTimer = clock.after(Math.max(0, dueMs - clock.now()), run, { background: true });
  }

  return {
    add(lease) {
      sweep();
      push({ dueMs: lease.expiresMs, lease });
      schedule();
    },
    close() {
      closed = true;
      cancelTimer();
    },
  };
}
