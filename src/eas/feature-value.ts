import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import type { TorchRecFeature } from "../wire/torchrec.js";
import type { FeatureElement, FeatureKey, FeatureType } from "./feature-type.js";
import { isPlainObject } from "./request-checks.js";

/** One value of a feature. */
export type FeatureScalar = string | number | bigint;

/**
 * What a feature may be given as: one value; a list, or a typed array; a list of these; a Map or a plain object. Null, undefined,
 * an empty list and an empty map stand for a feature without a value.
 */
export type FeatureValue =
  | FeatureScalar
  | ArrayLike<FeatureScalar>
  | ArrayLike<ArrayLike<FeatureScalar>>
  | ReadonlyMap<FeatureScalar, FeatureScalar>
  | Readonly<Record<string, FeatureScalar>>
  | null
  | undefined;

const elementRanges = {
  int: { min: -(2n ** 31n), max: 2n ** 31n - 1n },
  long: { min: -(2n ** 63n), max: 2n ** 63n - 1n },
} as const;

const MAX_FLOAT = 3.4028234663852886e38;

/** How EAS spells a feature without a value, whatever its type. */
const emptyFeature: TorchRecFeature = { value: { $case: "stringFeature", value: "" } };

/**
 * Puts a value into TorchEasyRec's message.
 *
 * @param where - what the value is for, in errors
 * @throws ConfigError `INVALID_OPTION` naming the element that is not of the type, or outside its range.
 */
export function torchRecFeature(
  type: FeatureType,
  value: FeatureValue,
  where: string,
): TorchRecFeature {
  if (isEmpty(value)) return emptyFeature;
  const { form, element } = type;
  switch (form) {
    case "scalar":
      return feature(`${element}Feature`, featureScalar(element, value, where));
    case "list":
      return feature(`${element}List`, { features: listOf(element, value, where) });
    case "lists": {
      const lists = elementsOf(value, where).map((inner, index) => ({
        features: listOf(element, inner, `${where}[${index}]`),
      }));
      return feature(`${element}Lists`, { lists });
    }
    case "map": {
      const mapField = mapOf(type.key, element, value, where);
      return feature(`${type.key}${capitalised(element)}Map`, { mapField });
    }
  }
}

/** Checks one value, and makes it what the message holds: longs are bigints. */
export function featureScalar(
  element: FeatureElement,
  value: unknown,
  where: string,
): FeatureScalar {
  switch (element) {
    case "string":
      if (typeof value === "string") return value;
      throw unfit(value, where, "a text");
    case "int":
      return Number(integerOf(element, value, where));
    case "long":
      return integerOf(element, value, where);
    case "float":
      if (typeof value === "number" && !(Number.isFinite(value) && Math.abs(value) > MAX_FLOAT)) {
        return value;
      }
      throw unfit(value, where, "a number in the range of a 32-bit float");
    case "double":
      if (typeof value === "number") return value;
      throw unfit(value, where, "a number");
  }
}

function integerOf(element: "int" | "long", value: unknown, where: string): bigint {
  const { min, max } = elementRanges[element];
  const integer = Number.isSafeInteger(value) ? BigInt(value as number) : value;
  if (typeof integer === "bigint" && integer >= min && integer <= max) return integer;
  const exact = typeof value === "number" && Math.abs(value) >= 2 ** 53 ? " (as a bigint)" : "";
  throw unfit(value, where, `an integer from ${min} to ${max}${exact}`);
}

function listOf(element: FeatureElement, value: unknown, where: string): FeatureScalar[] {
  return elementsOf(value, where).map((each, index) =>
    featureScalar(element, each, `${where}[${index}]`),
  );
}

/** Checks that a value is a list, or a typed array. */
export function elementsOf(value: unknown, where: string): readonly unknown[] {
  if (isList(value)) return Array.from(value);
  throw unfit(value, where, "a list");
}

function mapOf(
  keyType: FeatureKey,
  element: FeatureElement,
  value: unknown,
  where: string,
): ReadonlyMap<FeatureScalar, FeatureScalar> {
  if (!(value instanceof Map) && !isPlainObject(value)) {
    throw unfit(value, where, "a Map or a plain object");
  }
  const map = new Map<FeatureScalar, FeatureScalar>();
  for (const [key, each] of value instanceof Map ? value : Object.entries(value)) {
    const place = `${where}[${seen(key)}]`;
    map.set(
      featureScalar(keyType, keyFrom(keyType, key), `key of ${place}`),
      featureScalar(element, each, place),
    );
  }
  return map;
}

/** Integer keys may be texts: a plain object has no others. */
function keyFrom(keyType: FeatureKey, key: unknown): unknown {
  if (keyType === "string" || typeof key !== "string") return key;
  const digits = key.trim();
  return /^[+-]?\d{1,20}$/.test(digits) ? BigInt(digits.replace("+", "")) : key;
}

/** One assertion for thirty cases that differ in nothing but their names; the tests walk all of them. */
function feature(name: string, value: unknown): TorchRecFeature {
  return { value: { $case: name, value } as TorchRecFeature["value"] };
}

function isEmpty(value: FeatureValue): boolean {
  if (value === null || value === undefined) return true;
  if (value instanceof Map) return value.size === 0;
  if (isList(value)) return value.length === 0;
  return isPlainObject(value) && Object.keys(value).length === 0;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function capitalised(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}

function unfit(value: unknown, where: string, expected: string): Error {
  return servingError("INVALID_OPTION", `${where} is ${seen(value)}, expected ${expected}`);
}
