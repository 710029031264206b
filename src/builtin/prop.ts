import { didYouMean } from "../core/nearest.js";
import { servingError } from "../core/serving-error.js";
import type { HostView, PropertyView } from "./host-view.js";

/** Most properties that one request sets. */
export const MAX_PROPERTIES = 1_000;

/** Longest value of a property, in characters. */
export const MAX_PROPERTY_LENGTH = 4_096;

/**
 * Reads properties, by name, ascending.
 *
 * @param names - Those to read; empty: all.
 * @throws HostError `UNKNOWN_PROPERTY` naming the first that does not exist.
 */
export function readProperties(host: HostView, names: readonly string[]): readonly PropertyView[] {
  const all = host.properties();
  if (names.length === 0) return all;
  const wanted = new Set(names);
  const found = all.filter(({ name }) => wanted.has(name));
  for (const { name } of found) wanted.delete(name);
  for (const missing of wanted) {
    throw unknownProperty(
      missing,
      all.map(({ name }) => name),
    );
  }
  return found;
}

/**
 * Sets properties, all of them or none; answers with those that were set.
 *
 * @throws HostError `UNKNOWN_PROPERTY`, `PROPERTY_REFUSED`; `MALFORMED_REQUEST` for none, too many or too long ones.
 */
export function writeProperties(
  host: HostView,
  values: ReadonlyMap<string, string>,
): readonly PropertyView[] {
  if (values.size === 0 || values.size > MAX_PROPERTIES) {
    throw servingError(
      "MALFORMED_REQUEST",
      `${values.size} properties to set, expected 1 to ${MAX_PROPERTIES}`,
    );
  }
  for (const [name, { length }] of values) {
    if (length > MAX_PROPERTY_LENGTH) {
      throw servingError(
        "MALFORMED_REQUEST",
        `the value of ${shortName(name)} has ${length} characters, at most ${MAX_PROPERTY_LENGTH} are taken`,
      );
    }
  }
  return host.setProperties(values);
}

/** The error for a property that does not exist. */
export function unknownProperty(name: string, known: Iterable<string>): Error {
  return servingError(
    "UNKNOWN_PROPERTY",
    `no property ${shortName(name)}${didYouMean(name, known)}`,
  );
}

function shortName(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}
