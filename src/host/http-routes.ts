import type { HostView } from "../builtin/host-view.js";
import { BUILTIN_PREFIX, builtins } from "../builtin/registry.js";
import { isServiceName } from "../core/instance.js";
import { ServingError, servingError } from "../core/serving-error.js";
import { serveBuiltin } from "../door/builtin-http.js";
import { createEasDoor, type EasDoorOptions } from "../door/eas-door.js";
import type { Invoker } from "../door/invoker.js";
import type { TensorSide } from "../processor/tensor-side.js";
import type { HttpHandler, HttpRequest } from "../server/http.js";
import type { WebDoor } from "../server/web/web-door.js";
import { PREDICT_PREFIX } from "../wire/eas-paths.js";
import type { BodyDecoders } from "./body-decoders.js";
import type { HostMetrics } from "./host-metrics.js";
import { signatureJson } from "./published-signature.js";
import { wrongService } from "./wrong-service.js";

/** Answers whether the process lives, and whether it takes calls. */
export const HEALTH_PATHS: readonly string[] = ["/livez", "/readyz"];

/** Where the metrics stand, in Prometheus's text format. */
export const METRICS_PATH = "/metrics";

const PREDICT_ROUTE = PREDICT_PREFIX.slice(0, -1);
const OTHER_ROUTE = "other";

/** What the HTTP routes of a host are made of. */
export interface HttpRoutesOptions {
  readonly view: HostView;
  readonly invoker: Invoker;
  /** Answers the hosted methods. */
  readonly web: WebDoor;
  /** Whether there is a `process` for `/api/predict` and, with `otherPaths`, for the rest. */
  readonly takesBytes: boolean;
  /** For processors of tensors: what GET of `/api/predict/NAME` tells, if anything. */
  readonly tensors: TensorSide | undefined;
  readonly otherPaths: boolean;
  /** The hosted service; empty when it has no name. */
  readonly service: string;
  readonly decoders: BodyDecoders;
  readonly metrics: HostMetrics;
  /** Told of requests that no door has answered. */
  readonly refused: (request: HttpRequest, error: ServingError) => void;
}

/**
 * Makes the one table of paths of a host's HTTP side; the first that matches answers:
 * builtins, health and metrics, methods (gRPC-Web, Connect), `/api/predict/NAME[/...]`, everything else.
 */
export function createHttpRoutes(options: HttpRoutesOptions): HttpHandler {
  const route = createTable(options);
  const refused = (request: HttpRequest, thrown: unknown): never => {
    const error = ServingError.from(thrown);
    options.refused(request, error);
    throw error;
  };
  return (request) => {
    try {
      const done = route(request);
      return done instanceof Promise ? done.catch((thrown) => refused(request, thrown)) : done;
    } catch (thrown) {
      return refused(request, thrown);
    }
  };
}

function createTable(options: HttpRoutesOptions): HttpHandler {
  const { view, invoker, web, takesBytes, otherPaths, decoders, metrics } = options;
  const bodies = bodyOptions(options);
  const predict = createPredict(options, bodies);
  const others = createEasDoor(invoker, `POST ${OTHER_ROUTE}`, bodies);
  return (request) => {
    const { path, method } = request;
    if (path.startsWith(BUILTIN_PREFIX)) return serveBuiltin(view, request, decoders.builtins);
    if (HEALTH_PATHS.includes(path)) return serveHealth(view, request);
    if (path === METRICS_PATH) return serveMetrics(metrics, request);
    if (web.has(path)) return web.serve(request);
    if (takesBytes && path.startsWith(PREDICT_PREFIX)) return predict(request);
    // Whoever speaks gRPC-Web or Connect means a method, and nothing that `process` would know.
    const isCall = web.doorOf({ method, path, metadata: request.headers }) !== undefined;
    if (!takesBytes || !otherPaths || isCall)
      throw servingError("UNKNOWN_ROUTE", `nothing answers at ${shown(path)}`);
    if (method !== "POST") throw wrongVerb(request, "POST");
    return others(request, { service: "", path });
  };
}

function bodyOptions({ decoders, tensors }: HttpRoutesOptions): EasDoorOptions {
  const dialect = tensors?.dialect;
  return { decode: decoders.calls, bulkOffset: dialect && ((head) => dialect.bulkOffset(head)) };
}

/** What stands below `/api/predict`. */
function createPredict(
  { invoker, tensors, service }: HttpRoutesOptions,
  bodies: EasDoorOptions,
): HttpHandler {
  const door = createEasDoor(invoker, `POST ${PREDICT_ROUTE}`, bodies);
  const signature = tensors?.signature && signatureJson(tensors.signature);
  return (request) => {
    if (request.method === "POST") return door(request, calledService(request.path));
    if (tensors === undefined) throw wrongVerb(request, "POST");
    return serveSignature(request, signature, service);
  };
}

/** What the HTTP side answers, a line each, in the order in which it is looked up. */
export function httpRouteTexts(
  options: Pick<HttpRoutesOptions, "takesBytes" | "tensors" | "otherPaths">,
): readonly string[] {
  const { takesBytes, tensors, otherPaths } = options;
  return [
    ...builtins.map(
      ({ name, verbs }) => `${verbs.map((verb) => verb.name).join(", ")} ${BUILTIN_PREFIX}${name}`,
    ),
    ...[...HEALTH_PATHS, METRICS_PATH].map((path) => `GET ${path}`),
    ...(tensors?.signature === undefined ? [] : [`GET ${PREDICT_PREFIX}NAME`]),
    ...(takesBytes ? [`POST ${PREDICT_PREFIX}NAME[/...]`] : []),
    ...(takesBytes && otherPaths ? ["POST any other path"] : []),
  ];
}

/** What a path is called in counters: few names, however many paths. */
export function httpRouteOf(path: string): string {
  if (path.startsWith(PREDICT_PREFIX)) return PREDICT_ROUTE;
  const known = path.startsWith(BUILTIN_PREFIX) || [...HEALTH_PATHS, METRICS_PATH].includes(path);
  return known ? path.slice(0, 80) : OTHER_ROUTE;
}

async function serveMetrics(metrics: HostMetrics, request: HttpRequest): Promise<void> {
  const { method } = request;
  if (method !== "GET" && method !== "HEAD") throw wrongVerb(request, "GET");
  const { contentType, text } = await metrics();
  request.reply({ status: 200, headers: { "content-type": contentType }, body: text });
}

/** Answers with a signature at the service itself, with or without a slash behind its name; its sub-paths are for POST. */
function serveSignature(request: HttpRequest, signature: string | undefined, own: string): void {
  const { method, path: whole } = request;
  const { service, path } = calledService(whole);
  const problem = wrongService(service, own);
  if (problem !== undefined) throw problem;
  const here = path === "" || path === "/";
  if (!here || (method !== "GET" && method !== "HEAD")) {
    throw wrongVerb(request, here && signature !== undefined ? "GET or POST" : "POST");
  }
  if (signature === undefined) {
    throw wrongVerb(request, "POST", ": the processor publishes no signature");
  }
  request.reply({
    status: 200,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: `${signature}\n`,
  });
}

/** The service that a path below `/api/predict` names, and what follows it. */
function calledService(path: string): { service: string; path: string } {
  const rest = path.slice(PREDICT_PREFIX.length);
  const slash = rest.indexOf("/");
  const name = slash < 0 ? rest : rest.slice(0, slash);
  const service = decoded(name);
  if (service === "" || isServiceName(service)) {
    return { service, path: slash < 0 ? "" : rest.slice(slash) };
  }
  throw servingError("UNKNOWN_SERVICE", `${shown(service)} is no name of a service`);
}

function decoded(name: string): string {
  if (!name.includes("%")) return name;
  try {
    return decodeURIComponent(name);
  } catch {
    throw servingError(
      "MALFORMED_REQUEST",
      `the service name ${shown(name)} is not percent-encoded`,
    );
  }
}

function wrongVerb(request: HttpRequest, expected: string, why = ""): Error {
  return servingError(
    "METHOD_NOT_ALLOWED",
    `${shown(request.path)} takes ${expected}, not ${request.method}${why}`,
  );
}

function shown(path: string): string {
  return JSON.stringify(path.slice(0, 80));
}

function serveHealth(view: HostView, request: HttpRequest): void {
  const live = request.path === "/livez";
  const ok = live || view.state === "ready";
  request.reply({
    status: ok ? 200 : 503,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: `${JSON.stringify({ state: view.state })}\n`,
  });
}
