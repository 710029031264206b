import { addressText, type Instance } from "../core/instance.js";
import type { Logger } from "../core/ports.js";
import type { HeldRegistration } from "./service-entry.js";

/**
 * What a registration means to who reads the log; undefined when it says what was said before.
 *
 * @param before - who held the name
 * @param sameHolder - whether that was the same registrant
 */
export function registrationEvent(
  before: HeldRegistration | undefined,
  now: HeldRegistration,
  sameHolder: boolean,
): string | undefined {
  if (before === undefined) return "registered";
  if (!sameHolder) return "registered, taking over";
  return sameInstance(before.instance, now.instance) ? undefined : "registered again, changed";
}

/** Notes what happens to a registration. */
export function logRegistration(
  logger: Logger,
  { service, instance }: HeldRegistration,
  event: string,
): void {
  const { name, host, port, weight } = instance;
  logger.info({ service, instance: name, address: addressText(host, port), weight }, event);
}

/** Of two instances of one name. */
export function sameInstance(a: Instance, b: Instance): boolean {
  return a.key === b.key && a.weight === b.weight && a.app === b.app;
}
