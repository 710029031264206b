import { channelDefaults } from "../../src/client/client-options.js";
import type { MethodPolicy } from "../../src/client/method-table.js";

const { timeoutMs, streamIdleTimeoutMs, maxAttempts, hedgeDelayMs } = channelDefaults;

/** A method with one request and one answer that is not idempotent, with the limits of a channel that says nothing. */
const defaultMethod: MethodPolicy = {
  name: "unary",
  path: "/test.Echo/Unary",
  series: "test.Echo/Unary",
  requestStream: false,
  responseStream: false,
  idempotent: false,
  metadata: [],
  timeoutMs,
  streamIdleTimeoutMs,
  maxAttempts,
  hedgeDelayMs,
};

/** What a channel knows of a method, as a test wants it. */
export function methodPolicy(changes: Partial<MethodPolicy> = {}): MethodPolicy {
  return { ...defaultMethod, ...changes };
}
