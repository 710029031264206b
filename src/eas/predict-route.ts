import { instanceOf, isServiceName, SERVICE_FORM } from "../core/instance.js";
import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import type { HttpTarget, StaticTarget, VipserverTarget } from "../resolve/target/target-kind.js";
import type { ClientTls } from "../transport/transport.js";
import { PREDICT_PREFIX } from "../wire/eas-paths.js";
import { upstreamPaths } from "../wire/upstream-json.js";
import type { EndpointType } from "./endpoint-type.js";
import {
  originOf,
  type PredictAddress,
  parseCallUrl,
  parsePredictAddress,
  shownAddress,
} from "./predict-address.js";

/** Where calls go. */
export interface PredictRoute {
  /** How the instances are found. */
  readonly target: StaticTarget | HttpTarget | VipserverTarget;
  /** TLS to the instances; undefined for plain HTTP. */
  readonly tls: ClientTls | undefined;
  /** Path of every call, before the request path. */
  readonly path: string;
  /** Query that every call begins with, without its question mark. */
  readonly query: string;
}

/** What of a client's options says where calls go. */
export interface PredictRouteOptions {
  readonly endpointType: EndpointType;
  readonly url: string | undefined;
  readonly tls: ClientTls | undefined;
  readonly vipserverList: string;
}

/** A service's name, and the path that a call to it begins with. */
interface NamedService {
  readonly name: string;
  readonly path: string;
}

/**
 * Works out where calls go.
 *
 * @param endpoint - a base address, several for the type DIRECT, a domain for VIPSERVER; ignored with a `url`
 * @param service - `NAME`, `group.NAME`, or either with a path behind; may be empty when the endpoint names it
 * @throws ConfigError `INVALID_OPTION` when it cannot be read, or parts of it contradict each other.
 */
export function predictRoute(
  endpoint: string,
  service: string,
  options: PredictRouteOptions,
): PredictRoute {
  const { endpointType, url } = options;
  if (url !== undefined) return urlRoute(url, options.tls);
  if (endpointType === "DIRECT") return directRoute(endpoint, service, options.tls);
  if (endpointType === "VIPSERVER") return vipserverRoute(endpoint, service, options);
  return defaultRoute(endpoint, service, options.tls);
}

function urlRoute(url: string, tls: ClientTls | undefined): PredictRoute {
  const address = parseCallUrl(url, "url");
  const { base: path, query } = address;
  return { ...fixed(address, "url", tls), path, query: query.slice(1) };
}

function defaultRoute(endpoint: string, service: string, tls: ClientTls | undefined): PredictRoute {
  const address = parsePredictAddress(endpoint, "endpoint");
  if (address.listing !== undefined) {
    throw invalid(
      `endpoint is ${shownAddress(endpoint)}, a discovery address`,
      'a base address, or endpoint type "DIRECT"',
    );
  }
  const path = address.base + predictPath(agreed(service, [address]));
  return { ...fixed(address, "endpoint", tls), path, query: "" };
}

function directRoute(endpoint: string, service: string, tls: ClientTls | undefined): PredictRoute {
  const text = typeof endpoint === "string" ? endpoint : "";
  const addresses = text.split(",").map((part) => parsePredictAddress(part.trim(), "endpoint"));
  const named = agreed(service, addresses);
  const directories = addresses.map((address) => listingsOf(address, named.name));
  const target = { kind: "http", text, service: named.name, directories } as const;
  return { target, tls, path: predictPath(named), query: "" };
}

function vipserverRoute(
  endpoint: string,
  service: string,
  { tls, vipserverList }: PredictRouteOptions,
): PredictRoute {
  if (typeof endpoint !== "string" || !/^[A-Za-z0-9._-]+$/.test(endpoint)) {
    throw invalid(
      `endpoint is ${shownAddress(endpoint)}`,
      "a domain of VIPServer, without http://",
    );
  }
  const target = { kind: "vipserver", domain: endpoint, serverList: vipserverList } as const;
  return { target, tls, path: predictPath(agreed(service, [])), query: "" };
}

function predictPath({ name, path }: NamedService): string {
  return PREDICT_PREFIX + name + path;
}

/** The one instance of an address that calls go to themselves. */
function fixed(
  address: PredictAddress,
  option: string,
  tls: ClientTls | undefined,
): Pick<PredictRoute, "target" | "tls"> {
  const { host, scheme } = address;
  if (scheme === "http" && tls !== undefined) {
    throw invalid(`${option} begins with http:// and there is tls`, "https://, or no tls");
  }
  const secure = scheme === "https" || tls !== undefined;
  const port = address.port ?? (secure ? 443 : 80);
  const instance = instanceOf({ host, port });
  const target = { kind: "static", text: instance.key, service: instance.key } as const;
  return { target: { ...target, instances: [instance] }, tls: tls ?? (secure ? {} : undefined) };
}

/** Addresses that a directory may answer at: the one that was given, else both that are in use. */
function listingsOf(address: PredictAddress, service: string): readonly string[] {
  const { base, listing, query } = address;
  const origin = originOf(address);
  if (listing !== undefined) return [`${origin}${listing}/${service}${query}`];
  return upstreamPaths.map((path) => `${origin}${base}${path}${service}`);
}

/** The service that its own argument and the addresses name; they may leave it out, not contradict each other. */
function agreed(service: string, addresses: readonly PredictAddress[]): NamedService {
  const given = parseService(service);
  let found = given;
  for (const address of addresses) {
    const { service: name, path } = address;
    if (name === "") continue;
    if (found.name !== "" && found.name !== name) {
      throw invalid(
        `endpoint names the service ${seen(name)}, the service is ${seen(found.name)}`,
        "one service",
      );
    }
    if (found.path !== "" && path !== "" && found.path !== path) {
      throw invalid(
        `endpoint has the path ${seen(path)} behind the service, the service ${seen(found.path)}`,
        "one path",
      );
    }
    found = { name, path: found.path === "" ? path : found.path };
  }
  if (found.name !== "") return found;
  throw invalid(`service is ${seen(service)}`, "the name of a service, such as mnist");
}

function parseService(text: string): NamedService {
  if (typeof text !== "string") throw invalid(`service is ${seen(text)}`, "a text");
  const trimmed = text.replace(/\/+$/, "");
  const slash = trimmed.indexOf("/");
  const name = slash < 0 ? trimmed : trimmed.slice(0, slash);
  if (trimmed !== "" && (!isServiceName(name) || /[?#]/.test(trimmed))) {
    throw invalid(`service is ${seen(text)}`, `${SERVICE_FORM}, a path behind if need be`);
  }
  return { name, path: slash < 0 ? "" : trimmed.slice(slash) };
}

function invalid(what: string, expected: string): Error {
  return servingError("INVALID_OPTION", `${what}, expected ${expected}`);
}
