import { metadataText } from "../core/metadata.js";
import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import type { HttpHandler, HttpReply, HttpRequest } from "../server/http.js";
import { errorReply } from "../server/http-errors.js";
import type { UpstreamList } from "../wire/upstream.js";
import { listWarnings, upstreamAnswerToJson, upstreamPaths } from "../wire/upstream-json.js";
import { checkedService } from "../wire/upstream-registration.js";
import type { DirectoryStore } from "./store.js";
import { unknownService } from "./upstream-door.js";

/** Paths that tell an orchestrator how the directory is; open to anybody. */
export const healthPaths: ReadonlySet<string> = new Set(["/livez", "/readyz"]);

/** How the JSON door answers. */
export interface JsonDoorOptions {
  /** Divide the weights by their greatest common divisor. */
  readonly reduceWeights: boolean;
  /** False while the directory is stopping. */
  readonly ready: () => boolean;
}

/**
 * Makes the door for EAS clients: both discovery paths, and the health paths.
 *
 * 200 with at least one instance, or no 200 at all: an empty list makes the Python and Go SDKs drop the one they have. A
 * service that is unknown is 404, one with nobody to call 503. A list that is stale, or not settled, is served as any other, with
 * the header `warning`, which EAS's SDKs ignore.
 */
export function createJsonDoor(store: DirectoryStore, options: JsonDoorOptions): HttpHandler {
  const bodies = new WeakMap<UpstreamList, string>();

  function bodyOf(list: UpstreamList): string {
    let body = bodies.get(list);
    if (body === undefined) {
      body = upstreamAnswerToJson(list, options);
      bodies.set(list, body);
    }
    return body;
  }

  function listing(service: string, request: HttpRequest): HttpReply {
    const list = store.list(checkedService(service));
    if (!list.known) throw unknownService(service);
    const warning = listWarnings(list);
    const warned = warning === undefined ? {} : { warning };
    if (!list.instances.some(({ weight }) => weight > 0)) {
      const why = `service is "${service}", which has no instance to call`;
      const reply = errorReply(servingError("NO_INSTANCE", why));
      return { ...reply, headers: { ...reply.headers, ...warned } };
    }
    const etag = `"${list.version}"`;
    const headers = { etag, "cache-control": "no-cache", ...warned };
    if (matches(metadataText(request.headers, "if-none-match"), etag)) {
      return { status: 304, headers };
    }
    const body = bodyOf(list);
    return { status: 200, headers: { ...headers, ...JSON_TYPE }, body };
  }

  return (request) => {
    const { method, path } = request;
    const service = serviceOf(path);
    if (service === undefined && !healthPaths.has(path)) throw unknownPath(path);
    if (method !== "GET" && method !== "HEAD") {
      const refusal = servingError("METHOD_NOT_ALLOWED", `${method} ${path}: expected GET or HEAD`);
      const reply = errorReply(refusal);
      request.reply({ ...reply, headers: { ...reply.headers, allow: "GET, HEAD" } });
      return;
    }
    if (service !== undefined) request.reply(listing(service, request));
    else request.reply(health(path === "/livez" || options.ready()));
  };
}

const JSON_TYPE = { "content-type": "application/json; charset=utf-8" } as const;

function health(good: boolean): HttpReply {
  const headers = { "content-type": "text/plain; charset=utf-8" };
  return { status: good ? 200 : 503, headers, body: good ? "ok\n" : "stopping\n" };
}

function serviceOf(path: string): string | undefined {
  const prefix = upstreamPaths.find((start) => path.startsWith(start));
  return prefix === undefined ? undefined : path.slice(prefix.length);
}

function unknownPath(path: string): Error {
  const known = [...upstreamPaths.map((start) => `${start}SERVICE`), ...healthPaths].join(", ");
  return servingError("UNKNOWN_ROUTE", `path is ${seen(path)}, expected one of ${known}`);
}

/** Whether an If-None-Match names the tag; a weak one does too, since only the bytes could differ. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").some((part) => {
    const tag = part.trim().replace(/^W\//, "");
    return tag === "*" || tag === etag;
  });
}
