import type { IncomingMessage } from "node:http";
import type { Clock } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import {
  connectionError,
  type HttpHead,
  type HttpQuestion,
  headOf,
  startGet,
} from "./http-connection.js";

/** One GET. */
export interface HttpGetRequest extends HttpQuestion {
  /** For all of it, from the look-up of the name to the last byte of the body. */
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
  readonly clock: Clock;
  /** Gives it up. */
  readonly signal?: AbortSignal | undefined;
}

/** The answer to a GET, whatever its status. */
export interface HttpGetResponse extends HttpHead {
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
  const { timeoutMs, maxBodyBytes, clock, signal } = request;
  return new Promise((resolve, reject) => {
    const sent = startGet(request);
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
    sent.on("error", fail);
    sent.on("response", (response) => {
      readBody(response, maxBodyBytes).then(
        (body) => settle(() => resolve({ ...headOf(response), body })),
        fail,
      );
    });
    if (signal?.aborted === true) abort();
    else signal?.addEventListener("abort", abort, { once: true });
    sent.end();
  });
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
