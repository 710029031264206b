import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { checkServiceName } from "../core/instance.js";
import { nearestName } from "../core/nearest.js";
import { checkNumber, checkOneOf, checkText, seen } from "../core/options.js";
import { isRecord } from "../core/record.js";
import { servingError } from "../core/serving-error.js";
import type { Decompressor, HostOptions } from "./host-options.js";
import { readBoolean, readFilePath, readNumber, readToken } from "./read-value.js";
import { decompressors, hostNumberRanges } from "./resolve-host-options.js";

/** What reading a field needs besides its value. */
interface Reading {
  /** Folder of the description. */
  readonly folder: string;
  /** Takes down what was accepted and does nothing here. */
  withoutEffect(what: string): void;
  /** Names a field, for messages. */
  at(path: string): string;
}

/** What becomes of a field, with everything below it. */
export type FieldUse =
  | {
      readonly becomes: "option";
      readonly option: keyof HostOptions;
      readonly read: (value: unknown, path: string, reading: Reading) => unknown;
    }
  | { readonly becomes: "no effect" }
  /** As it should be when true; no effect when false. */
  | { readonly becomes: "always true" }
  /** A token is made where none is given, by who can show it; no effect elsewhere. */
  | { readonly becomes: "made token" };

/** What reading a service description needs besides. */
export interface DescriptionReading {
  /** What paths in the description are relative to. */
  readonly folder: string;
  /** Where a field stands, as `file:line:column`; undefined when that is not known. */
  placeOf?(path: string): string | undefined;
  /** Called when the description asks for a token to be made. */
  readonly wantsToken?: (() => void) | undefined;
}

const at = (path: string): string => `service description: ${path}`;

/** Names a field with the place that it, or the nearest one above it, stands at. */
function placed(path: string, placeOf: DescriptionReading["placeOf"]): string {
  for (let above = path; above !== ""; above = pathAbove(above)) {
    const place = placeOf?.(above);
    if (place !== undefined) return `${place}: ${at(path)}`;
  }
  return at(path);
}

function pathAbove(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("."), path.lastIndexOf("[")));
}

const option = (
  name: keyof HostOptions,
  read: (value: unknown, where: string, reading: Reading) => unknown,
): FieldUse => ({
  becomes: "option",
  option: name,
  read: (value, path, reading) => read(value, reading.at(path), reading),
});
const number = (name: keyof typeof hostNumberRanges): FieldUse =>
  option(name, (value, where) =>
    checkNumber(readNumber(value, where), where, hostNumberRanges[name]),
  );
const service = option("service", (value, where) =>
  checkServiceName(readText(value, where), where),
);
const noEffect: FieldUse = { becomes: "no effect" };
const namesOf = (prefix: string, names: string): readonly (readonly [string, FieldUse])[] =>
  names.split(" ").map((name) => [prefix + name, noEffect]);

/**
 * Every field that is known, by its path with dots, and what becomes of it. A path may be written nested or with dots in
 * its keys, at any place.
 *
 * Source: the vendor's reference of service parameters, and public service descriptions.
 */
export const serviceDescriptionFields: ReadonlyMap<string, FieldUse> = new Map<string, FieldUse>([
  ["name", service],
  ["metadata.name", service],
  ["token", option("token", readToken)],
  ["generate_token", { becomes: "made token" }],
  ["processor_entry", option("module", readModule)],
  ["model_path", option("modelPath", readText)],
  ["model_config", option("modelConfig", readModelConfig)],
  ["warm_up_data_path", option("warmUp", readPath)],
  ["metrics", { becomes: "option", option: "metrics", read: readMetrics }],
  ["metadata.rpc.keepalive", number("requestTimeoutMs")],
  ["metadata.rpc.worker_threads", number("workerThreads")],
  ["metadata.rpc.max_queue_size", number("maxQueueLength")],
  ["metadata.rpc.rate_limit", number("requestsPerSecond")],
  ["metadata.rpc.enable_sigterm", { becomes: "always true" }],
  ["metadata.rpc.decompressor", option("decompressor", readDecompressor)],
  ["metadata.eas.termination_grace_period", option("terminationGracePeriodMs", readGraceSeconds)],
  ...namesOf("metadata.rpc.", "io_threads enable_jemalloc proxy_path batching max_batch_size"),
  ...namesOf("metadata.rpc.", "max_batch_timeout http.default_headers"),
  ...namesOf("", "processor processor_path processor_mainclass processor_type model_entry"),
  ...namesOf("", "oss_endpoint data_image runtime autoscaler containers cloud"),
  ...namesOf("", "networking storage dockerAuth labels sinker confidential unit aimaster features"),
  ...namesOf("metadata.", "instance cpu gpu memory gpu_memory gpu_core_percentage qos cuda rdma"),
  ...namesOf("metadata.", "shm_size disk resource region workspace_id type workload_type group"),
  ...namesOf("metadata.", "enable_grpc enable_webservice rolling_strategy scheduling"),
  ...namesOf("metadata.", "resource_rebalancing resource_burstable"),
  // Older descriptions have these outside of `metadata`.
  ...namesOf("", "instance cpu gpu memory resource region"),
]);

/**
 * Turns an EAS service description (`app.json`) into a host's options: only what it says.
 *
 * What the platform alone makes use of is accepted; one line of `notices` names it.
 *
 * @param json - The parsed description.
 * @throws ConfigError `INVALID_OPTION` for a value that cannot be read, `UNKNOWN_OPTION` for a field that nobody knows; both
 * name the field's path.
 */
export function optionsFromServiceDescription(
  json: unknown,
  from: DescriptionReading,
): HostOptions {
  const ignored: string[] = [];
  const reading: Reading = {
    folder: from.folder,
    withoutEffect: (what) => ignored.push(what),
    at: (path) => placed(path, from.placeOf),
  };
  const options: Record<string, unknown> = {};
  const givenBy = new Map<string, string>();
  for (const { path, value, use } of fieldsOf(json, "", reading)) {
    if (use.becomes !== "option") {
      takeOther(use.becomes, { path, value, reading, wantsToken: from.wantsToken });
      continue;
    }
    const read = use.read(value, path, reading);
    const other = givenBy.get(use.option);
    // The name often stands in both of its places.
    if (other !== undefined && !isDeepStrictEqual(read, options[use.option])) {
      const places = other === path ? "twice" : `also as ${other}`;
      throw servingError("INVALID_OPTION", `${reading.at(path)} is given ${places}, and differs`);
    }
    givenBy.set(use.option, path);
    options[use.option] = read;
  }
  if (ignored.length > 0) {
    options["notices"] = [`service description: without effect here: ${ignored.join(", ")}`];
  }
  return options;
}

/** Takes a field that becomes no option. */
function takeOther(
  becomes: Exclude<FieldUse["becomes"], "option">,
  field: {
    readonly path: string;
    readonly value: unknown;
    readonly reading: Reading;
    readonly wantsToken: DescriptionReading["wantsToken"];
  },
): void {
  const { path, value, reading, wantsToken } = field;
  const holds = becomes !== "no effect" && readBoolean(value, reading.at(path));
  if (becomes === "made token" && holds && wantsToken !== undefined) {
    wantsToken();
    return;
  }
  if (becomes === "made token" && !holds) return;
  if (becomes === "always true" && holds) return;
  const why = "(false: a host always stops in order on SIGTERM)";
  reading.withoutEffect(becomes === "always true" ? `${path} ${why}` : path);
}

interface Field {
  readonly path: string;
  readonly value: unknown;
  readonly use: FieldUse;
}

function fieldsOf(value: unknown, prefix: string, reading: Reading): readonly Field[] {
  if (!isRecord(value)) {
    const what = prefix === "" ? "service description" : reading.at(prefix.slice(0, -1));
    throw servingError("INVALID_OPTION", `${what} is ${seen(value)}, expected an object`);
  }
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = prefix + key;
    const use = useOf(path);
    if (use !== undefined) return [{ path, value: inner, use }];
    if (knownBelow(`${path}.`).length > 0) return fieldsOf(inner, `${path}.`, reading);
    throw servingError("UNKNOWN_OPTION", `${reading.at(path)} is not known${hint(prefix, key)}`);
  });
}

/** The use of a field, or of the platform's field that it stands below. */
function useOf(path: string): FieldUse | undefined {
  const exact = serviceDescriptionFields.get(path);
  if (exact !== undefined) return exact;
  const dot = path.lastIndexOf(".");
  if (dot < 0) return undefined;
  const above = useOf(path.slice(0, dot));
  return above?.becomes === "no effect" ? above : undefined;
}

/** What may follow a prefix. */
function knownBelow(prefix: string): readonly string[] {
  return [...serviceDescriptionFields.keys()]
    .filter((path) => path.startsWith(prefix))
    .map((path) => path.slice(prefix.length));
}

function hint(prefix: string, key: string): string {
  const elsewhere = knownBelow("").find((path) => path.endsWith(`.${key}`));
  if (elsewhere !== undefined) return `, did you mean "${elsewhere}"?`;
  const nearest = nearestName(key, knownBelow(prefix));
  return nearest === undefined
    ? ", expected a field of an EAS service description"
    : `, did you mean "${prefix}${nearest}"?`;
}

function readText(value: unknown, where: string): string {
  if (typeof value === "string") return checkText(value, where);
  throw servingError("INVALID_OPTION", `${where} is ${seen(value)}, expected a text`);
}

function readDecompressor(value: unknown, where: string): Decompressor {
  // Checked to be one of the words, whatever the text is.
  return checkOneOf(readText(value, where) as Decompressor, where, decompressors);
}

function readModelConfig(value: unknown, where: string): unknown {
  if (typeof value === "string" || isRecord(value)) return value;
  throw servingError("INVALID_OPTION", `${where} is ${seen(value)}, expected a text or an object`);
}

function readPath(value: unknown, where: string, { folder }: Reading): string {
  return resolve(folder, readFilePath(readText(value, where), where));
}

function readModule(value: unknown, where: string, reading: Reading): string {
  return pathToFileURL(readPath(value, where, reading)).href;
}

function readGraceSeconds(value: unknown, where: string): number {
  const { min, max } = hostNumberRanges.terminationGracePeriodMs;
  const range = { min: min / 1_000, max: max / 1_000, integer: false };
  return Math.round(checkNumber(readNumber(value, where), `${where} (seconds)`, range) * 1_000);
}

/** Takes names, objects of `name` and `help`, or one object of names with their help; help defaults to the name. */
function readMetrics(value: unknown, path: string, reading: Reading): Record<string, string> {
  if (Array.isArray(value)) {
    return Object.fromEntries(
      value.map((one: unknown, index) => readMetric(one, `${path}[${index}]`, reading)),
    );
  }
  if (isRecord(value)) {
    const entries = Object.entries(value);
    return Object.fromEntries(
      entries.map(([name, help]) => [name, helpOf(help, name, reading.at(`${path}.${name}`))]),
    );
  }
  throw servingError(
    "INVALID_OPTION",
    `${reading.at(path)} is ${seen(value)}, expected a list of names or an object of names with their help`,
  );
}

function readMetric(
  one: unknown,
  path: string,
  reading: Reading,
): readonly [name: string, help: string] {
  if (typeof one === "string") return [readText(one, reading.at(path)), one];
  if (!isRecord(one)) {
    throw servingError(
      "INVALID_OPTION",
      `${reading.at(path)} is ${seen(one)}, expected a name, or an object of name and help`,
    );
  }
  const { name, help, ...rest } = one;
  for (const key of Object.keys(rest)) reading.withoutEffect(`${path}.${key}`);
  const known = readText(name, reading.at(`${path}.name`));
  return [known, helpOf(help, known, reading.at(`${path}.help`))];
}

function helpOf(help: unknown, name: string, where: string): string {
  return help === undefined || help === "" ? name : readText(help, where);
}
