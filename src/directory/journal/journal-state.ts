import type { Clock } from "../../core/ports.js";
import { isServingError } from "../../core/serving-error.js";
import {
  createLeaseBook,
  type HeldLease,
  type LeaseBook,
  type LeaseBookOptions,
} from "../lease-book.js";
import { createServiceTable, type ServiceTable } from "../service-table.js";
import type { TableBounds } from "../table-bounds.js";
import { type JournalRecord, lineFromRecord } from "./journal-record.js";

/** What the journal says. */
export interface JournalState {
  readonly table: ServiceTable<HeldLease>;
  readonly leases: LeaseBook;
  readonly replay: (record: JournalRecord) => void;
  /** From now on there is a store: lets it know what happens. Every lease holds for its whole time. */
  readonly begin: (on: Pick<LeaseBookOptions, "onEvent" | "onDue" | "onStall">) => void;
}

/** Makes the state of an empty journal. */
export function createJournalState({
  clock,
  bounds,
}: {
  readonly clock: Clock;
  readonly bounds?: TableBounds;
}): JournalState {
  const table = createServiceTable<HeldLease>({ bounds });
  let onEvent: LeaseBookOptions["onEvent"] = () => {};
  let onDue: LeaseBookOptions["onDue"] = (lease) => {
    lease.expiresMs = clock.now() + lease.ttlMs;
    leases.wait(lease);
  };
  let onStall: LeaseBookOptions["onStall"] = () => {};
  const leases = createLeaseBook({
    table,
    clock,
    onEvent: (lease, event) => onEvent(lease, event),
    onDue: (lease) => onDue(lease),
    onStall: (stallMs) => onStall(stallMs),
  });
  return {
    table,
    leases,
    replay(record) {
      try {
        replay(record, table, leases);
      } catch (thrown) {
        // What found no room when its turn came was refused then, too.
        if (!isServingError(thrown)) throw thrown;
      }
    },
    begin(on) {
      ({ onEvent, onDue, onStall } = on);
      leases.renewAll();
    },
  };
}

function replay(record: JournalRecord, table: ServiceTable<HeldLease>, leases: LeaseBook): void {
  switch (record.type) {
    case "register":
      leases.register(record, record.id);
      return;
    case "end":
      leases.end(record.id, "deregistered");
      return;
    case "weight":
      table.setWeight(record);
      return;
    case "traffic":
      table.setTraffic(record);
      return;
    case "known":
      table.setKnown(record.service);
  }
}

/** The lines of a journal that says what a table knows; those that make a group come last, as a service may not follow it. */
export function* linesOf(table: ServiceTable<HeldLease>): Iterable<string> {
  for (const service of table.knownServices()) yield lineFromRecord({ type: "known", service });
  for (const weight of table.weights()) yield lineFromRecord({ type: "weight", ...weight });
  for (const { id, service, instance, ttlMs, holder } of table.registrations()) {
    yield lineFromRecord({ type: "register", id, service, instance, ttlMs, holder });
  }
  for (const traffic of table.traffic()) yield lineFromRecord({ type: "traffic", ...traffic });
}
