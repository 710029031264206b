import { callFunction } from "../builtin/call.js";
import { eastool } from "../builtin/eastool.js";
import type { HostView } from "../builtin/host-view.js";
import { monitor } from "../builtin/monitor.js";
import { MAX_ECHO_BYTES, ping } from "../builtin/ping.js";
import { readProperties, writeProperties } from "../builtin/prop.js";
import { recordedSeconds, recordSamples } from "../builtin/realtime-metrics.js";
import {
  BUILTIN_PREFIX,
  type BuiltinEntry,
  type BuiltinName,
  builtins,
} from "../builtin/registry.js";
import { tell } from "../builtin/tell.js";
import { term } from "../builtin/term.js";
import { CallAbort } from "../core/call-abort.js";
import { didYouMean } from "../core/nearest.js";
import { isServingError, servingError } from "../core/serving-error.js";
import { isDeliberate } from "../processor/runner.js";
import type { HttpReply, HttpRequest } from "../server/http.js";
import {
  graceFromJson,
  propertiesFromJson,
  samplesFromJson,
  secondToJson,
} from "./builtin-json.js";
import type { BodyDecoder } from "./eas-door.js";
import { processorErrorReply } from "./processor-error.js";

const byName: ReadonlyMap<string, BuiltinEntry> = new Map(builtins.map((b) => [b.name, b]));

/** A request to a builtin, read whole. */
interface Exchange {
  readonly request: HttpRequest;
  readonly query: URLSearchParams;
  readonly body: Uint8Array;
  /** Aborted when the caller leaves. */
  readonly abort: CallAbort;
}

interface Handler {
  /** Longest body that is read; none of its own: the port's limit. */
  readonly maxBodyBytes?: number;
  readonly answer: (view: HostView, exchange: Exchange) => HttpReply | Promise<HttpReply>;
}

const KiB = 1_024;

/** The largest request that `realtime_metrics` takes has about 3 MB. */
const MAX_JSON_BYTES = 4_096 * KiB;

const handlers: Readonly<Record<BuiltinName, Handler>> = {
  call: { answer: answerCall },
  eastool: {
    maxBodyBytes: KiB,
    async answer(view, { query, abort }) {
      const seconds = query.has("seconds") ? Number(query.get("seconds")) : undefined;
      return json(await eastool(view, { report: query.get("report"), seconds, abort }));
    },
  },
  monitor: { maxBodyBytes: KiB, answer: (view) => json(monitor(view)) },
  ping: {
    maxBodyBytes: MAX_ECHO_BYTES,
    answer(view, { body }) {
      const { echo, startedAtMs, ...rest } = ping(view, body);
      const startedAt = new Date(startedAtMs).toISOString();
      const text = new TextDecoder().decode(echo);
      return json({ ...rest, startedAt, ...(echo.length > 0 ? { echo: text } : {}) });
    },
  },
  prop: {
    maxBodyBytes: MAX_JSON_BYTES,
    answer(view, { request, query, body }) {
      const properties =
        request.method === "GET"
          ? readProperties(view, query.getAll("name"))
          : writeProperties(view, propertiesFromJson(body));
      return json({ properties });
    },
  },
  realtime_metrics: {
    maxBodyBytes: MAX_JSON_BYTES,
    answer(view, { request, query, body }) {
      if (request.method === "GET") {
        const seconds = Array.from(recordedSeconds(view, query.getAll("name")), secondToJson);
        return json({ seconds });
      }
      // EAS's own gateway adds `internal=true`, which says nothing here.
      recordSamples(view, samplesFromJson(body));
      return json({});
    },
  },
  tell: { answer: (view, { body }) => json(tell(view, body)) },
  term: { maxBodyBytes: KiB, answer: (view, { body }) => json(term(view, graceFromJson(body))) },
};

/**
 * Answers `/api/builtin/NAME`: one line of JSON, but for the bytes of `call`.
 *
 * @param decode - Run on each body before it is read.
 * @throws HostError `UNKNOWN_BUILTIN`, `METHOD_NOT_ALLOWED`, `MESSAGE_TOO_LARGE`, what the builtin throws.
 */
export async function serveBuiltin(
  view: HostView,
  request: HttpRequest,
  decode?: BodyDecoder,
): Promise<void> {
  const { name, verbs } = entryOf(request.path.slice(BUILTIN_PREFIX.length));
  if (!verbs.some((verb) => verb.name === request.method)) {
    const known = verbs.map((verb) => verb.name).join(" or ");
    throw servingError("METHOD_NOT_ALLOWED", `${name} takes ${known}, not ${request.method}`);
  }
  const abort = new CallAbort();
  request.onClose(() => abort.abort(servingError("CANCELLED", "the caller gave the call up")));
  const { maxBodyBytes, answer } = handlers[name];
  const body = await request.readBody({
    maxBytes: maxBodyBytes,
    decode:
      decode === undefined
        ? undefined
        : (sent) => decode(sent, { request, abort, refusal: () => undefined }),
  });
  const query = new URLSearchParams(request.query);
  request.reply(await answer(view, { request, query, body, abort }));
}

function entryOf(name: string): BuiltinEntry {
  const entry = byName.get(name);
  if (entry !== undefined) return entry;
  throw servingError(
    "UNKNOWN_BUILTIN",
    `no builtin ${JSON.stringify(name.slice(0, 40))}${didYouMean(name, byName.keys())}`,
  );
}

async function answerCall(view: HostView, exchange: Exchange): Promise<HttpReply> {
  const { query, body, abort } = exchange;
  const { headers: metadata, peer } = exchange.request;
  // HTTP callers name no deadline: the host's own limit counts.
  const caller = {
    door: "eas",
    metadata,
    peer,
    abort,
    deadlineMs: Number.POSITIVE_INFINITY,
  } as const;
  try {
    const answer = await callFunction(view, query.get("function"), body, caller);
    return { status: 200, headers: { "content-type": "application/octet-stream" }, body: answer };
  } catch (thrown) {
    if (isServingError(thrown) && isDeliberate(thrown)) return processorErrorReply(thrown);
    throw thrown;
  }
}

function json(value: object): HttpReply {
  return {
    status: 200,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: `${JSON.stringify(value)}\n`,
  };
}
