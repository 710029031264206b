import { addressText } from "./instance.js";
import { seen } from "./options.js";
import { servingError } from "./serving-error.js";

/** A host and a port; the host without brackets, empty for "all addresses". */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

const FORM = /^(?:\[[0-9A-Fa-f:.%a-z]+\]|[A-Za-z0-9._-]*):\d{1,5}$/;

/** Reads `host:port`, `:port` or `[v6]:port`; undefined when the text is none of these. */
export function parseEndpoint(text: string): Endpoint | undefined {
  // Tested and cut rather than matched by groups: lists of ten thousand are read by this.
  if (!FORM.test(text)) return undefined;
  const colon = text.lastIndexOf(":");
  const port = Number(text.slice(colon + 1));
  if (port > 65_535) return undefined;
  if (!text.startsWith("[")) return { host: text.slice(0, colon), port };
  const v6 = text.slice(1, colon - 1);
  return v6.includes(":") ? { host: v6, port } : undefined;
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

/**
 * Reads a list of endpoints to connect to, with commas between them.
 *
 * @param each - what errors call one of them
 * @throws ConfigError `INVALID_OPTION` naming the option, for one that is there twice as well.
 */
export function connectEndpoints(
  text: string,
  option: string,
  each: string = option,
): readonly Endpoint[] {
  const known = new Set<string>();
  return text.split(",").map((part) => {
    const endpoint = connectEndpoint(part.trim(), each);
    const address = addressText(endpoint.host, endpoint.port);
    if (known.has(address)) {
      throw servingError("INVALID_OPTION", `${option} lists ${address} twice, expected it once`);
    }
    known.add(address);
    return endpoint;
  });
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
