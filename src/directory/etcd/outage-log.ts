import type { CancelTimer, Clock, Logger } from "../../core/ports.js";
import type { ServingError } from "../../core/serving-error.js";

/** What is back sooner is not worth a line: an etcd that stutters would write them all night. */
const TELL_AFTER_MS = 3_000;

/** Tells the log of outages: one line when one lasts, one when it is over. */
export interface OutageLog {
  /** Away since now, or still, and why. */
  away(error: ServingError): void;
  /** It answers. */
  back(): void;
  close(): void;
}

/** Makes the log of a store. */
export function createOutageLog(clock: Clock, logger: Logger): OutageLog {
  let why: ServingError | undefined;
  let told = false;
  let cancelTimer: CancelTimer = () => {};

  return {
    away(error) {
      const began = why === undefined;
      why = error;
      if (!began) return;
      cancelTimer = clock.after(
        TELL_AFTER_MS,
        () => {
          told = true;
          logger.warn(
            { reason: why?.message },
            "etcd does not answer: the lists are the last that are known",
          );
        },
        { background: true },
      );
    },
    back() {
      if (why === undefined) return;
      why = undefined;
      cancelTimer();
      if (told) logger.info({}, "etcd is back");
      told = false;
    },
    close: () => cancelTimer(),
  };
}
