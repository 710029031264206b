import type { HostView } from "../builtin/host-view.js";
import { servingError } from "../core/serving-error.js";
import { BUILTIN_PREFIX, serveBuiltin } from "../door/builtin-http.js";
import { createEasDoor } from "../door/eas-door.js";
import type { Invoker } from "../door/invoker.js";
import type { HttpHandler, HttpRequest } from "../server/http.js";

/** Answers whether the process lives, and whether it takes calls. */
export const HEALTH_PATHS: readonly string[] = ["/livez", "/readyz"];

const PREDICT_PREFIX = "/api/predict/";

/** What the HTTP routes of a host are made of. */
export interface HttpRoutesOptions {
  readonly view: HostView;
  readonly invoker: Invoker;
  /** Paths of the hosted gRPC methods. */
  readonly rpcPaths: ReadonlySet<string>;
  readonly otherPaths: boolean;
}

/**
 * Makes the one table of paths of a host's HTTP side; the first that matches answers:
 * builtins, health, gRPC methods, `/api/predict/NAME[/...]`, everything else.
 */
export function createHttpRoutes(options: HttpRoutesOptions): HttpHandler {
  const { view, invoker, rpcPaths, otherPaths } = options;
  const predict = createEasDoor(invoker, "POST /api/predict");
  const others = createEasDoor(invoker, "POST other");
  return (request) => {
    const { path, method } = request;
    if (path.startsWith(BUILTIN_PREFIX)) return serveBuiltin(view, request);
    if (HEALTH_PATHS.includes(path)) return serveHealth(view, request);
    if (rpcPaths.has(path)) {
      throw servingError("NOT_IN_THIS_VERSION", `${path} is answered over HTTP/2 (gRPC) only`);
    }
    if (path.startsWith(PREDICT_PREFIX)) {
      if (method !== "POST") throw wrongVerb(request, "POST");
      return predict(request, predictRoute(path));
    }
    if (!otherPaths) throw servingError("UNKNOWN_ROUTE", `nothing answers at ${shown(path)}`);
    if (method !== "POST") throw wrongVerb(request, "POST");
    return others(request, { service: "", path });
  };
}

function predictRoute(path: string): { service: string; path: string } {
  const rest = path.slice(PREDICT_PREFIX.length);
  const slash = rest.indexOf("/");
  const name = slash < 0 ? rest : rest.slice(0, slash);
  return { service: decoded(name), path: slash < 0 ? "" : rest.slice(slash) };
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

function wrongVerb(request: HttpRequest, expected: string): Error {
  return servingError(
    "METHOD_NOT_ALLOWED",
    `${shown(request.path)} takes ${expected}, not ${request.method}`,
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
