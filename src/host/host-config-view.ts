import { addressText } from "../core/instance.js";

/** What stands for a secret. */
const MASK = "***";

/** Names of options that hold secrets, whatever object they stand in. */
const SECRET = /token|secret|password|^key$/i;

/** Options whose value is the user's own data or code: that they are given is all that is shown. */
const OPAQUE: ReadonlySet<string> = new Set(["logger", "middleware", "modelConfig"]);

/** Longest list that is shown. */
const LONGEST_LIST = 100;

/** Names of options that are not shown as they are resolved, but as a running host has them. */
export interface ConfigFacts {
  /** What was bound. */
  readonly address: { readonly host: string; readonly port: number };
  /** Name of the instance. */
  readonly instance: string;
}

/**
 * Shows the options in force as plain JSON values: secrets masked, bytes as their number, Infinity as a text, what is
 * not set as null.
 */
export function hostConfigView(
  options: object,
  { address, instance }: ConfigFacts,
): Readonly<Record<string, unknown>> {
  const endpoint = addressText(address.host, address.port);
  return { ...shownObject(options), endpoint, name: instance };
}

function shownObject(value: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]: [string, unknown]) => [name, shown(name, inner)]),
  );
}

function shown(name: string, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (SECRET.test(name)) return MASK;
  if (OPAQUE.has(name)) return Array.isArray(value) && value.length === 0 ? null : "(given)";
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "string":
      // Certificates are no secret, but no reading either.
      return value.startsWith("-----BEGIN") ? `${value.length} characters of PEM` : value;
    case "boolean":
      return value;
    case "object":
      return shownInner(name, value);
    default:
      return "(given)";
  }
}

function shownInner(name: string, value: object): unknown {
  if (value instanceof Uint8Array) return `${value.byteLength} bytes`;
  if (value instanceof URL) return value.href;
  // Declared names with their help: a metric may well be named after tokens.
  if (value instanceof Map) return Object.fromEntries(value);
  if (Array.isArray(value)) {
    if (value.length > LONGEST_LIST) return `a list of ${value.length}`;
    return value.map((one: unknown) => shown(name, one));
  }
  if (isAddress(value)) return addressText(value.host, value.port);
  return shownObject(value);
}

function isAddress(value: object): value is { readonly host: string; readonly port: number } {
  return (
    Object.keys(value).length === 2 &&
    "host" in value &&
    "port" in value &&
    typeof value.host === "string" &&
    typeof value.port === "number"
  );
}
