import { didYouMean } from "../core/nearest.js";
import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";

/** What one value of a feature is: `int` has 32 bits, `long` has 64. */
export type FeatureElement = "int" | "long" | "string" | "float" | "double";

/** What can be the key of a map. */
export type FeatureKey = Extract<FeatureElement, "int" | "long" | "string">;

/** What a dtype text of the EAS SDKs stands for. */
export type FeatureType =
  | { readonly form: "scalar" | "list" | "lists"; readonly element: FeatureElement }
  | { readonly form: "map"; readonly key: FeatureKey; readonly element: FeatureElement };

const elements: Readonly<Record<string, FeatureElement>> = {
  STRING: "string",
  INT: "int",
  BIGINT: "long",
  INT64: "long",
  FLOAT: "float",
  DOUBLE: "double",
};

const forms = "STRING, INT, BIGINT, INT64, FLOAT, DOUBLE, LIST<x>, LIST<LIST<x>>, MAP<k,v>";

/**
 * Reads a dtype text: one of STRING, INT, BIGINT, INT64, FLOAT, DOUBLE; LIST or ARRAY of them, or of a LIST or ARRAY of them; MAP
 * from a STRING, INT or BIGINT to one of them. Case and blanks do not matter.
 *
 * @throws ConfigError `INVALID_OPTION` with the nearest word for any other text.
 */
export function featureType(text: string): FeatureType {
  if (typeof text !== "string") throw unknownDtype(text, `, expected one of ${forms}`);
  const compact = text.replaceAll(/\s/g, "").toUpperCase();
  const map = /^MAP<([^,<>]*),([^,<>]*)>$/.exec(compact);
  if (map !== null) {
    return { form: "map", key: keyOf(text, map[1] ?? ""), element: elementOf(text, map[2] ?? "") };
  }
  const list = /^(?:LIST|ARRAY)<(.*)>$/.exec(compact)?.[1];
  if (list === undefined) return { form: "scalar", element: elementOf(text, compact) };
  const inner = /^(?:LIST|ARRAY)<(.*)>$/.exec(list)?.[1];
  return inner === undefined
    ? { form: "list", element: elementOf(text, list) }
    : { form: "lists", element: elementOf(text, inner) };
}

function elementOf(text: string, word: string): FeatureElement {
  const element = Object.hasOwn(elements, word) ? elements[word] : undefined;
  if (element !== undefined) return element;
  if (/[<>,]/.test(word)) throw unknownDtype(text, `, expected one of ${forms}`);
  throw unknownDtype(text, `: ${seen(word)} is no type${didYouMean(word, Object.keys(elements))}`);
}

function keyOf(text: string, word: string): FeatureKey {
  const key = elementOf(text, word);
  if (key !== "float" && key !== "double") return key;
  throw unknownDtype(text, ", expected STRING, INT or BIGINT for the keys");
}

function unknownDtype(text: unknown, expected: string): Error {
  return servingError("INVALID_OPTION", `dtype is ${seen(text)}${expected}`);
}
