import { connectionHeaders } from "../../core/connection-headers.js";
import {
  type MetadataValue,
  type MetadataView,
  metadataOf,
  metadataText,
} from "../../core/metadata.js";
import { servingError } from "../../core/serving-error.js";
import type { HttpHeaders } from "../http.js";

const BINARY = "-bin";

/** What the protocols themselves say in headers: neither shown to a processor nor taken from one. */
const protocolHeaders: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connect-accept-encoding",
  "connect-content-encoding",
  "connect-protocol-version",
  "connect-timeout-ms",
  "content-encoding",
  "content-type",
  "grpc-accept-encoding",
  "grpc-encoding",
  "grpc-message",
  "grpc-status",
  "grpc-timeout",
  "x-grpc-web",
]);

const isOwn = (key: string): boolean => connectionHeaders.has(key) || protocolHeaders.has(key);

/** The metadata of a call from the headers of its request: keys that end in `-bin` have bytes. */
export function metadataFromHeaders(headers: MetadataView): MetadataView {
  const pairs: (readonly [string, MetadataValue])[] = [];
  for (const [key, value] of headers.entries()) {
    if (isOwn(key)) continue;
    if (typeof value !== "string" || !key.endsWith(BINARY)) pairs.push([key, value]);
    // Several values of one key come joined; no comma is part of base64.
    else for (const one of value.split(",")) pairs.push([key, Buffer.from(one.trim(), "base64")]);
  }
  return metadataOf(pairs);
}

/** Metadata as lines of headers: bytes as base64 without padding; what the connection or the protocol says is left out. */
export function headerLines(metadata: MetadataView): readonly (readonly [string, string])[] {
  const lines: (readonly [string, string])[] = [];
  for (const [key, value] of metadata.entries()) {
    if (!isOwn(key)) lines.push([key, headerValue(value)]);
  }
  return lines;
}

/** Metadata as HTTP headers, several values of a key joined, each key behind `prefix`. */
export function headersFromMetadata(metadata: MetadataView, prefix = ""): HttpHeaders {
  const headers = new Map<string, string>();
  for (const [key, value] of headerLines(metadata)) {
    const name = prefix + key;
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return Object.fromEntries(headers);
}

function headerValue(value: MetadataValue): string {
  if (typeof value === "string") return value;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    .toString("base64")
    .replace(/=+$/, "");
}

/**
 * Refuses a request that is compressed.
 *
 * @throws HostError `NOT_OVER_WEB` when one of the headers names anything but `identity`.
 */
export function refuseEncodings(headers: MetadataView, names: readonly string[]): void {
  for (const name of names) {
    const encoding = metadataText(headers, name);
    if (encoding === undefined || encoding.toLowerCase() === "identity") continue;
    const seen = JSON.stringify(encoding.slice(0, 40));
    throw servingError(
      "NOT_OVER_WEB",
      `${name} is ${seen}, expected identity: nothing else is read`,
    );
  }
}
