import { isIP } from "node:net";
import { portProblem } from "../core/instance.js";
import { seen } from "../core/options.js";
import { isRecord } from "../core/record.js";
import { servingError } from "../core/serving-error.js";

/** Label of the service that a slice belongs to. */
export const SERVICE_LABEL = "kubernetes.io/service-name";

/** IP family of a slice's addresses; a service of two families has slices of both, for the same pods. */
export type AddressFamily = "IPv4" | "IPv6";

/** A port that a slice's endpoints listen on. */
export interface SlicePort {
  /** Empty when it has none. */
  readonly name: string;
  /** Undefined: every port. */
  readonly port: number | undefined;
}

/** An EndpointSlice as far as callers care: part of a service's endpoints, never all that there are. */
export interface EndpointSlice {
  /** Unique among the service's slices. */
  readonly name: string;
  readonly family: AddressFamily;
  /** Of TCP. */
  readonly ports: readonly SlicePort[];
  /** Addresses of endpoints that are ready. */
  readonly ready: readonly string[];
  /** Addresses of endpoints that end and still serve: to be called when nobody is ready. */
  readonly draining: readonly string[];
  /** Ports and endpoints that made no sense, or have an address that is none of IP. */
  readonly rejected: number;
  /** What was wrong with the first of them. */
  readonly firstProblem: string | undefined;
}

/** One page of a list of slices. */
export interface EndpointSlicePage {
  readonly slices: readonly EndpointSlice[];
  /** Where a watch goes on from; opaque. */
  readonly version: string;
  /** What asks for the next page; undefined on the last one. */
  readonly next: string | undefined;
  /** Slices that could not be told from others, or belong to another service. */
  readonly rejected: number;
  readonly firstProblem: string | undefined;
}

/** What the API says instead of an answer. */
export interface ApiStatus {
  readonly code: number;
  /** Such as `Expired`; empty when it has none. */
  readonly reason: string;
  readonly message: string;
  /** When to come back, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/** One line of a watch. */
export type EndpointSliceEvent =
  | { readonly kind: "put"; readonly slice: EndpointSlice; readonly version: string | undefined }
  | { readonly kind: "gone"; readonly name: string; readonly version: string | undefined }
  | { readonly kind: "bookmark"; readonly version: string | undefined }
  | { readonly kind: "rejected"; readonly problem: string; readonly version: string | undefined }
  | { readonly kind: "error"; readonly status: ApiStatus };

const MAX_VERSION_LENGTH = 256;
const MAX_CONTINUE_LENGTH = 8_192;
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const MAX_RETRY_AFTER_S = 999_999;

/**
 * Reads a page of the list of a service's slices.
 *
 * @throws DiscoveryError `UPSTREAM_MALFORMED` when it is no EndpointSliceList with a version.
 */
export function endpointSlicePageFromJson(text: string, service: string): EndpointSlicePage {
  const top = parse(text);
  const meta = member(top, "metadata");
  const items = top["items"] ?? [];
  if (top["kind"] !== "EndpointSliceList" || !Array.isArray(items)) {
    throw malformed("is no EndpointSliceList", text);
  }
  const version = versionOf(meta);
  if (version === undefined) throw malformed("has no metadata.resourceVersion", text);
  const slices: EndpointSlice[] = [];
  const problems = new Problems();
  for (const item of items) {
    const slice = readSlice(item, service);
    if (typeof slice === "string") problems.add(slice);
    else slices.push(slice);
  }
  const next = meta["continue"] || undefined;
  // Going on without it would take part of the list for all of it.
  if (next !== undefined && (typeof next !== "string" || next.length > MAX_CONTINUE_LENGTH)) {
    throw malformed("has an unusable metadata.continue", text);
  }
  const { count: rejected, first: firstProblem } = problems;
  return { slices, version, next, rejected, firstProblem };
}

/**
 * Reads one line of a watch on a service's slices. Events of a type that it does not know are rejected, as are objects that
 * cannot be told from others: their version counts nevertheless.
 *
 * @throws DiscoveryError `UPSTREAM_MALFORMED` when it is no event at all.
 */
export function endpointSliceEventFromJson(line: string, service: string): EndpointSliceEvent {
  const top = parse(line);
  const { type, object } = top;
  if (typeof type !== "string" || !isRecord(object)) throw malformed("is no event", line);
  const version = versionOf(member(object, "metadata"));
  switch (type) {
    case "ADDED":
    case "MODIFIED": {
      const slice = readSlice(object, service);
      if (typeof slice === "string") return { kind: "rejected", problem: slice, version };
      return { kind: "put", slice, version };
    }
    case "DELETED": {
      const name = nameOf(object);
      if (name === undefined) return { kind: "rejected", problem: "a slice has no name", version };
      return { kind: "gone", name, version };
    }
    case "BOOKMARK":
      return { kind: "bookmark", version };
    case "ERROR":
      return { kind: "error", status: readStatus(object) };
    default:
      return { kind: "rejected", problem: `an event's type is ${seen(type)}`, version };
  }
}

/** Reads the Status in a refusal's body; undefined when there is none. */
export function apiStatusFromJson(text: string): ApiStatus | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && value["kind"] === "Status" ? readStatus(value) : undefined;
  } catch {
    // Not the API's words, then: a proxy's page, or nothing.
    return undefined;
  }
}

function readStatus(value: Readonly<Record<string, unknown>>): ApiStatus {
  const { code, reason, message } = value;
  const seconds = member(value, "details")["retryAfterSeconds"];
  const usable = typeof seconds === "number" && seconds > 0 && seconds <= MAX_RETRY_AFTER_S;
  return {
    code: typeof code === "number" ? code : 0,
    reason: typeof reason === "string" ? reason : "",
    message: typeof message === "string" ? message : "",
    retryAfterMs: usable ? seconds * 1_000 : undefined,
  };
}

/** @returns the slice, or why it cannot be told from others. */
function readSlice(value: unknown, service: string): EndpointSlice | string {
  if (!isRecord(value)) return `a slice is ${seen(value)}, expected an object`;
  const name = nameOf(value);
  if (name === undefined) return "a slice has no name";
  const label = member(member(value, "metadata"), "labels")[SERVICE_LABEL];
  if (label !== service) return `a slice's label ${SERVICE_LABEL} is ${seen(label)}`;
  const problems = new Problems();
  const ports = readPorts(value["ports"], problems);
  const { addressType: family } = value;
  const endpoints = listOf(value["endpoints"], "endpoints", problems);
  if (family !== "IPv4" && family !== "IPv6") {
    // Each endpoint counts, so that operators see how many are out of reach.
    const problem = `a slice's addressType is ${seen(family)}, expected IPv4 or IPv6`;
    const rejected = problems.count + Math.max(1, endpoints.length);
    return {
      name,
      family: "IPv4",
      ports,
      ready: [],
      draining: [],
      rejected,
      firstProblem: problem,
    };
  }
  const ready: string[] = [];
  const draining: string[] = [];
  for (const endpoint of endpoints) {
    const problem = takeEndpoint(endpoint, family, { ready, draining });
    if (problem !== undefined) problems.add(problem);
  }
  const { count: rejected, first: firstProblem } = problems;
  return { name, family, ports, ready, draining, rejected, firstProblem };
}

interface Addresses {
  readonly ready: string[];
  readonly draining: string[];
}

/** @returns what is wrong with it, if anything is. */
function takeEndpoint(
  value: unknown,
  family: AddressFamily,
  { ready, draining }: Addresses,
): string | undefined {
  if (!isRecord(value)) return `an endpoint is ${seen(value)}, expected an object`;
  const { addresses } = value;
  // The API allows several and means the first; controllers write one.
  const address: unknown = Array.isArray(addresses) ? addresses[0] : undefined;
  if (typeof address !== "string" || isIP(address) !== (family === "IPv4" ? 4 : 6)) {
    return `an endpoint's address is ${seen(address)}, expected ${family}`;
  }
  const conditions = member(value, "conditions");
  // Whatever is neither true nor false is what the API says of null: nobody knows, which counts as the first of each pair.
  const isReady = conditions["ready"] !== false;
  const isServing = conditions["serving"] !== false;
  const isTerminating = conditions["terminating"] === true;
  if (isTerminating && !isServing) return undefined;
  if (isReady) ready.push(address);
  else if (isTerminating) draining.push(address);
  return undefined;
}

function readPorts(value: unknown, problems: Problems): readonly SlicePort[] {
  const ports: SlicePort[] = [];
  for (const each of listOf(value, "ports", problems)) {
    if (!isRecord(each)) {
      problems.add(`a port is ${seen(each)}, expected an object`);
      continue;
    }
    const { name, port, protocol } = each;
    if ((protocol ?? "TCP") !== "TCP") continue;
    const problem = port === undefined || port === null ? undefined : portProblem(port);
    if (problem !== undefined) problems.add(problem);
    else {
      const number = typeof port === "number" ? port : undefined;
      ports.push({ name: typeof name === "string" ? name : "", port: number });
    }
  }
  return ports;
}

/** Counts what is left out. */
class Problems {
  count = 0;
  first: string | undefined;

  add(problem: string): void {
    this.count += 1;
    this.first ??= problem;
  }
}

/** Older servers write null for a list of none. */
function listOf(value: unknown, what: string, problems: Problems): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value !== undefined && value !== null) {
    problems.add(`a slice's ${what} are ${seen(value)}, expected a list`);
  }
  return [];
}

const nothing: Readonly<Record<string, unknown>> = {};

function member(
  value: Readonly<Record<string, unknown>>,
  name: string,
): Readonly<Record<string, unknown>> {
  const found = value[name];
  return isRecord(found) ? found : nothing;
}

function nameOf(value: Readonly<Record<string, unknown>>): string | undefined {
  const { name } = member(value, "metadata");
  return typeof name === "string" && NAME.test(name) ? name : undefined;
}

function versionOf(meta: Readonly<Record<string, unknown>>): string | undefined {
  const { resourceVersion } = meta;
  if (typeof resourceVersion !== "string" || resourceVersion === "") return undefined;
  return resourceVersion.length <= MAX_VERSION_LENGTH ? resourceVersion : undefined;
}

function parse(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw malformed("is not JSON", text, cause);
  }
  if (isRecord(value)) return value;
  throw malformed("is not a JSON object", text);
}

function malformed(what: string, text: string, cause?: unknown): Error {
  return servingError("UPSTREAM_MALFORMED", `the answer ${what}: ${seen(text)}`, { cause });
}
