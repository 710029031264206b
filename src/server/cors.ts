import { type MetadataView, metadataText } from "../core/metadata.js";
import { servingError } from "../core/serving-error.js";
import type { CorsRules } from "./cors-options.js";
import type { HttpHeaders, HttpReply } from "./http.js";
import { errorReply } from "./http-errors.js";
import type { RequestHead } from "./request-head.js";

/** Lets pages of other origins call a port, as browsers ask for it. */
export interface Cors {
  /** The answer to a browser that asks whether a page may call; undefined for any other request. */
  preflight(head: RequestHead): HttpReply | undefined;
  /** What is said besides in an answer with such headers. */
  headersFor(head: RequestHead, headers: HttpHeaders): HttpHeaders;
}

/** Request headers that the clients of gRPC-Web and Connect send, and what the kit itself reads. */
const clientHeaders: readonly string[] = [
  "authorization",
  "connect-protocol-version",
  "connect-timeout-ms",
  "content-type",
  "grpc-timeout",
  "traceparent",
  "tracestate",
  "x-grpc-web",
  "x-inferwire-priority",
  "x-request-id",
  "x-user-agent",
];

const METHODS = "GET, HEAD, POST";

/**
 * Makes the answers to browsers.
 *
 * @param holdsFor - whether pages of other origins may call a path at all
 * Source: https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function createCors(rules: CorsRules, holdsFor: (path: string) => boolean): Cors {
  const { origins, credentials } = rules;
  const listed: ReadonlySet<string> = new Set(origins === "*" ? [] : origins);
  const allowed = (origin: string): boolean => origins === "*" || listed.has(origin);
  const permission = (origin: string): HttpHeaders => ({
    "access-control-allow-origin": origins === "*" ? "*" : origin,
    ...(credentials ? { "access-control-allow-credentials": "true" } : {}),
  });
  // What is answered differs by origin, which whoever keeps answers must know.
  const varying = ({ vary }: HttpHeaders): HttpHeaders => {
    if (origins === "*") return {};
    return { vary: vary === undefined ? "Origin" : `${vary}, Origin` };
  };
  const preflightHeaders: HttpHeaders = {
    "access-control-allow-methods": METHODS,
    "access-control-allow-headers": [...clientHeaders, ...rules.allowHeaders].join(", "),
    "access-control-max-age": String(rules.maxAgeSeconds),
  };
  return {
    preflight(head) {
      const { metadata, path, method } = head;
      const origin = metadataText(metadata, "origin");
      if (origin === undefined || !isQuestion(method, metadata) || !holdsFor(path)) {
        return undefined;
      }
      if (allowed(origin)) return { status: 200, headers: preflightHeaders };
      const seen = JSON.stringify(origin.slice(0, 80));
      return errorReply(
        servingError("FORBIDDEN", `pages of ${seen} may not call: option cors.origins lacks it`),
      );
    },
    headersFor({ metadata, path, method }, headers) {
      if (!holdsFor(path)) return {};
      const origin = metadataText(metadata, "origin");
      if (origin === undefined || !allowed(origin)) return varying(headers);
      // No page ever sees the answer to a browser's own question.
      const exposed = isQuestion(method, metadata) ? "" : Object.keys(headers).join(", ");
      return {
        ...permission(origin),
        ...(exposed === "" ? {} : { "access-control-expose-headers": exposed }),
        ...varying(headers),
      };
    },
  };
}

/** Whether it is a browser that asks on behalf of a page. */
function isQuestion(method: string, metadata: MetadataView): boolean {
  return method === "OPTIONS" && metadata.get("access-control-request-method") !== undefined;
}
