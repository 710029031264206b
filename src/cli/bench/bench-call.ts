import { createClient } from "../../client/create-client.js";
import type { ServiceChannel } from "../../client/service-channel.js";
import type { Clock } from "../../core/ports.js";
import type { CallReport } from "../../core/serving-error.js";
import { ServingError, servingError } from "../../core/serving-error.js";
import { statusName } from "../../core/status.js";
import { type BytesMethod, bytesDefinition } from "../bytes-client.js";
import type { CallEnd } from "./recorder.js";

/** What is called. */
export interface BenchTarget {
  readonly method: BytesMethod;
  /** The serialised request of every call. */
  readonly request: Uint8Array;
  /** Of a whole call, a stream's as well. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Makes what calls a method with always the same request on one channel, and never rejects. */
export function benchCall(channel: ServiceChannel, target: BenchTarget): () => Promise<CallEnd> {
  return target.method.responseStream ? streamCall(channel, target) : unaryCall(channel, target);
}

function unaryCall(
  channel: ServiceChannel,
  { method, request }: BenchTarget,
): () => Promise<CallEnd> {
  const client = createClient(bytesDefinition(method, false, false), { channel });
  return async () => {
    let report: CallReport | undefined;
    const onReport = (told: CallReport): void => {
      report = told;
    };
    try {
      const { length } = await client.call(request, { onReport });
      return { instance: instanceOf(report), messages: 1, receivedBytes: length };
    } catch (thrown) {
      return failed(thrown, report, { messages: 0, receivedBytes: 0 });
    }
  };
}

function streamCall(
  channel: ServiceChannel,
  { method, request, timeoutMs, clock }: BenchTarget,
): () => Promise<CallEnd> {
  const client = createClient(bytesDefinition(method, false, true), { channel });
  return async () => {
    let report: CallReport | undefined;
    const onReport = (told: CallReport): void => {
      report = told;
    };
    let firstMessageAtMs: number | undefined;
    const had = { messages: 0, receivedBytes: 0 };
    const limit = new AbortController();
    // A client's own limit is that of a stream's first message.
    const cancelLimit = clock.after(timeoutMs, () => limit.abort());
    try {
      for await (const message of client.call(request, { onReport, signal: limit.signal })) {
        firstMessageAtMs ??= clock.now();
        had.messages++;
        had.receivedBytes += message.length;
      }
      return { ...had, instance: instanceOf(report), firstMessageAtMs };
    } catch (thrown) {
      const late = servingError("DEADLINE_EXCEEDED", `the stream did not end in ${timeoutMs} ms`);
      return failed(limit.signal.aborted ? late : thrown, report, had);
    } finally {
      cancelLimit();
    }
  };
}

function failed(
  thrown: unknown,
  report: CallReport | undefined,
  had: Pick<CallEnd, "messages" | "receivedBytes">,
): CallEnd {
  const { code, reason, message } = ServingError.from(thrown);
  return {
    ...had,
    instance: instanceOf(report),
    error: { code: statusName(code), reason, message },
  };
}

function instanceOf(report: CallReport | undefined): string | undefined {
  return report?.attempts.at(-1)?.instance;
}
