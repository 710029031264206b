import { createHash, timingSafeEqual } from "node:crypto";
import type { MetadataValue } from "../core/metadata.js";
import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import { isToken } from "../core/token.js";

/** Decides whether an `authorization` header names one of the tokens. */
export interface TokenGuard {
  /** True when no token is set: everything is let in. */
  readonly open: boolean;
  /** Takes `TOKEN` and `Bearer TOKEN`; takes the same time whatever is wrong with it. */
  accepts(authorization: MetadataValue | undefined): boolean;
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
  if (tokens === undefined) return { open: true, accepts: () => true };
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
  return {
    open: false,
    accepts(authorization) {
      if (typeof authorization !== "string") return false;
      if (accepted.has(authorization)) return true;
      const given = digest(authorization.replace(BEARER, ""));
      let ok = false;
      for (const known of digests) ok = timingSafeEqual(known, given) || ok;
      if (ok && accepted.size < REMEMBERED) accepted.add(authorization);
      return ok;
    },
  };
}
