import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { connectEndpoints, type Endpoint, parseEndpoint } from "../core/endpoint.js";
import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";

/** What a host registers: an IP address, and a port unless it is the bound one. */
export interface Advertised {
  readonly ip: string;
  readonly port: number | undefined;
}

/**
 * Reads `host:port[,host:port]`; nothing when the option is not given.
 *
 * @param where - what gave it, for errors
 * @throws ConfigError `INVALID_OPTION`.
 */
export function directoryEndpoints(
  option: string | undefined,
  where = "options.directory",
): readonly Endpoint[] {
  return option === undefined ? [] : connectEndpoints(option, where);
}

/**
 * Decides what address a host registers: the one that is given, else the one that it binds, else the machine's only one.
 *
 * @throws ConfigError `INVALID_OPTION` when it cannot be decided.
 */
export function advertisedAddress(given: string | undefined, bound: Endpoint): Advertised {
  if (given !== undefined) return parseAdvertised(given);
  if (bound.host !== "" && bound.host !== "0.0.0.0" && bound.host !== "::") {
    if (bound.host === "localhost") return { ip: "127.0.0.1", port: undefined };
    if (isIP(bound.host) !== 0) return { ip: bound.host, port: undefined };
    throw servingError(
      "INVALID_OPTION",
      `options.advertise is missing: ${bound.host} is a name, and directories list addresses`,
    );
  }
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((address) => !address.internal && address.family === "IPv4")
    .map((address) => address.address);
  const [only] = addresses;
  if (only !== undefined && addresses.length === 1) return { ip: only, port: undefined };
  throw servingError(
    "INVALID_OPTION",
    `options.advertise is missing: this machine has ${addresses.length} addresses${addresses.length > 0 ? ` (${addresses.join(", ")})` : ""}`,
  );
}

const UNSPECIFIED: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

function parseAdvertised(text: string): Advertised {
  if (UNSPECIFIED.has(text.replace(/^\[?(.*?)\]?(:\d+)?$/, "$1")) || UNSPECIFIED.has(text)) {
    throw servingError(
      "INVALID_OPTION",
      `options.advertise is ${seen(text)}, which nobody can call`,
    );
  }
  if (isIP(text) !== 0) return { ip: text, port: undefined };
  const endpoint = parseEndpoint(text);
  if (endpoint !== undefined && isIP(endpoint.host) !== 0 && endpoint.port > 0) {
    return { ip: endpoint.host, port: endpoint.port };
  }
  throw servingError(
    "INVALID_OPTION",
    `options.advertise is ${seen(text)}, expected an IP address, or one with a port from 1 to 65535`,
  );
}
