import { emptyMetadata, type MetadataView } from "../core/metadata.js";
import type { RpcDefinition } from "../core/rpc-definition.js";
import { Status } from "../core/status.js";
import { attemptError } from "./attempt-error.js";
import type { AttemptEnd, AttemptListener, Transport } from "./transport.js";

/** How a unary call is made. */
export interface UnaryCallOptions {
  readonly metadata?: MetadataView | undefined;
  /** Milliseconds for the whole call, the connection included; Infinity for no limit. */
  readonly timeoutMs: number;
  /** Gives the call up; it then rejects with `CANCELLED`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes one unary call on one instance, without a second attempt.
 *
 * A transport that is idle connects for it; one whose last try to connect failed rejects at once.
 *
 * @throws CallError with reason, `remote` and trailer of how the attempt ended.
 */
export function callUnary<Req, Res>(
  transport: Transport,
  definition: RpcDefinition<Req, Res>,
  request: Req,
  options: UnaryCallOptions,
): Promise<Res> {
  const { metadata = emptyMetadata, timeoutMs, signal } = options;
  const { path } = definition;
  const instance = transport.instance.key;
  return new Promise((resolve, reject) => {
    const bytes = definition.encodeRequest(request);
    let response: Uint8Array | undefined;
    const cancel = (): void => attempt.cancel(Status.CANCELLED, "cancelled by its signal");
    const settle = (end: AttemptEnd): void => {
      signal?.removeEventListener("abort", cancel);
      if (end.code !== Status.OK) reject(attemptError(path, end, { instance }));
      else if (response === undefined) reject(attemptError(path, withoutMessage, { instance }));
      else resolve(definition.decodeResponse(response));
    };
    const listener: AttemptListener = {
      onHeaders() {},
      onMessage(message) {
        response = message;
      },
      onEnd(end) {
        try {
          settle(end);
        } catch (cause) {
          reject(attemptError(path, unreadable, { instance, cause }));
        }
      },
    };
    const attempt = transport.start({ path, metadata, timeoutMs, previousAttempts: 0 }, listener);
    attempt.send(bytes);
    attempt.halfClose();
    attempt.read();
    if (signal?.aborted === true) cancel();
    else signal?.addEventListener("abort", cancel, { once: true });
  });
}

function brokenAnswer(message: string): AttemptEnd {
  return {
    code: Status.INTERNAL,
    message,
    trailers: emptyMetadata,
    reason: "CALL_FAILED",
    remote: false,
  };
}

const withoutMessage = brokenAnswer("the instance answered OK without a message");
const unreadable = brokenAnswer("the instance's answer cannot be decoded");
