import { DEFAULT_WEIGHT, type Instance } from "../core/instance.js";
import { seen } from "../core/options.js";
import { isRecord } from "../core/record.js";
import { servingError } from "../core/serving-error.js";
import { integerWeights } from "./integer-weights.js";
import { noneMakesSense } from "./left-out.js";
import { takeUpstreamItems, type UpstreamItem, type UpstreamItems } from "./upstream-item.js";

/**
 * Where EAS SDKs ask for the instances of a service, its name behind: Go, Java and Python up to 0.33 the first, Python
 * from 0.34 on the second.
 */
export const upstreamPaths: readonly string[] = [
  "/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/",
  "/api/v1/servicediscovery/upstreams/",
];

/** A discovery answer, read. */
export interface UpstreamAnswer extends UpstreamItems {
  /** Names of the services that share the entry. */
  readonly correlative: readonly string[];
}

/**
 * Reads the discovery JSON of EAS: `{ correlative, endpoints: { items: [{ app, ip, port, weight }] } }`.
 *
 * Items are taken one by one: bad ones are counted and left out, `valid: false` ones are left out, a missing weight is
 * 100, and of several with the same address the greatest weight counts. Members that it does not know are ignored;
 * missing `items` are none.
 *
 * @throws DiscoveryError `UPSTREAM_MALFORMED` when it is not JSON, not of that shape, or when there are items and none of
 * them makes sense.
 */
export function upstreamAnswerFromJson(text: string): UpstreamAnswer {
  const top = record(parse(text));
  if (top === undefined) throw malformed("is not a JSON object", text);
  const endpoints = record(top["endpoints"]);
  if (endpoints === undefined) throw malformed('has no object "endpoints"', text);
  const items = endpoints["items"] ?? [];
  if (!Array.isArray(items)) throw malformed('has no list "endpoints.items"', text);
  return { ...takeItems(items), correlative: texts(top["correlative"]) };
}

/**
 * Reads what VIPServer answers: `{ hosts: [{ ip, port, weight, valid }] }`, its items as {@link upstreamAnswerFromJson} takes
 * them.
 *
 * @throws DiscoveryError `UPSTREAM_MALFORMED`
 */
export function vipserverAnswerFromJson(text: string): UpstreamItems {
  const hosts = record(parse(text))?.["hosts"];
  if (!Array.isArray(hosts)) throw malformed('has no list "hosts"', text);
  return takeItems(hosts);
}

function takeItems(items: readonly unknown[]): UpstreamItems {
  const taken = takeUpstreamItems(validItems(items));
  if (taken.instances.length > 0 || taken.rejected === 0) return taken;
  throw servingError("UPSTREAM_MALFORMED", noneMakesSense(taken));
}

/**
 * Tells whether the body of a refusal is a directory's of the kit that knows the service and has nobody to call: it never
 * says so with an empty 200, which EAS's SDKs would take for the truth.
 */
export function saysNoInstance(text: string): boolean {
  try {
    return record(record(JSON.parse(text))?.["error"])?.["reason"] === "NO_INSTANCE";
  } catch {
    return false;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not shown, and neither is what JSON.parse says of it: the target may name the wrong file.
    const message = `the answer is not JSON: ${text.length} characters`;
    throw servingError("UPSTREAM_MALFORMED", message);
  }
}

function malformed(what: string, text: string): Error {
  return servingError("UPSTREAM_MALFORMED", `the answer ${what}: ${seen(text)}`);
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return isRecord(value) ? value : undefined;
}

function texts(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((entry): entry is string => typeof entry === "string");
}

function* validItems(items: readonly unknown[]): Iterable<UpstreamItem> {
  for (const value of items) {
    const item = record(value) ?? {};
    if (item["valid"] === false) continue;
    yield {
      name: item["name"],
      ip: item["ip"],
      port: item["port"],
      weight: item["weight"] ?? DEFAULT_WEIGHT,
      app: item["app"],
    };
  }
}

/** What a directory says of a list besides its instances. */
export interface ListState {
  /** The directory cannot reach what it learns from. */
  readonly stale: boolean;
  /** Who is missing is gone. */
  readonly settled: boolean;
}

const STALE_WARNING = '110 - "Response is Stale"';

const UNSETTLED_WARNING = '199 - "List may be incomplete"';

/** The value of the header `warning` with which a directory sends a list; undefined when there is nothing to warn of. */
export function listWarnings({ stale, settled }: ListState): string | undefined {
  const warnings = [...(stale ? [STALE_WARNING] : []), ...(settled ? [] : [UNSETTLED_WARNING])];
  return warnings.length === 0 ? undefined : warnings.join(", ");
}

/** Reads the header `warning` of a list: any 110, and of the code 199, which may say anything, only the directory's own words. */
export function listWarningsFrom(header: string | undefined): ListState {
  const warnings = (header ?? "").split(",").map((warning) => warning.trim());
  return {
    stale: warnings.some((warning) => /^110\b/.test(warning)),
    settled: !warnings.includes(UNSETTLED_WARNING),
  };
}

/** What a discovery answer is written from. */
export interface UpstreamAnswerFields {
  readonly service: string;
  readonly instances: readonly Instance[];
  readonly correlative: readonly string[];
}

/**
 * Writes the discovery JSON of EAS.
 *
 * One line, because Java stores it and reads it back line by line; ASCII only, because Java takes it for GBK when no
 * charset reaches it; integer weights and none of 0, which kills Go clients; `name` at the top, without which Java's
 * stored copy cannot be used. Items are in order of their address, so that the same list is the same text.
 *
 * @param options - `reduceWeights` divides the weights by their greatest common divisor.
 */
export function upstreamAnswerToJson(
  { service, instances, correlative }: UpstreamAnswerFields,
  options: { readonly reduceWeights: boolean },
): string {
  const listed = instances
    .filter((instance) => instance.weight > 0)
    .sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
  const weights = integerWeights(
    listed.map((instance) => instance.weight),
    { reduce: options.reduceWeights },
  );
  const items = listed.map(({ app, host, port }, index) => ({
    app,
    ip: host,
    port,
    weight: weights[index],
  }));
  return asciiJson({ correlative, endpoints: { items }, name: service });
}

/** JSON in which everything outside ASCII is escaped. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
