import { isRecord } from "../core/record.js";
import type { HostOptions } from "./host-options.js";

/** By a registered symbol, so that a second copy of the package finds it too. */
const GIVEN_OPTIONS = Symbol.for("inferwire.given-options");

/** Notes the options that a processor was constructed with: `inferwire serve` lays them over its own sources. */
export function keepGivenOptions(processor: object, options: HostOptions): void {
  Object.defineProperty(processor, GIVEN_OPTIONS, { value: options });
}

/** The options that a processor was constructed with; none for an object that only has the methods of one. */
export function givenOptions(processor: object): HostOptions {
  const given: unknown = Reflect.get(processor, GIVEN_OPTIONS);
  return isRecord(given) ? given : {};
}
