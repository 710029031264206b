import { metadataOf } from "../../src/core/metadata.js";
import type { Attempt, AttemptEnd, Transport } from "../../src/transport/transport.js";

/** How a whole attempt went. */
export interface AttemptTrace {
  readonly headers: number;
  readonly messages: readonly Uint8Array[];
  readonly end: AttemptEnd;
}

/** Makes one attempt with one message and waits for its end. */
export function attemptOnce(
  transport: Transport,
  options: { path?: string; timeoutMs?: number; onStarted?: (attempt: Attempt) => void } = {},
): Promise<AttemptTrace> {
  const { path = "/test.Test/Unary", timeoutMs = 5_000, onStarted } = options;
  return new Promise((resolve) => {
    let headers = 0;
    const messages: Uint8Array[] = [];
    const attempt = transport.start(
      { path, timeoutMs, previousAttempts: 0, metadata: metadataOf({ "x-test": "1" }) },
      {
        onHeaders: () => headers++,
        onMessage: (message) => messages.push(message),
        onEnd: (end) => resolve({ headers, messages, end }),
      },
    );
    attempt.send(Buffer.from("hello"));
    attempt.halfClose();
    attempt.read();
    onStarted?.(attempt);
  });
}
