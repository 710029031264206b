import type { Sample, SampledSecond } from "../builtin/sample-store.js";
import { seen } from "../core/options.js";
import { isRecord } from "../core/record.js";
import { servingError } from "../core/serving-error.js";

/**
 * Reads what `prop` is told: an object of names with texts, numbers or booleans.
 *
 * @throws HostError `MALFORMED_REQUEST`.
 */
export function propertiesFromJson(body: Uint8Array): ReadonlyMap<string, string> {
  const value = parsed(body);
  if (!isRecord(value)) throw malformed(`${seen(value)}, expected an object of names with values`);
  const properties = new Map<string, string>();
  for (const [name, given] of Object.entries(value)) {
    if (!isScalar(given)) {
      throw malformed(`${seen(name)} is ${seen(given)}, expected a text, a number, true or false`);
    }
    properties.set(name, String(given));
  }
  return properties;
}

/**
 * Reads what `realtime_metrics` is sent: EAS's list of `{"name", "value", "tags"?}`.
 *
 * @throws HostError `MALFORMED_REQUEST`.
 */
export function samplesFromJson(body: Uint8Array): readonly Sample[] {
  const value = parsed(body);
  if (!Array.isArray(value)) throw malformed(`${seen(value)}, expected a list of samples`);
  return value.map((one: unknown, index) => sampleFrom(one, index));
}

function sampleFrom(one: unknown, index: number): Sample {
  const wrong = (problem: string): Error => malformed(`sample ${index}: ${problem}`);
  if (!isRecord(one)) throw wrong(`${seen(one)}, expected an object`);
  const { name, value, tags = {} } = one;
  if (typeof name !== "string") throw wrong(`name is ${seen(name)}, expected a text`);
  if (typeof value !== "number") throw wrong(`value is ${seen(value)}, expected a number`);
  if (!isRecord(tags)) throw wrong(`tags is ${seen(tags)}, expected an object of texts`);
  const pairs = Object.entries(tags).map(([tag, text]) => {
    if (typeof text !== "string") throw wrong(`tag ${seen(tag)} is ${seen(text)}, expected a text`);
    return [tag, text] as const;
  });
  return { name, value, tags: new Map(pairs) };
}

/**
 * Reads what `term` is told: nothing, or `{"gracePeriodMs": NUMBER}`.
 *
 * @throws HostError `MALFORMED_REQUEST`.
 */
export function graceFromJson(body: Uint8Array): number | undefined {
  if (body.length === 0) return undefined;
  const value = parsed(body);
  const grace = isRecord(value) ? value["gracePeriodMs"] : undefined;
  if (typeof grace === "number") return grace;
  throw malformed(`${seen(value)}, expected nothing, or {"gracePeriodMs": NUMBER}`);
}

/** A second's points as JSON shows them. */
export function secondToJson({ second, points }: SampledSecond): object {
  return {
    second: new Date(second * 1_000).toISOString(),
    points: points.map(({ tags, ...point }) => ({ ...point, tags: Object.fromEntries(tags) })),
  };
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch (cause) {
    // Without the parser's own words: they quote the body.
    throw servingError("MALFORMED_REQUEST", "the body is not JSON", { cause });
  }
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function malformed(problem: string): Error {
  return servingError("MALFORMED_REQUEST", `the body is not what is expected: ${problem}`);
}
