import { sharesFromJson } from "../../core/group-name.js";
import { weightProblem } from "../../core/instance.js";

/** A value of etcd's as JSON; undefined when it is none. */
export function jsonFromValue(value: Uint8Array): unknown {
  try {
    return JSON.parse(
      Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8"),
    );
  } catch {
    return undefined;
  }
}

/** Writes an operator's weight. */
export function weightValue(weight: number): Uint8Array {
  return Buffer.from(JSON.stringify(weight));
}

/** Reads an operator's weight; undefined when it makes no sense. */
export function weightFromValue(value: Uint8Array): number | undefined {
  const weight = jsonFromValue(value);
  return typeof weight === "number" && weightProblem(weight) === undefined ? weight : undefined;
}

/** Writes the traffic shares of a group. */
export function sharesValue(shares: ReadonlyMap<string, number>): Uint8Array {
  return Buffer.from(JSON.stringify(Object.fromEntries(shares)));
}

/** Reads the traffic shares of a group; undefined when they make no sense. */
export function sharesFromValue(
  group: string,
  value: Uint8Array,
): ReadonlyMap<string, number> | undefined {
  return sharesFromJson(group, jsonFromValue(value));
}
