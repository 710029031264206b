import type { Clock, Logger, Random } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import { isToken } from "../core/token.js";
import type { ClientTls } from "../transport/transport.js";

/** What sources are made with besides their target. */
export interface SourceOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Milliseconds between two polls, of sources that poll; each wait is drawn from 80 % to 120 % of it. */
  readonly pollIntervalMs: number;
  /** Sent as `authorization`, other than to etcd; a function is asked before every request. */
  readonly directoryToken?: string | (() => string | Promise<string>) | undefined;
  /** TLS towards who lists the instances; over http it follows the address's scheme, and this adds authorities and certificates. */
  readonly directoryTls?: ClientTls | undefined;
}

/**
 * The token for one request.
 *
 * @returns Undefined when there is none to send.
 * @throws ServingError `DEADLINE_EXCEEDED` when the function that gives it takes longer than `timeoutMs`, `UNAUTHENTICATED`
 * when it gives no text that can be sent.
 */
export function currentToken(
  { directoryToken, clock }: Pick<SourceOptions, "directoryToken" | "clock">,
  timeoutMs: number,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    if (typeof directoryToken !== "function") {
      resolve(directoryToken);
      return;
    }
    const cancelTimer = clock.after(
      timeoutMs,
      () =>
        reject(servingError("DEADLINE_EXCEEDED", `directoryToken took more than ${timeoutMs} ms`)),
      { background: true },
    );
    Promise.resolve()
      .then(directoryToken)
      .then((token: unknown) => {
        // Not shown: it may be a secret with a stray line end.
        if (isToken(token)) resolve(token);
        else reject(servingError("UNAUTHENTICATED", "directoryToken() gave no usable text"));
      }, reject)
      .finally(cancelTimer);
  });
}
