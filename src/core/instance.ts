import { seen } from "./options.js";
import { servingError } from "./serving-error.js";

/** Largest weight an instance may have; 0 means no traffic. */
export const MAX_WEIGHT = 1_000_000;

/** Smallest weight above 0: what is lighter could not be told from rounding beside a heavy one. */
export const MIN_WEIGHT = 1e-6;

/** Weight of an instance that names none (what EAS hands out). */
export const DEFAULT_WEIGHT = 100;

/** One reachable server of a service. */
export interface Instance {
  /** Who it is to pickers and pools: `host:port`, the same however often the list is read anew. */
  readonly key: string;
  /** Stable name that operators set weights by; the key where the source knows none. */
  readonly name: string;
  /** IPv4 or IPv6 address, or a host name; without brackets. */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
  /** Share of traffic relative to the others, 0, or {@link MIN_WEIGHT} to {@link MAX_WEIGHT}. */
  readonly weight: number;
  /** Application name as EAS has it; empty where the source knows none. */
  readonly app: string;
}

/** Writes an address as targets and logs show it: IPv6 in brackets. */
export function addressText(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Makes an instance, filling key, name and app. */
export function instanceOf(
  fields: Pick<Instance, "host" | "port"> & Partial<Pick<Instance, "name" | "weight" | "app">>,
): Instance {
  const { host, port, weight = DEFAULT_WEIGHT, app = "" } = fields;
  const key = addressText(host, port);
  return { key, name: fields.name || key, host, port, weight, app };
}

/** Says what is wrong with a weight, or undefined when it can be used. */
export function weightProblem(weight: unknown): string | undefined {
  if (typeof weight !== "number" || !Number.isFinite(weight)) {
    return `weight is ${seen(weight)}, expected a number from 0 to ${MAX_WEIGHT}`;
  }
  if (weight < 0 || weight > MAX_WEIGHT) {
    return `weight is ${weight}, expected 0 to ${MAX_WEIGHT}`;
  }
  if (weight > 0 && weight < MIN_WEIGHT) {
    return `weight is ${weight}, expected 0, or ${MIN_WEIGHT} to ${MAX_WEIGHT}`;
  }
  return undefined;
}

/** Says what is wrong with a port that must be connectable, or undefined. */
export function portProblem(port: unknown): string | undefined {
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65_535) {
    return `port is ${seen(port)}, expected 1 to 65535`;
  }
  return undefined;
}

/** What a service name looks like, for messages. */
export const SERVICE_FORM = 'letters, digits, _ and -, with at most one "group." in front';

const SERVICE = /^(?:[A-Za-z0-9][A-Za-z0-9_-]*\.)?[A-Za-z0-9][A-Za-z0-9_-]*$/;

/** Tells whether a text can name a service: `mnist` or `group.mnist`. */
export function isServiceName(text: string): boolean {
  return text.length <= 253 && SERVICE.test(text);
}

/**
 * Checks a service name.
 *
 * @throws ConfigError `INVALID_OPTION` naming `option` and what was seen.
 */
export function checkServiceName(text: string, option: string): string {
  if (!isServiceName(text)) {
    throw servingError(
      "INVALID_OPTION",
      `${option} is ${JSON.stringify(text)}, expected ${SERVICE_FORM}`,
    );
  }
  return text;
}

/** The application name that EAS derives from a service name: `_` becomes `-`. */
export function appFromService(service: string): string {
  return service.replaceAll("_", "-");
}
