import { describe, expect, it } from "vitest";
import type { CallError } from "../../../src/core/serving-error.js";
import { type BidiStream, openBidiStream } from "../../../src/transport/bidi-stream.js";
import { instanceFrom } from "../../support/client-channel.js";
import { endOf, type FakeAttempt, FakeTransport } from "../../support/client-fake-transport.js";
import { textRpc } from "../../support/client-text-rpc.js";
import { flushPromises } from "../../support/fake-clock.js";

interface Fixture {
  readonly stream: BidiStream<string>;
  readonly attempt: FakeAttempt;
  readonly ends: (CallError | undefined)[];
}

function opened(): Fixture {
  const transport = new FakeTransport(instanceFrom("1"), true);
  const ends: (CallError | undefined)[] = [];
  const stream = openBidiStream(transport, textRpc, "first", {
    onMessage() {},
    onEnd: (error) => ends.push(error),
  });
  const [attempt] = transport.attempts;
  if (attempt === undefined) throw new Error("there is no attempt");
  return { stream, attempt, ends };
}

// How it reads and ends is tested with `openServerStream`, which is made of it.
describe("openBidiStream", () => {
  it("sends one message after the other, each when the one before has left", () => {
    const { stream, attempt } = opened();
    stream.send("second");
    stream.send("third");
    expect([attempt.sent.map(String), stream.unsent]).toEqual([["first"], 3]);
    attempt.flush();
    expect([attempt.sent.map(String), stream.unsent]).toEqual([["first", "second"], 2]);
    attempt.flush();
    attempt.flush();
    expect([attempt.sent.map(String), stream.unsent]).toEqual([["first", "second", "third"], 0]);
    stream.send("fourth");
    expect(attempt.sent.length).toBe(4);
    expect(attempt.halfClosed).toBe(false);
  });

  it("half-closes with the last message, and takes no more", () => {
    const { stream, attempt } = opened();
    stream.send("second");
    stream.end();
    stream.end();
    stream.send("third");
    expect(attempt.halfClosed).toBe(false);
    attempt.flush();
    expect([attempt.sent.map(String), attempt.halfClosed]).toEqual([["first", "second"], true]);
  });

  it("sends nothing after its end", async () => {
    const { stream, attempt, ends } = opened();
    stream.send("second");
    attempt.end(endOf("CONNECTION_LOST"));
    attempt.flush();
    stream.send("third");
    await flushPromises();
    expect(attempt.sent.map(String)).toEqual(["first"]);
    expect(ends).toMatchObject([{ reason: "CONNECTION_LOST" }]);
  });
});
