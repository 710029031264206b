import type { CancelTimer, Clock } from "../core/ports.js";

/** Something that ends at a time which may move into the future. */
export interface Expiring {
  /** On the clock of the expiry; never moved back. */
  expiresMs: number;
  /** Set when it has ended in another way. */
  gone: boolean;
}

/** What an expiry tells. */
export interface LeaseExpiryListener<L extends Expiring> {
  /** Told of what was not renewed in time, once. */
  onExpired(lease: L): void;
  /** Told that this process, or its machine, stood still: every lease has been moved by so long. */
  onStall(stallMs: number): void;
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

/** Time is looked at so often, so that nobody stands still unnoticed. */
const LOOK_MS = 1_000;

/** A timer that comes so much too late has not been kept waiting by work: nothing ran, and nobody could renew. */
const STALL_MS = 1_000;

/** Entries of leases that are gone are swept out when they are more than this and half of all. */
const SWEEP_FROM = 1_024;

/**
 * Makes an expiry with one timer for all leases.
 *
 * A lease is a promise to wait so long for a renewal. While this process is stopped, or its machine suspended, none can come: that
 * time does not count.
 *
 * A renewal costs nothing here: it moves the lease's time, and the entry in the heap finds that out when it comes up.
 */
export function createLeaseExpiry<L extends Expiring>(
  clock: Clock,
  { onExpired, onStall }: LeaseExpiryListener<L>,
): LeaseExpiry<L> {
  let heap: Entry<L>[] = [];
  let sweepAt = SWEEP_FROM;
  let cancelTimer: CancelTimer = () => {};
  let timerMs = Number.POSITIVE_INFINITY;
  let setMs = 0;
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
    const now = clock.now();
    if (now - timerMs > STALL_MS) {
      // It may have begun as soon as the timer was set.
      const stallMs = now - setMs;
      for (const { lease } of heap) lease.expiresMs += stallMs;
      onStall(stallMs);
    }
    timerMs = Number.POSITIVE_INFINITY;
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
    const firstMs = heap[0]?.dueMs;
    if (closed || firstMs === undefined) return;
    const now = clock.now();
    const dueMs = Math.max(now, Math.min(firstMs, now + LOOK_MS));
    if (dueMs >= timerMs) return;
    cancelTimer();
    timerMs = dueMs;
    setMs = now;
    cancelTimer = clock.after(dueMs - now, run, { background: true });
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
