import { checkNumber } from "../core/options.js";
import { servingError } from "../core/serving-error.js";

/** Reads a whole request that an app already has in bytes. */
export function messageFrom<Message>(
  type: { decode(bytes: Uint8Array): Message },
  bytes: Uint8Array,
): Message {
  try {
    return type.decode(bytes);
  } catch (cause) {
    throw servingError("INVALID_OPTION", "message is no serialised request of the service", {
      cause,
    });
  }
}

/** Checks the number of neighbours to find. */
export function checkNeighbourCount(count: number): number {
  return checkNumber(count, "faissNeighNum", { min: 0, max: 2 ** 31 - 1 });
}

/** Checks the level of what a service tells besides. */
export function checkDebugLevel(level: number): number {
  return checkNumber(level, "debugLevel", { min: -(2 ** 31), max: 2 ** 31 - 1 });
}

/** Tells an object of features from others: a Set, say, has no keys either, and must not be taken for something empty. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Object.prototype, of whatever realm, is the prototype that has none.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
