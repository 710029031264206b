import type { IncomingMessage } from "node:http";
import { type ServingError, servingError } from "../core/serving-error.js";
import type { ServerLimits } from "./limits.js";

/**
 * Finds what is wrong with a request's headers that node:http lets through: too many of them, and what two servers in a
 * row might read differently (request smuggling).
 *
 * Source: RFC 9112, 3.2 (one Host) and 6.1 (transfer codings).
 */
export function headProblem(
  request: IncomingMessage,
  limits: ServerLimits,
): ServingError | undefined {
  const { rawHeaders } = request;
  if (rawHeaders.length / 2 > limits.maxHeaderCount) {
    return servingError(
      "HEADERS_TOO_LARGE",
      `more than ${limits.maxHeaderCount} headers, at most that many are taken`,
    );
  }
  if (hostCount(rawHeaders) > 1) {
    return servingError("MALFORMED_REQUEST", "more than one host header, expected one");
  }
  const coding = request.headers["transfer-encoding"];
  if (coding === undefined) return undefined;
  if (coding.toLowerCase() !== "chunked") {
    return servingError(
      "MALFORMED_REQUEST",
      "a transfer-encoding that is not known, expected chunked",
    );
  }
  if (request.httpVersion !== "1.1") {
    return servingError("MALFORMED_REQUEST", "a transfer-encoding with HTTP/1.0, expected 1.1");
  }
  return undefined;
}

function hostCount(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === "host") count++;
  }
  return count;
}
