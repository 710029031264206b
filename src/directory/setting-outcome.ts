import type { Logger } from "../core/ports.js";
import type { TrafficSetting, WeightSetting } from "../wire/upstream-registration.js";
import type { HeldRegistration } from "./service-entry.js";
import type { ServiceTable } from "./service-table.js";
import type { WeightOutcome } from "./store.js";

/** What is answered to an operator's weight once it holds. */
export function weightOutcome(
  table: ServiceTable<HeldRegistration>,
  { service, instance }: WeightSetting,
): WeightOutcome {
  const registered = table.registration(service, instance) !== undefined;
  return { registered, version: table.list(service).version };
}

/** Notes an operator's weight that has changed something. */
export function logWeight(logger: Logger, { service, instance, weight }: WeightSetting): void {
  logger.info({ service, instance, weight: weight ?? "as registered" }, "weight set");
}

/** Notes shares of a group that have changed something. */
export function logTraffic(logger: Logger, { group, shares }: TrafficSetting): void {
  logger.info({ group, shares: Object.fromEntries(shares) }, "traffic shared out");
}
