import { addressText, type Instance } from "../../core/instance.js";
import { emptyMetadata, metadataOf } from "../../core/metadata.js";
import type { Clock } from "../../core/ports.js";
import { Status } from "../../core/status.js";
import { attemptError } from "../../transport/attempt-error.js";
import { httpEnd } from "../../transport/http-end.js";
import { httpGet } from "../../transport/http-get.js";
import { createHttpTransport } from "../../transport/http-transport.js";
import type { AttemptEnd, ClientTls } from "../../transport/transport.js";

/** One request over HTTP to one instance. */
export interface HttpExchange {
  readonly verb: "GET" | "POST";
  /** With the query. */
  readonly path: string;
  readonly body: Uint8Array;
  readonly token: string | undefined;
  readonly tls: ClientTls | undefined;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Largest answer, in bytes; a heap summary or profile has some MB. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/**
 * Sends it, and waits for the whole answer.
 *
 * @returns the body of an answer with status 200
 * @throws CallError for any other; what connections fail with.
 */
export async function exchange(instance: Instance, request: HttpExchange): Promise<Uint8Array> {
  return request.verb === "GET" ? await get(instance, request) : await post(instance, request);
}

async function get(instance: Instance, request: HttpExchange): Promise<Uint8Array> {
  const { path, token, tls, timeoutMs, clock, signal } = request;
  const origin = `${tls === undefined ? "http" : "https"}://${addressText(instance.host, instance.port)}`;
  // The request alone would not keep the command alive.
  const letGo = clock.after(timeoutMs * 2, () => {});
  try {
    const { status, body } = await httpGet({
      url: `${origin}${path}`,
      headers: token === undefined ? {} : { authorization: token },
      timeoutMs,
      maxBodyBytes: MAX_ANSWER_BYTES,
      tls,
      clock,
      signal,
    });
    if (status === 200) return body;
    throw errorOf(httpEnd(status, emptyMetadata, body, token), instance, path);
  } finally {
    letGo();
  }
}

async function post(instance: Instance, request: HttpExchange): Promise<Uint8Array> {
  const { path, body, token, tls, timeoutMs, clock, signal } = request;
  const metadata = metadataOf(token === undefined ? {} : { authorization: token });
  const transport = createHttpTransport(instance, {
    tls,
    clock,
    connectTimeoutMs: timeoutMs,
    maxMessageBytes: MAX_ANSWER_BYTES,
  });
  try {
    return await new Promise((resolve, reject) => {
      let answer: Uint8Array = new Uint8Array(0);
      const attempt = transport.start(
        { path, metadata, timeoutMs, previousAttempts: 0 },
        {
          onHeaders() {},
          onMessage(message) {
            answer = message;
          },
          onEnd(end) {
            if (end.reason === undefined) resolve(answer);
            else reject(errorOf(end, instance, path));
          },
        },
      );
      signal.addEventListener("abort", () => attempt.cancel(Status.CANCELLED, "given up"), {
        once: true,
      });
      attempt.send(body);
      attempt.halfClose();
    });
  } finally {
    transport.close();
  }
}

function errorOf(end: AttemptEnd, { key }: Instance, path: string): Error {
  return attemptError(path, end, { instance: key });
}
