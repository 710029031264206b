import type { MetadataView } from "../core/metadata.js";
import { SIGNATURE_SCHEME, type SignedParts } from "../wire/eas-signature.js";
import type { RequestHead } from "./request-head.js";

/** A signature that came with a request, and what it may have been made over. */
export interface RequestSignature {
  /** The `authorization` header. */
  readonly authorization: string;
  /** As received. */
  readonly parts: Omit<SignedParts, "resource">;
  /** Any of these will do. */
  readonly contentTypes: readonly string[];
  /** Any of these will do. */
  readonly resources: readonly string[];
}

/** What EAS's SDKs send, and some of them sign, where they are not told otherwise. */
const DEFAULT_TYPE = "application/octet-stream";

/**
 * Reads the signature of a request, with the headers as they were received; undefined when there is none.
 *
 * EAS's SDKs sign the path with its query. Besides: Java leaves the query of a custom URL out, and Go signs its first
 * call before it cuts a slash off the service's name. A type of the caller's own is sent by Go, and was by Java, but not signed.
 */
export function signatureOf(head: RequestHead): RequestSignature | undefined {
  const { method, path, target, metadata } = head;
  if (target === undefined || method !== "POST") return undefined;
  const authorization = textOf(metadata, "authorization");
  if (!authorization.startsWith(SIGNATURE_SCHEME)) return undefined;
  const contentType = textOf(metadata, "content-type");
  return {
    authorization,
    parts: {
      contentMd5: textOf(metadata, "content-md5"),
      contentType,
      date: textOf(metadata, "date"),
    },
    contentTypes: contentType === DEFAULT_TYPE ? [contentType] : [contentType, DEFAULT_TYPE],
    resources: [target, path, `${path}/`],
  };
}

function textOf(metadata: MetadataView, name: string): string {
  const value = metadata.get(name);
  return typeof value === "string" ? value : "";
}
