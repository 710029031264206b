import { createHash, timingSafeEqual } from "node:crypto";
import type { MetadataValue } from "../core/metadata.js";
import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import { isToken } from "../core/token.js";
import { easSignature } from "../wire/eas-signature.js";
import type { RequestHead } from "./request-head.js";
import { type RequestSignature, signatureOf } from "./request-signature.js";

/** Decides whether a request names one of the tokens, or is signed with one. */
export interface TokenGuard {
  /** True when no token is set: everything is let in. */
  readonly open: boolean;
  /** Takes `TOKEN` and `Bearer TOKEN`; takes the same time whatever is wrong with it. */
  accepts(authorization: MetadataValue | undefined): boolean;
  /** Takes a request over HTTP that is signed with a token besides: `EAS SIGNATURE`. */
  acceptsRequest(head: RequestHead): boolean;
}

// Digests have one length, so that comparing them tells nothing about the token's.
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

const BEARER = /^Bearer +/i;
const REMEMBERED = 64;

/**
 * Makes a guard of one token, or of several of which any will do (while clients change over from one to the next).
 *
 * @throws ConfigError `INVALID_OPTION` for an empty token or list.
 */
export function createTokenGuard(
  tokens: string | readonly string[] | undefined,
  option = "token",
): TokenGuard {
  if (tokens === undefined) return { open: true, accepts: () => true, acceptsRequest: () => true };
  const list = typeof tokens === "string" ? [tokens] : tokens;
  if (
    !Array.isArray(list) ||
    list.length === 0 ||
    list.some((t) => typeof t !== "string" || t === "")
  ) {
    throw servingError(
      "INVALID_OPTION",
      `${option} is ${seen(list)}, expected a text or a list of texts, none of them empty`,
    );
  }
  // No header can carry anything else, so that nobody could ever be let in; a newline at a secret file's end is usual.
  if (!list.every(isToken)) {
    throw servingError(
      "INVALID_OPTION",
      `${option} has a character that no header can carry, such as a newline, or a blank at an end`,
    );
  }
  const digests = list.map(digest);
  // Hashing a header costs as much as the rest of a small call's bookkeeping, and a connection sends the same one for
  // every call: accepted spellings are remembered. Looking one up in a Set compares hashes of the whole text first.
  const accepted = new Set<string>();
  const accepts = (authorization: MetadataValue | undefined): boolean => {
    if (typeof authorization !== "string") return false;
    if (accepted.has(authorization)) return true;
    const given = digest(authorization.replace(BEARER, ""));
    let ok = false;
    for (const known of digests) ok = timingSafeEqual(known, given) || ok;
    if (ok && accepted.size < REMEMBERED) accepted.add(authorization);
    return ok;
  };
  return {
    open: false,
    accepts,
    acceptsRequest(head) {
      if (accepts(head.metadata.get("authorization"))) return true;
      // Never remembered: a signature is good for what it was made over alone.
      const signature = signatureOf(head);
      return signature !== undefined && isSignedWithAny(signature, list);
    },
  };
}

/** A guard whose tokens can change while it is in use. */
export interface LiveTokenGuard extends TokenGuard {
  /**
   * From now on these tokens hold, and no others.
   *
   * @throws ConfigError `INVALID_OPTION`; the tokens from before hold on then.
   */
  replace(tokens: string | readonly string[]): void;
}

/** Makes a guard whose tokens can change. */
export function createLiveTokenGuard(
  tokens: string | readonly string[] | undefined,
  option: string,
): LiveTokenGuard {
  let current = createTokenGuard(tokens, option);
  return {
    get open() {
      return current.open;
    },
    accepts: (authorization) => current.accepts(authorization),
    acceptsRequest: (head) => current.acceptsRequest(head),
    replace(next) {
      current = createTokenGuard(next, option);
    },
  };
}

function isSignedWithAny(
  { authorization, parts, contentTypes, resources }: RequestSignature,
  tokens: readonly string[],
): boolean {
  const given = digest(authorization);
  const signed = contentTypes.flatMap((contentType) =>
    resources.map((resource) => ({ ...parts, contentType, resource })),
  );
  let ok = false;
  for (const token of tokens) {
    for (const one of signed) {
      ok = timingSafeEqual(digest(easSignature(token, one)), given) || ok;
    }
  }
  return ok;
}
