import { isIPv6 } from "node:net";
import { bufferOf } from "../core/bytes.js";
import { parseEndpoint } from "../core/endpoint.js";
import {
  addressText,
  DEFAULT_WEIGHT,
  type Instance,
  instanceOf,
  weightProblem,
} from "../core/instance.js";
import { seen } from "../core/options.js";
import { isRecord } from "../core/record.js";
import { appProblem, isInstanceName } from "./upstream-item.js";

/** What a key of etcd's naming convention says. */
export type NamingItem =
  | { readonly kind: "listed"; readonly instance: Instance; readonly metadata: unknown }
  /** The instance is gone, though its key still stands. */
  | { readonly kind: "deleted" }
  | { readonly kind: "rejected"; readonly problem: string };

/** The convention's words for what is done to an address. */
const ADDED = 0;
const DELETED = 1;

/**
 * Reads `{"Op":0,"Addr":"host:port","Metadata":any}`, etcd's official naming convention.
 *
 * The weight is `Metadata` when that is a number, or its `weight`; the app is its `app`. Without a weight it is the kit's default.
 *
 * @param name - name of the instance, what stands behind the service in its key; one that is not printable counts as none
 * @param value - may hold anything
 *
 * Source: https://pkg.go.dev/go.etcd.io/etcd/client/v3/naming/endpoints
 */
export function namingItemFromValue(name: string, value: Uint8Array): NamingItem {
  const item = parsed(value);
  if (!isRecord(item)) return rejected("value is no JSON object");
  const { Op: op = ADDED, Addr: addr, Metadata: metadata } = item;
  if (op === DELETED) return { kind: "deleted" };
  if (op !== ADDED) return rejected(`Op is ${seen(op)}, expected 0 or 1`);
  const address = typeof addr === "string" ? parseEndpoint(addr) : undefined;
  if (address === undefined || address.host === "" || address.port === 0) {
    return rejected(`Addr is ${seen(addr)}, expected host:port with a port from 1 to 65535`);
  }
  if (address.host.includes(":") && !isIPv6(address.host)) {
    return rejected(`Addr is ${seen(addr)}, expected an IPv6 address in the brackets`);
  }
  const weight = weightOf(metadata);
  // Before anything else makes a text of it: what JSON holds may have a `toString` that cannot be called.
  if (typeof weight !== "number") return rejected(`weight is ${seen(weight)}, expected a number`);
  const problem = weightProblem(weight);
  if (problem !== undefined) return rejected(problem);
  const app = isRecord(metadata) ? metadata["app"] : undefined;
  const instance = instanceOf({
    host: address.host,
    port: address.port,
    weight,
    name: isInstanceName(name) ? name : "",
    app: typeof app === "string" && appProblem(app) === undefined ? app : "",
  });
  return { kind: "listed", instance, metadata };
}

/**
 * Writes an instance in etcd's official naming convention.
 *
 * @param metadata - what `Metadata` holds besides weight and app
 */
export function namingValueFromInstance(
  { host, port, weight, app }: Instance,
  metadata: Readonly<Record<string, unknown>> = {},
): Uint8Array {
  const all = { ...metadata, weight, ...(app === "" ? {} : { app }) };
  const item = { Op: ADDED, Addr: addressText(host, port), Metadata: all };
  return Buffer.from(JSON.stringify(item));
}

/** Writes that an instance is gone, though its key still stands. */
export function namingValueOfDeleted({ host, port }: Instance): Uint8Array {
  return Buffer.from(JSON.stringify({ Op: DELETED, Addr: addressText(host, port) }));
}

function weightOf(metadata: unknown): unknown {
  if (typeof metadata === "number") return metadata;
  return (isRecord(metadata) ? metadata["weight"] : undefined) ?? DEFAULT_WEIGHT;
}

function parsed(value: Uint8Array): unknown {
  try {
    return JSON.parse(bufferOf(value).toString("utf8"));
  } catch {
    // Told as a rejected item.
    return undefined;
  }
}

function rejected(problem: string): NamingItem {
  return { kind: "rejected", problem };
}
