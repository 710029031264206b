import type { Endpoint } from "../core/endpoint.js";
import { isServiceName, SERVICE_FORM } from "../core/instance.js";
import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import { PREDICT_PREFIX } from "../wire/eas-paths.js";

/** What a base address says. */
export interface PredictAddress {
  /** Undefined when the text has no scheme. */
  readonly scheme: "http" | "https" | undefined;
  readonly host: string;
  /** Undefined when the text has none. */
  readonly port: number | undefined;
  /** What comes before `/api/...`, without a slash at its end. */
  readonly base: string;
  /** The service that it names, if it goes on like a call's address or a discovery address. */
  readonly service: string;
  /** What follows the service in a call's address. */
  readonly path: string;
  /** Up to the service's name, when it is a discovery address. */
  readonly listing: string | undefined;
  /** With its question mark; only discovery addresses and custom URLs have one. */
  readonly query: string;
}

const FORM = 'an address such as "http://HOST", without user, password and fragment';
const HOST = /^(?:\[[0-9a-f:.]+\]|[A-Za-z0-9._-]+)$/;
const PREDICT = new RegExp(`^(.*?)${PREDICT_PREFIX}([^/]+)(/.*)?$`);
const LISTING = /^(.*\/upstreams)(?:\/([^/]+))?$/;

/**
 * Reads a base address: with or without scheme, port, a path in front, `/api/predict/NAME[/path]` or a discovery path
 * behind, slashes at its end.
 *
 * @param option - the option's name, for the message
 * @throws ConfigError `INVALID_OPTION`
 */
export function parsePredictAddress(text: string, option: string): PredictAddress {
  const { scheme, url } = readUrl(text, option);
  const path = url.pathname.replace(/\/+$/, "");
  const listing = LISTING.exec(path);
  const call = PREDICT.exec(path);
  if (url.search !== "" && listing === null) {
    throw invalid(option, `is ${shownAddress(text)}, which has a query`, "the option query for it");
  }
  const place = { scheme, ...endpointOf(url), query: url.search };
  if (listing !== null) {
    const [, before = "", service = ""] = listing;
    return { ...place, base: "", service: named(service, text, option), path: "", listing: before };
  }
  if (call === null) return { ...place, base: path, service: "", path: "", listing: undefined };
  const [, base = "", service = "", rest = ""] = call;
  return { ...place, base, service: named(service, text, option), path: rest, listing: undefined };
}

/**
 * Reads an address that calls go to as it is.
 *
 * @throws ConfigError `INVALID_OPTION`
 */
export function parseCallUrl(text: string, option: string): PredictAddress {
  const { scheme, url } = readUrl(text, option);
  const { pathname, search } = url;
  const place = { scheme, ...endpointOf(url), query: search };
  return { ...place, base: pathname, service: "", path: "", listing: undefined };
}

/** The address as `scheme://host[:port]`. */
export function originOf({ scheme = "http", host, port }: PredictAddress): string {
  const shown = host.includes(":") ? `[${host}]` : host;
  return `${scheme}://${shown}${port === undefined ? "" : `:${port}`}`;
}

/** Shows an address in an error message; what is before an `@` may be a password. */
export function shownAddress(text: unknown): string {
  return typeof text === "string" && text.includes("@") ? "a text with an @" : seen(text);
}

function readUrl(text: string, option: string): { scheme: "http" | "https" | undefined; url: URL } {
  if (typeof text !== "string" || text === "") {
    throw invalid(option, `is ${text === "" ? "empty" : shownAddress(text)}`, FORM);
  }
  const given = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
  if (given !== undefined && given !== "http" && given !== "https") {
    throw invalid(option, `is ${shownAddress(text)}`, "http:// or https://");
  }
  const whole = given === undefined ? `http://${text}` : text;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (url !== undefined && (url.username !== "" || url.password !== "")) {
    // Not shown: the message would carry the secret into logs.
    throw invalid(option, "has a user or password", "the option token for the token");
  }
  if (url === undefined || url.hash !== "" || url.port === "0" || !HOST.test(url.hostname)) {
    throw invalid(option, `is ${shownAddress(text)}`, FORM);
  }
  return { scheme: given, url };
}

function endpointOf(url: URL): {
  readonly host: Endpoint["host"];
  readonly port: number | undefined;
} {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return { host, port: url.port === "" ? undefined : Number(url.port) };
}

function named(service: string, text: string, option: string): string {
  if (service === "" || isServiceName(service)) return service;
  throw invalid(
    option,
    `is ${shownAddress(text)}, where the service is ${seen(service)}`,
    SERVICE_FORM,
  );
}

function invalid(option: string, what: string, expected: string): Error {
  return servingError("INVALID_OPTION", `${option} ${what}, expected ${expected}`);
}
