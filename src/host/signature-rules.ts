import { type ServingError, servingError } from "../core/serving-error.js";
import type { RequestHead } from "../server/request-head.js";
import { signatureOf } from "../server/request-signature.js";
import type { ResolvedHostOptions } from "./host-options.js";

/**
 * Makes what a host asks of signed requests besides a right signature.
 *
 * @param wallNowMs - The time of day, which dates are held against: the clock of timers keeps its own when the system's is set.
 */
export function createSignatureRules(
  { checkContentMd5, maxClockSkewMs }: ResolvedHostOptions,
  wallNowMs: () => number,
): (head: RequestHead) => ServingError | undefined {
  const anyDate = maxClockSkewMs === Number.POSITIVE_INFINITY;
  if (anyDate && !checkContentMd5) return () => undefined;
  return (head) => {
    const parts = signatureOf(head)?.parts;
    if (parts === undefined) return undefined;
    // Without it nothing binds the signature to the body.
    if (checkContentMd5 && parts.contentMd5 === "") {
      return servingError("MALFORMED_REQUEST", "content-md5 is missing, signed requests need it");
    }
    return anyDate ? undefined : dateProblem(parts.date, wallNowMs(), maxClockSkewMs);
  };
}

function dateProblem(date: string, nowMs: number, mostMs: number): ServingError | undefined {
  const expected = `expected one within ${mostMs} ms of the host's clock`;
  const dateMs = Date.parse(date);
  if (Number.isNaN(dateMs)) {
    const what = date === "" ? "missing" : "unreadable";
    return servingError("UNAUTHENTICATED", `the date header is ${what}, ${expected}`);
  }
  const skewMs = Math.round(dateMs - nowMs);
  if (Math.abs(skewMs) <= mostMs) return undefined;
  const side = skewMs < 0 ? "behind" : "ahead";
  return servingError(
    "UNAUTHENTICATED",
    `the date header is ${Math.abs(skewMs)} ms ${side}, ${expected}`,
  );
}

/** Says what is wrong with a request whose authorization is not accepted; nothing of what would be. */
export function refusedAuthorization(head: RequestHead): ServingError {
  if (signatureOf(head) !== undefined) {
    const over = "content-md5, content-type, date and path, each as received";
    return servingError("UNAUTHENTICATED", `a wrong signature, expected one over ${over}`);
  }
  const given = head.metadata.get("authorization");
  const what = given === undefined ? "no authorization" : "a wrong token";
  return servingError("UNAUTHENTICATED", `${what}, expected the host's token as authorization`);
}
