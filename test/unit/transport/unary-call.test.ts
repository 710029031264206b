import { describe, expect, it } from "vitest";
import { metadataOf } from "../../../src/core/metadata.js";
import { callUnary } from "../../../src/transport/unary-call.js";
import { instanceFrom } from "../../support/client-channel.js";
import { endOf, FakeTransport } from "../../support/client-fake-transport.js";
import { textRpc } from "../../support/client-text-rpc.js";

function started(signal?: AbortSignal) {
  const transport = new FakeTransport(instanceFrom("1"), true);
  const metadata = metadataOf({ "x-a": "1" });
  const answer = callUnary(transport, textRpc, "question", { metadata, timeoutMs: 700, signal });
  const [attempt] = transport.attempts;
  if (attempt === undefined) throw new Error("there is no attempt");
  return { attempt, answer };
}

describe("callUnary", () => {
  it("sends one message and resolves with the answer", async () => {
    const { attempt, answer } = started();
    expect(attempt.start).toMatchObject({ path: textRpc.path, timeoutMs: 700 });
    expect(attempt.start.metadata.get("x-a")).toBe("1");
    expect(attempt.sent.map(String)).toEqual(["question"]);
    expect([attempt.halfClosed, attempt.reads]).toEqual([true, 1]);
    attempt.headers();
    attempt.message("answer");
    attempt.end(endOf(undefined));
    await expect(answer).resolves.toBe("answer");
  });

  it("rejects with what the attempt ended with", async () => {
    const { attempt, answer } = started();
    attempt.end(endOf("LEASE_UNKNOWN", { remote: true, trailers: { "x-b": "2" } }));
    await expect(answer).rejects.toMatchObject({
      name: "CallError",
      reason: "LEASE_UNKNOWN",
      remote: true,
      instance: "127.0.0.1:1",
      message:
        "NOT_FOUND (LEASE_UNKNOWN): /test.Text/Ask on 127.0.0.1:1: told LEASE_UNKNOWN; register anew",
    });
    await answer.catch((error) => expect(error.trailer.get("x-b")).toBe("2"));
  });

  it("rejects an OK without a message, and an answer that cannot be decoded", async () => {
    const empty = started();
    empty.attempt.end(endOf(undefined));
    await expect(empty.answer).rejects.toMatchObject({ reason: "CALL_FAILED", remote: false });
    const broken = started();
    broken.attempt.message("undecodable");
    broken.attempt.end(endOf(undefined));
    await expect(broken.answer).rejects.toMatchObject({
      reason: "CALL_FAILED",
      cause: expect.objectContaining({ message: "cannot read this" }),
    });
  });

  it("cancels with its signal, also one that is aborted before", async () => {
    const controller = new AbortController();
    const { attempt, answer } = started(controller.signal);
    controller.abort();
    await expect(answer).rejects.toMatchObject({ reason: "CANCELLED" });
    expect(attempt.cancelled).toBeDefined();
    await expect(started(AbortSignal.abort()).answer).rejects.toMatchObject({
      reason: "CANCELLED",
    });
  });
});
