import { createHmac } from "node:crypto";

/** What is signed, each as it stands in the request; empty for a header that is not sent. */
export interface SignedParts {
  /** `Content-MD5`: digest of the body as sent, in lower-case hexadecimal. */
  readonly contentMd5: string;
  /** `Content-Type`. */
  readonly contentType: string;
  /** `Date`. */
  readonly date: string;
  /** Path of the request, with its query where the caller signs it. */
  readonly resource: string;
}

/** What an `authorization` header of this kind begins with. */
export const SIGNATURE_SCHEME = "EAS ";

/**
 * Makes the `authorization` header that signs a request: `EAS` and the HMAC-SHA1 in base64.
 *
 * @param token - Key: the token's text, not decoded.
 *
 * Source: EAS's SDKs sign `POST`, MD5, type, date and resource, joined by line feeds.
 */
export function easSignature(token: string, parts: SignedParts): string {
  const { contentMd5, contentType, date, resource } = parts;
  const text = ["POST", contentMd5, contentType, date, resource].join("\n");
  return SIGNATURE_SCHEME + createHmac("sha1", token).update(text, "utf8").digest("base64");
}
