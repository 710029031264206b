import { describe, expect, it } from "vitest";
import type { CallError } from "../../../src/core/serving-error.js";
import { openServerStream } from "../../../src/transport/server-stream.js";
import { instanceFrom } from "../../support/client-channel.js";
import { endOf, FakeTransport } from "../../support/client-fake-transport.js";
import { textRpc } from "../../support/client-text-rpc.js";
import { flushPromises } from "../../support/fake-clock.js";

function opened(onMessage?: (text: string) => void, signal?: AbortSignal) {
  const transport = new FakeTransport(instanceFrom("1"), true);
  const messages: string[] = [];
  const ends: (CallError | undefined)[] = [];
  const stream = openServerStream(transport, textRpc, "question", {
    signal,
    onMessage: onMessage ?? ((text) => messages.push(text)),
    onEnd: (error) => ends.push(error),
  });
  const [attempt] = transport.attempts;
  if (attempt === undefined) throw new Error("there is no attempt");
  return { stream, attempt, messages, ends };
}

describe("openServerStream", () => {
  it("hands over messages in order, one read ahead, and the end once", () => {
    const { attempt, messages, ends } = opened();
    expect(attempt.start.timeoutMs).toBe(Number.POSITIVE_INFINITY);
    expect([attempt.sent.map(String), attempt.halfClosed]).toEqual([["question"], true]);
    attempt.message("a");
    attempt.message("b");
    expect(attempt.reads).toBe(3);
    attempt.end(endOf(undefined));
    expect([messages, ends]).toEqual([["a", "b"], [undefined]]);
  });

  it("ends with the attempt's error", () => {
    const { attempt, ends } = opened();
    attempt.end(endOf("CONNECTION_LOST"));
    expect(ends).toMatchObject([{ reason: "CONNECTION_LOST", instance: "127.0.0.1:1" }]);
  });

  it("ends when a message cannot be decoded or taken, with the exception as cause", async () => {
    const broken = opened();
    broken.attempt.message("undecodable");
    broken.attempt.message("more");
    const thrown = new Error("no more room");
    const full = opened(() => {
      throw thrown;
    });
    full.attempt.message("a");
    await flushPromises();
    expect([broken.messages, broken.ends.length, full.ends.length]).toEqual([[], 1, 1]);
    expect(full.ends[0]?.cause).toBe(thrown);
  });

  it("ends when it is cancelled, by its handle or its signal", async () => {
    const byHandle = opened();
    byHandle.stream.cancel();
    const controller = new AbortController();
    const bySignal = opened(undefined, controller.signal);
    controller.abort();
    const before = opened(undefined, AbortSignal.abort());
    await flushPromises();
    for (const { ends } of [byHandle, bySignal, before]) {
      expect(ends).toMatchObject([{ reason: "CANCELLED" }]);
    }
  });
});
