import type { ServiceChannel } from "inferwire/client";
import { pace } from "../support/pace.js";

/** What is so, whatever a client believes; times as the system's clock has them. */
export interface Truth {
  /** Since when the engine has not been able to tell anything; undefined while all is well. */
  awaySinceMs: number | undefined;
  /** It is on its way back: whether the client has heard of that already is not looked at. */
  returning: boolean;
  /** Who is listed. */
  keys(): readonly string[];
}

/** What was seen of a list's staleness; all times in milliseconds. */
export interface Staleness {
  /** From each moment that the engine was away until the list was said to be stale. */
  readonly toldMs: readonly number[];
  /** How far the age that was told was from the true one, at each look. */
  readonly ageErrorsMs: readonly number[];
  /** Looks at which the list was not said to be stale, and yet lacked a change of more than a second before. */
  readonly lies: number;
  stop(): void;
}

const LOOK_EVERY_MS = 20;
const LIE_MS = 1_000;

/** Compares what a channel says of its list with what is so, all the time. */
export function watchStaleness(channel: ServiceChannel, truth: Truth): Staleness {
  const toldMs: number[] = [];
  const ageErrorsMs: number[] = [];
  let lies = 0;
  let toldOf: number | undefined;
  let right = truth.keys();
  let rightSinceMs = pace.now();

  function look(): void {
    const nowMs = pace.now();
    const { stale, confirmedAtMs, instances } = channel.snapshot();
    const { awaySinceMs, returning } = truth;
    const keys = truth.keys();
    if (keys.join() !== right.join()) {
      right = keys;
      rightSinceMs = nowMs;
    }
    const lacks = keys.some((key) => !instances.some((instance) => instance.key === key));
    if (!stale && lacks && nowMs - rightSinceMs > LIE_MS) lies++;
    if (returning) return;
    // While all is well the list is true this moment; while the engine is away, it was true when that began.
    ageErrorsMs.push(Math.abs((awaySinceMs ?? nowMs) - confirmedAtMs));
    if (awaySinceMs === undefined || !stale || toldOf === awaySinceMs) return;
    toldOf = awaySinceMs;
    toldMs.push(nowMs - awaySinceMs);
  }

  const timer = setInterval(look, LOOK_EVERY_MS);
  return {
    toldMs,
    ageErrorsMs,
    get lies() {
      return lies;
    },
    stop: () => clearInterval(timer),
  };
}
