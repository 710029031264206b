import type { CancelTimer, Clock, Logger } from "../core/ports.js";
import { SETTLE_MS } from "../wire/upstream.js";
import type { HeldRegistration } from "./service-entry.js";
import type { ServiceTable } from "./service-table.js";

/** Lets lists be settled once every instance that runs has had the time to register or renew. */
export interface Settling {
  /** Says that who is missing may come yet, for the time that is needed from now on. */
  begin(): void;
  /** Tells of a time in which nobody could register or renew, and begins. */
  onStall(stallMs: number): void;
  /** Waits for no more. */
  close(): void;
}

/** Makes the settling of a table's lists; they stay as they are until it begins. */
export function createSettling(
  table: ServiceTable<HeldRegistration>,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Settling {
  let cancelTimer: CancelTimer = () => {};

  function begin(): void {
    table.setSettled(false);
    cancelTimer();
    cancelTimer = clock.after(SETTLE_MS, () => table.setSettled(true), { background: true });
  }

  return {
    begin,
    onStall(stallMs) {
      logger.warn(
        { stallMs: Math.round(stallMs) },
        "the directory or its machine stood still: nobody could renew, so all leases hold that much longer",
      );
      begin();
    },
    close: () => cancelTimer(),
  };
}
