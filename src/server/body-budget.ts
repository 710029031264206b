import { servingError } from "../core/serving-error.js";

/** Bytes of bodies that are being received on a port, all together. */
export interface BodyBudget {
  /**
   * Takes bytes into account.
   *
   * @throws HostError `QUEUE_FULL` when the port holds too many already.
   */
  take(bytes: number): void;
  /** Gives bytes back: their body has been handed over, or dropped. */
  give(bytes: number): void;
}

/** Makes the budget of a port. */
export function createBodyBudget(maxBytes: number): BodyBudget {
  let held = 0;
  return {
    take(bytes) {
      if (held + bytes > maxBytes) {
        throw servingError(
          "QUEUE_FULL",
          `bodies being received hold ${held} bytes, at most ${maxBytes} may be held`,
        );
      }
      held += bytes;
    },
    give(bytes) {
      held -= bytes;
    },
  };
}
