import { CallAbort } from "../core/call-abort.js";
import { type Invocation, isSequence, type Outcome } from "../core/invocation.js";
import { emptyMetadata, type MetadataView } from "../core/metadata.js";
import { ServingError, servingError } from "../core/serving-error.js";
import { httpFromStatus, statusName } from "../core/status.js";
import { isDeliberate } from "../processor/runner.js";
import type { HttpHeaders, HttpReply, HttpRequest } from "../server/http.js";
import { errorReply } from "../server/http-errors.js";
import type { CallSeries, Invoker } from "./invoker.js";
import { abandon } from "./predict-door.js";

/** Where an EAS request wants to go. */
export interface EasRoute {
  /** NAME of `/api/predict/NAME`; empty for any other path. */
  readonly service: string;
  /** What the processor sees as `call.path`. */
  readonly path: string;
}

/** EAS's predict over HTTP: the body in, the processor's answer with its status out. */
export type EasDoor = (request: HttpRequest, route: EasRoute) => Promise<void>;

/** Makes the door; `method` names its calls in the counters. */
export function createEasDoor(invoker: Invoker, method: string): EasDoor {
  const series = invoker.series("eas", method);
  return (request, route) => serve(request, route, invoker, series);
}

async function serve(
  request: HttpRequest,
  route: EasRoute,
  invoker: Invoker,
  series: CallSeries,
): Promise<void> {
  const { clock, requestTimeoutMs } = invoker;
  const abort = new CallAbort();
  let ended = false;
  const end = (status: number): void => {
    ended = true;
    cancelTimer?.();
    series.ended(String(status), clock.now() - request.arrivedMs);
  };
  const fail = (error: ServingError): void => {
    if (ended) return;
    const reply = easErrorReply(error);
    end(reply.status);
    request.reply(reply);
    abort.abort(error);
  };
  const cancelTimer =
    requestTimeoutMs === Number.POSITIVE_INFINITY
      ? undefined
      : clock.after(requestTimeoutMs, () =>
          fail(
            servingError(
              "DEADLINE_EXCEEDED",
              `the call took longer than the host's ${requestTimeoutMs} ms`,
            ),
          ),
        );
  request.onClose(() => {
    if (!ended) end(499);
    abort.abort(servingError("CANCELLED", "the caller gave the call up"));
  });
  try {
    const payloads = await request.readBody();
    if (ended) return;
    const outcome = await invoker.invoke(
      invocationOf(request, route, payloads, abort, requestTimeoutMs),
    );
    if (ended) {
      if (isSequence(outcome.payloads)) await abandon(outcome.payloads);
      return;
    }
    if (isSequence(outcome.payloads)) await answerPieces(request, outcome, outcome.payloads, end);
    else {
      const reply = replyOf(outcome, outcome.payloads);
      end(reply.status);
      request.reply(reply);
    }
  } catch (thrown) {
    fail(ServingError.from(thrown));
  }
}

function invocationOf(
  request: HttpRequest,
  route: EasRoute,
  payloads: Uint8Array,
  abort: CallAbort,
  requestTimeoutMs: number,
): Invocation {
  return {
    door: "eas",
    service: route.service,
    method: request.method,
    path: route.path,
    query: request.query,
    metadata: request.headers,
    get peer() {
      return request.peer;
    },
    arrivedMs: request.arrivedMs,
    deadlineMs: request.arrivedMs + requestTimeoutMs,
    payloads,
    takesPieces: true,
    abort,
  };
}

/** 0 is EAS's other word for success. */
function httpStatus(outcome: Outcome): number {
  return outcome.status === 0 ? 200 : outcome.status;
}

function replyOf(outcome: Outcome, body: Uint8Array): HttpReply {
  return { status: httpStatus(outcome), headers: answerHeaders(outcome.headers), body };
}

// The status line goes out with the first piece: a sequence that fails before it can still be answered as an error.
async function answerPieces(
  request: HttpRequest,
  outcome: Outcome,
  pieces: AsyncIterable<Uint8Array>,
  end: (status: number) => void,
): Promise<void> {
  const iterator = pieces[Symbol.asyncIterator]();
  const first = await iterator.next();
  const status = httpStatus(outcome);
  end(status);
  await request.replyInPieces(
    { status, headers: answerHeaders(outcome.headers) },
    first.done === true ? nothing() : startingWith(first.value, iterator),
  );
}

async function* nothing(): AsyncIterable<Uint8Array> {}

async function* startingWith(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncIterable<Uint8Array> {
  try {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}

const plainHeaders: HttpHeaders = { "content-type": "application/octet-stream" };

/** Headers that belong to the connection; a processor may not set them. */
const connectionHeaders: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);

function answerHeaders(metadata: MetadataView): HttpHeaders {
  if (metadata === emptyMetadata) return plainHeaders;
  const headers: Record<string, string> = { ...plainHeaders };
  for (const [key, value] of metadata.entries()) {
    if (typeof value === "string" && !connectionHeaders.has(key)) headers[key] = value;
  }
  return headers;
}

function easErrorReply(error: ServingError): HttpReply {
  const reply = errorReply(error);
  if (!isDeliberate(error)) return reply;
  return { ...reply, status: httpFromStatus[statusName(error.code)] };
}
