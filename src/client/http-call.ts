import type { Reason } from "../core/error-catalog.js";
import type { MetadataView } from "../core/metadata.js";
import type { CallError } from "../core/serving-error.js";
import { Status } from "../core/status.js";
import { localEnd } from "../transport/local-end.js";
import type { AttemptEnd, AttemptListener } from "../transport/transport.js";
import { CallRunner } from "./call/call-runner.js";
import type { RequestHead } from "./call/call-start.js";
import { endedCallError } from "./call/ended-call.js";
import type { CallExtras } from "./call-context.js";
import type { ChannelCore } from "./channel-core.js";
import type { TokenSource } from "./client-options.js";

/** What is sent: always a POST. What is left out is the channel's. */
export interface HttpCallRequest extends Readonly<CallExtras> {
  /** The request target, query included: `/api/predict/mnist?top=3`. */
  readonly path: string;
  /** By lower-case name; without those of the connection and `content-length`, which the transport makes. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent without a copy, so it must not change until the call has ended. */
  readonly body: Uint8Array;
  /** Sent as `authorization`, instead of the channel's. */
  readonly token?: TokenSource | undefined;
  /** Gives the call up. */
  readonly signal?: AbortSignal | undefined;
}

/** The answer to a call that ended with status 200. */
export interface HttpCallAnswer {
  readonly headers: MetadataView;
  /** May be a view of a larger buffer. */
  readonly body: Uint8Array;
  /** Makes the error of an answer that cannot be used after all. */
  unusable(reason: Reason, message: string, cause: unknown): CallError;
}

/**
 * Makes one call over a channel whose transports speak HTTP: picks an instance, and tries again elsewhere when that is
 * safe, as the policy has it.
 *
 * @throws CallError when there is no 200: with reason, attempts and, if an instance answered, its status and body.
 * @throws the signal's reason when that gave the call up.
 */
export function callOverHttp(core: ChannelCore, request: HttpCallRequest): Promise<HttpCallAnswer> {
  return new Promise((resolve, reject) => {
    request.signal?.throwIfAborted();
    new HttpCall(core, request, resolve, reject).start();
  });
}

class HttpCall implements AttemptListener {
  readonly #request: HttpCallRequest;
  readonly #resolve: (answer: HttpCallAnswer) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #runner: CallRunner;
  #headers: MetadataView | undefined;
  #body: Uint8Array | undefined;
  #abort: (() => void) | undefined;

  constructor(
    core: ChannelCore,
    request: HttpCallRequest,
    resolve: (answer: HttpCallAnswer) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    const { path, token } = request;
    const { timeoutMs, streamIdleTimeoutMs, maxAttempts, hedgeDelayMs } = core.policy;
    const method = {
      name: path,
      path,
      series: "predict",
      requestStream: false,
      responseStream: false,
      idempotent: false,
      metadata: [],
      timeoutMs,
      streamIdleTimeoutMs,
      maxAttempts,
      hedgeDelayMs,
    };
    const deadlineMs = Number.POSITIVE_INFINITY;
    this.#runner = new CallRunner(
      { core, owner: core, method, extras: request, token, deadlineMs },
      this,
    );
  }

  start(): void {
    const { headers, body, signal } = this.#request;
    const runner = this.#runner;
    if (signal !== undefined) {
      this.#abort = () => runner.cancel(Status.CANCELLED, "cancelled by its signal");
      signal.addEventListener("abort", this.#abort, { once: true });
    }
    runner.start(new HttpRequestHead(headers));
    runner.send(body, undefined);
    runner.halfClose();
    runner.read();
  }

  onHeaders(headers: MetadataView): void {
    this.#headers = headers;
  }

  onMessage(message: Uint8Array): void {
    this.#body = message;
  }

  onEnd(end: AttemptEnd): void {
    const { signal } = this.#request;
    if (this.#abort !== undefined) signal?.removeEventListener("abort", this.#abort);
    const headers = this.#headers;
    const body = this.#body;
    if (end.code === Status.OK && headers !== undefined && body !== undefined) {
      this.#resolve({
        headers,
        body,
        unusable: (reason, message, cause) => {
          const http = { status: 200, body, retryAfterMs: undefined };
          return this.#error({ ...localEnd(reason, message), http }, cause);
        },
      });
    } else if (signal?.aborted === true && end.reason === "CANCELLED" && !end.remote) {
      this.#reject(signal.reason);
    } else {
      this.#reject(this.#error(end, this.#runner.cause));
    }
  }

  /** Without the query, which may hold a secret. */
  #error(end: AttemptEnd, cause: unknown): CallError {
    const [path = ""] = this.#request.path.split("?", 1);
    const { instance } = this.#runner;
    return endedCallError(path, { report: () => this.#runner.report(), instance, cause }, end);
  }
}

/** The request's headers; a copy, since the policy may add to them. */
class HttpRequestHead implements RequestHead, MetadataView {
  readonly #headers: Record<string, string>;

  constructor(headers: Readonly<Record<string, string>>) {
    this.#headers = { ...headers };
  }

  get view(): MetadataView {
    return this;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#headers, key);
  }

  set(key: string, value: string): void {
    this.#headers[key] = value;
  }

  get(key: string): string | undefined {
    return this.has(key) ? this.#headers[key] : undefined;
  }

  entries(): Iterable<readonly [string, string]> {
    return Object.entries(this.#headers);
  }
}
