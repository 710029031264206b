import type { HostView } from "../builtin/host-view.js";
import { monitor } from "../builtin/monitor.js";
import { ping } from "../builtin/ping.js";
import { type BuiltinEntry, type BuiltinName, builtins } from "../builtin/registry.js";
import { term } from "../builtin/term.js";
import { didYouMean } from "../core/nearest.js";
import { servingError } from "../core/serving-error.js";
import type { HttpReply, HttpRequest } from "../server/http.js";

/** Where the builtins stand over HTTP. */
export const BUILTIN_PREFIX = "/api/builtin/";

const byName: ReadonlyMap<string, BuiltinEntry> = new Map(builtins.map((b) => [b.name, b]));

type Handler = (view: HostView, body: Uint8Array) => unknown;

const handlers: Readonly<Partial<Record<BuiltinName, Handler>>> = {
  ping(view, body) {
    const { echo, startedAtMs, ...rest } = ping(view, body);
    const startedAt = new Date(startedAtMs).toISOString();
    return { ...rest, startedAt, ...(echo.length > 0 ? { echo: textOf(echo) } : {}) };
  },
  monitor: (view) => monitor(view),
  term: (view, body) => term(view, graceOf(body)),
};

/**
 * Answers `/api/builtin/NAME` with one line of JSON.
 *
 * @throws HostError `UNKNOWN_BUILTIN`, `METHOD_NOT_ALLOWED`, `NOT_IN_THIS_VERSION`, `MALFORMED_REQUEST`.
 */
export async function serveBuiltin(view: HostView, request: HttpRequest): Promise<void> {
  const name = request.path.slice(BUILTIN_PREFIX.length);
  const entry = byName.get(name);
  if (entry === undefined) {
    throw servingError(
      "UNKNOWN_BUILTIN",
      `no builtin ${JSON.stringify(name.slice(0, 40))}${didYouMean(name, byName.keys())}`,
    );
  }
  const verbs = entry.verbs.map((verb) => verb.name);
  if (!verbs.includes(request.method)) {
    throw servingError(
      "METHOD_NOT_ALLOWED",
      `${entry.name} takes ${verbs.join(" or ")}, not ${request.method}`,
    );
  }
  const handler = handlers[entry.name];
  if (handler === undefined) {
    throw servingError("NOT_IN_THIS_VERSION", `builtin ${entry.name} is not in this version`);
  }
  request.reply(json(handler(view, await request.readBody())));
}

function json(value: unknown): HttpReply {
  return {
    status: 200,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: `${JSON.stringify(value)}\n`,
  };
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function graceOf(body: Uint8Array): number | undefined {
  if (body.length === 0) return undefined;
  const grace = gracePeriodIn(textOf(body));
  if (grace === undefined) {
    throw servingError("MALFORMED_REQUEST", 'term takes nothing, or {"gracePeriodMs": NUMBER}');
  }
  return grace;
}

function gracePeriodIn(text: string): number | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("gracePeriodMs" in value))
      return undefined;
    return typeof value.gracePeriodMs === "number" ? value.gracePeriodMs : undefined;
  } catch {
    // Not JSON: refused like any other shape.
    return undefined;
  }
}
