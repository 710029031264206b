import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import type { Clock } from "../core/ports.js";
import { ServingError, servingError } from "../core/serving-error.js";
import { connectionErrorText } from "./connection-error.js";
import type { ClientTls } from "./transport.js";

/** One GET. */
export interface HttpGetRequest {
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** For all of it, from the look-up of the name to the last byte of the body. */
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
  readonly tls?: ClientTls | undefined;
  readonly clock: Clock;
  /** Gives it up. */
  readonly signal?: AbortSignal | undefined;
}

/** The answer to a GET, whatever its status. */
export interface HttpGetResponse {
  readonly status: number;
  /** First value of a header, by its lower-case name. */
  header(name: string): string | undefined;
  readonly body: Uint8Array;
}

/** Does one GET. */
export type HttpGet = (request: HttpGetRequest) => Promise<HttpGetResponse>;

/**
 * Does one GET on a connection of its own, which keeps no process alive. Redirects are answers, not followed.
 *
 * @throws ServingError `DEADLINE_EXCEEDED`, `MESSAGE_TOO_LARGE`, `CANCELLED`, or what the connection failed with.
 */
export function httpGet(request: HttpGetRequest): Promise<HttpGetResponse> {
  const { url, headers, timeoutMs, maxBodyBytes, clock, signal } = request;
  return new Promise((resolve, reject) => {
    const secure = url.startsWith("https:");
    const start = secure ? httpsRequest : httpRequest;
    // One connection for each request: polls are seconds apart, and a kept one would have to be watched for being half
    // open, and would stay with an address that DNS no longer gives.
    const options: RequestOptions = {
      agent: false,
      headers: { "accept-encoding": "identity", ...headers },
      ...(secure ? tlsOptions(request.tls) : {}),
    };
    const sent = start(url, options);
    const settle = (act: () => void): void => {
      cancelTimer();
      signal?.removeEventListener("abort", abort);
      act();
    };
    const fail = (error: unknown): void => {
      settle(() => reject(connectionError(error)));
      sent.destroy();
    };
    const abort = (): void => fail(servingError("CANCELLED", "the request was given up"));
    const cancelTimer = clock.after(
      timeoutMs,
      () => fail(servingError("DEADLINE_EXCEEDED", `no whole answer within ${timeoutMs} ms`)),
      { background: true },
    );
    sent.on("socket", (socket) => socket.unref());
    sent.on("error", fail);
    sent.on("response", (response) => {
      readBody(response, maxBodyBytes).then(
        (body) => settle(() => resolve(responseOf(response, body))),
        fail,
      );
    });
    if (signal?.aborted === true) abort();
    else signal?.addEventListener("abort", abort, { once: true });
    sent.end();
  });
}

function tlsOptions(tls: ClientTls | undefined): RequestOptions {
  if (tls === undefined) return {};
  const { ca, cert, key, serverName } = tls;
  return {
    ...(ca === undefined ? {} : { ca: pem(ca) }),
    ...(cert === undefined ? {} : { cert: pem(cert) }),
    ...(key === undefined ? {} : { key: pem(key) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

function pem(text: string | Uint8Array): string | Buffer {
  return typeof text === "string" ? text : Buffer.from(text);
}

async function readBody(response: IncomingMessage, maxBodyBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) {
      throw servingError("MESSAGE_TOO_LARGE", `the answer is longer than ${maxBodyBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function responseOf(response: IncomingMessage, body: Uint8Array): HttpGetResponse {
  return {
    status: response.statusCode ?? 0,
    header(name) {
      const value = response.headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
    body,
  };
}

function connectionError(error: unknown): ServingError {
  if (error instanceof AggregateError && error.message === "") {
    return servingError("CONNECT_FAILED", connectionErrorText(error), { cause: error });
  }
  return ServingError.from(error);
}
