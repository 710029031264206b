import { seen } from "./options.js";
import { servingError } from "./serving-error.js";

/** A host and a port; the host without brackets, empty for "all addresses". */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

const FORM = /^(?:\[([0-9A-Fa-f:.%a-z]+)\]|([A-Za-z0-9._-]*)):(\d{1,5})$/;

/** Reads `host:port`, `:port` or `[v6]:port`; undefined when the text is none of these. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > 65_535) return undefined;
  const v6 = match[1];
  if (v6 !== undefined && !v6.includes(":")) return undefined;
  return { host: v6 ?? match[2] ?? "", port };
}

/**
 * Reads an endpoint to bind: `host:port`, `:port` for all addresses, `[v6]:port`; port 0 is any free one.
 *
 * @throws ConfigError `INVALID_OPTION` naming the option.
 */
export function bindEndpoint(text: string, option: string): Endpoint {
  const endpoint = typeof text === "string" ? parseEndpoint(text) : undefined;
  if (endpoint === undefined) {
    throw servingError(
      "INVALID_OPTION",
      `${option} is ${seen(text)}, expected host:port, :port or [v6]:port with a port from 0 to 65535`,
    );
  }
  return endpoint;
}

/**
 * Reads an endpoint to connect to: a host and a port that is not 0.
 *
 * @throws ConfigError `INVALID_OPTION` naming the option.
 */
export function connectEndpoint(text: string, option: string): Endpoint {
  const endpoint = typeof text === "string" ? parseEndpoint(text) : undefined;
  if (endpoint === undefined || endpoint.host === "" || endpoint.port === 0) {
    throw servingError(
      "INVALID_OPTION",
      `${option} is ${seen(text)}, expected host:port or [v6]:port with a port from 1 to 65535`,
    );
  }
  return endpoint;
}

/** Tells whether a host is this machine's loopback, so that nobody else can reach it. */
export function isLoopback(host: string): boolean {
  return (
    host === "localhost" ||
    host === "::1" ||
    /^127\.\d+\.\d+\.\d+$/.test(host) ||
    /^::ffff:127\.\d+\.\d+\.\d+$/i.test(host)
  );
}
