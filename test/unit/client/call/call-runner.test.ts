import { describe, expect, it, vi } from "vitest";
import { servingError } from "../../../../src/core/serving-error.js";
import { Status } from "../../../../src/core/status.js";
import { TestCall } from "../../../support/client-call.js";
import { fakeChannel } from "../../../support/client-channel.js";
import { endOf } from "../../../support/client-fake-transport.js";
import { flushPromises } from "../../../support/fake-clock.js";

/** The only attempt, or the nth. */
function attempt(channel: ReturnType<typeof fakeChannel>, n = 0) {
  const found = channel.transports.attempts[n];
  if (found === undefined) throw new Error(`there is no attempt ${n}`);
  return found;
}

describe("CallRunner: the straight way", () => {
  it("starts an attempt in the same turn when list and connection are there", () => {
    const channel = fakeChannel({}, "1");
    const call = new TestCall(channel).begin();
    const { start, sent, halfClosed, reads } = attempt(channel);
    expect(start).toMatchObject({ path: "/test.Echo/Unary", timeoutMs: 5_000 });
    expect(sent.map(String)).toEqual(["hello"]);
    expect({ halfClosed, reads }).toEqual({ halfClosed: true, reads: 1 });
    expect(channel.clock.pending()).toEqual([]);
    attempt(channel).headers();
    attempt(channel).message("hi");
    attempt(channel).end(endOf(undefined));
    expect(call).toMatchObject({ headersSeen: 1, messages: ["hi"], end: { code: Status.OK } });
    expect(channel.core.calls.size).toBe(0);
  });

  it("asks for instances by weight, exactly", () => {
    const channel = fakeChannel({}, "1=300", "2=200", "3=100");
    for (let i = 0; i < 60; i++) new TestCall(channel).begin();
    const counts = ["1", "2", "3"].map((port) => channel.transports.to(`127.0.0.1:${port}`));
    expect(counts.map(({ attempts }) => attempts.length)).toEqual([30, 20, 10]);
  });

  it("sends the method's metadata and the token, unless the call has its own", () => {
    const channel = fakeChannel({ token: "secret" }, "1");
    const method = { metadata: [["x-a", "1"] as const, ["x-b", "2"] as const] };
    const call = new TestCall(channel, { method });
    call.headers.set("x-b", "mine");
    call.begin();
    expect([...attempt(channel).start.metadata.entries()]).toEqual([
      ["x-b", "mine"],
      ["x-a", "1"],
      ["authorization", "secret"],
    ]);
    const other = new TestCall(channel);
    other.headers.set("authorization", "own");
    other.begin();
    expect(attempt(channel, 1).start.metadata.get("authorization")).toBe("own");
  });
});

describe("CallRunner: the deadline", () => {
  it("gives each attempt what is left of it", () => {
    const channel = fakeChannel({}, "1", "2");
    new TestCall(channel, { extras: { timeoutMs: 1_000 } }).begin();
    channel.clock.advance(300);
    attempt(channel).end(endOf("CALL_REFUSED"));
    expect(attempt(channel, 1).start.timeoutMs).toBe(700);
  });

  it("takes the nearer one of the caller's and its own", () => {
    const channel = fakeChannel({}, "1");
    const deadlineMs = channel.clock.now() + 10;
    new TestCall(channel, { deadlineMs }).begin();
    new TestCall(channel, { deadlineMs: channel.clock.now() + 1e9 }).begin();
    new TestCall(channel, { extras: { timeoutMs: Number.POSITIVE_INFINITY } }).begin();
    const left = channel.transports.attempts.map(({ start }) => start.timeoutMs);
    expect(left).toEqual([10, 5_000, Number.POSITIVE_INFINITY]);
  });

  it("puts none on the wire for a stream of answers, but ends it when no message comes", async () => {
    const channel = fakeChannel({}, "1");
    const call = new TestCall(channel, { method: { responseStream: true } }).begin();
    expect(attempt(channel).start.timeoutMs).toBe(Number.POSITIVE_INFINITY);
    attempt(channel).headers();
    await channel.clock.settle(4_999);
    expect(call.end).toBeUndefined();
    await channel.clock.settle(1);
    expect(attempt(channel).cancelled?.code).toBe(Status.DEADLINE_EXCEEDED);
    expect(call.end).toMatchObject({ reason: "DEADLINE_EXCEEDED", remote: false });
    expect(call.end?.message).toBe("no first message within 5000 ms (timeoutMs)");
  });

  it("ends a stream that falls silent, not one that the app does not read", async () => {
    const channel = fakeChannel({}, "1");
    const method = { responseStream: true, streamIdleTimeoutMs: 100 };
    const call = new TestCall(channel, { method }).begin();
    attempt(channel).message("a");
    await channel.clock.settle(1_000);
    expect(call.end).toBeUndefined();
    call.runner.read();
    await channel.clock.settle(99);
    attempt(channel).message("b");
    call.runner.read();
    await channel.clock.settle(99);
    expect(call.end).toBeUndefined();
    await channel.clock.settle(1);
    expect(call.end?.message).toBe("no message within 100 ms (streamIdleTimeoutMs)");
    expect(channel.clock.pending()).toEqual([]);
  });
});

describe("CallRunner: waiting for the first list", () => {
  it("starts the source with the first call, and goes on when the list comes", () => {
    const channel = fakeChannel();
    channel.transports.readyAtOnce = true;
    expect(channel.source.started).toBe(0);
    const call = new TestCall(channel).begin();
    new TestCall(channel).begin();
    expect(channel.source.started).toBe(1);
    channel.clock.advance(40);
    channel.source.list("1");
    expect(channel.transports.attempts).toHaveLength(2);
    expect(attempt(channel).sent.map(String)).toEqual(["hello"]);
    expect(attempt(channel).start.timeoutMs).toBe(4_960);
    expect(call.runner.report()).toMatchObject({ resolveMs: 40, snapshotVersion: 1 });
  });

  it("keeps the process alive while it waits", () => {
    const channel = fakeChannel();
    new TestCall(channel).begin();
    expect(channel.clock.pending()).toMatchObject([{ background: false }]);
  });

  it("ends with LIST_TIMEOUT when the source says nothing", async () => {
    const channel = fakeChannel({ firstListTimeoutMs: 100 });
    const call = new TestCall(channel).begin();
    await channel.clock.settle(100);
    expect(call.end).toMatchObject({ reason: "LIST_TIMEOUT", code: Status.UNAVAILABLE });
    expect(call.end?.message).toBe("no list of echo from by hand within 100 ms");
    expect(call.runner.cause).toMatchObject({ name: "DiscoveryError" });
  });

  it("ends with what the source said last, and no later than the deadline", async () => {
    const channel = fakeChannel();
    const call = new TestCall(channel, { extras: { timeoutMs: 50 } }).begin();
    const unknown = servingError("SERVICE_UNKNOWN", "no service echo");
    channel.source.fail(unknown);
    await channel.clock.settle(50);
    expect(call.end).toMatchObject({ reason: "SERVICE_UNKNOWN", message: "no service echo" });
    expect(call.runner.cause).toBe(unknown);
  });

  it.each([[[]], [["1=0", "2=0"]]])("ends with NO_INSTANCE for the list %j", async (entries) => {
    const channel = fakeChannel();
    const call = new TestCall(channel).begin();
    channel.source.list(...entries);
    await flushPromises();
    expect(call.end).toMatchObject({ reason: "NO_INSTANCE", code: Status.UNAVAILABLE });
  });
});

describe("CallRunner: waiting for an instance", () => {
  it("waits for a connection when none is usable, and goes on when one is back", () => {
    const channel = fakeChannel({}, "1");
    new TestCall(channel).begin();
    channel.transports.to("127.0.0.1:1").become("failed");
    const call = new TestCall(channel).begin();
    expect(channel.transports.attempts).toHaveLength(1);
    channel.clock.advance(400);
    channel.transports.to("127.0.0.1:1").become("ready");
    expect(channel.transports.attempts).toHaveLength(2);
    expect(call.end).toBeUndefined();
  });

  it("ends with CONNECT_FAILED after connectTimeoutMs", async () => {
    const channel = fakeChannel({ connectTimeoutMs: 300 }, "1");
    const call = new TestCall(channel).begin();
    channel.transports.to("127.0.0.1:1").become("failed");
    attempt(channel).end(endOf("CONNECT_FAILED"));
    channel.transports.readyAtOnce = false;
    await channel.clock.settle(300);
    expect(call.end).toMatchObject({ reason: "CONNECT_FAILED", remote: false });
    expect(call.end?.message).toBe(
      "no instance could be picked within 300 ms (1 cannot be reached), last: told CONNECT_FAILED",
    );
  });

  it("stops waiting with NO_INSTANCE when the list becomes empty", async () => {
    const channel = fakeChannel({}, "1");
    new TestCall(channel).begin();
    channel.transports.to("127.0.0.1:1").become("failed");
    const call = new TestCall(channel).begin();
    channel.source.list();
    await flushPromises();
    expect(call.end).toMatchObject({ reason: "NO_INSTANCE" });
  });
});

describe("CallRunner: other attempts", () => {
  it("goes to an instance that the call has not tried, with the same request", () => {
    const channel = fakeChannel({}, "1", "2", "3");
    const call = new TestCall(channel).begin();
    attempt(channel).end(endOf("CALL_REFUSED"));
    channel.transports.attempts.at(-1)?.end(endOf("QUEUE_FULL", { remote: true }));
    channel.transports.attempts.at(-1)?.message("done");
    channel.transports.attempts.at(-1)?.end(endOf(undefined));
    const { attempts } = channel.transports;
    expect(new Set(attempts.map(({ instance }) => instance)).size).toBe(3);
    expect(attempts.map(({ sent }) => sent.map(String))).toEqual([["hello"], ["hello"], ["hello"]]);
    expect(attempts.map(({ halfClosed, reads }) => [halfClosed, reads])).toEqual(
      // The last one has answered, and was asked whether there is more.
      [1, 1, 2].map((reads) => [true, reads]),
    );
    expect(attempts.map(({ start }) => start.previousAttempts)).toEqual([0, 1, 2]);
    expect(call).toMatchObject({ messages: ["done"], end: { code: Status.OK } });
    expect(call.runner.report().attempts.map(({ reason }) => reason)).toEqual([
      "CALL_REFUSED",
      "QUEUE_FULL",
      undefined,
    ]);
  });

  it("gives up after maxAttempts with the last end", () => {
    const channel = fakeChannel({}, "1", "2", "3", "4");
    const call = new TestCall(channel).begin();
    for (let n = 0; n < 3; n++) channel.transports.attempts.at(-1)?.end(endOf("CALL_REFUSED"));
    expect(channel.transports.attempts).toHaveLength(3);
    expect(call.end).toMatchObject({ reason: "CALL_REFUSED" });
  });

  it("goes on past any number of instances that were never reached", () => {
    const ports = ["1", "2", "3", "4", "5", "6", "7", "8"];
    const channel = fakeChannel({}, ...ports);
    const call = new TestCall(channel).begin();
    const open = () => {
      const tried = new Set(call.runner.report().attempts.map(({ instance }) => instance));
      return [
        tried.size,
        channel.transports.to(call.runner.instance ?? "").attempts.at(-1),
      ] as const;
    };
    for (let n = 1; n < 8; n++) {
      const [tried, latest] = open();
      expect(tried).toBe(n);
      latest?.end(endOf("CONNECT_FAILED"));
    }
    const [, last] = open();
    expect(last?.start.previousAttempts).toBe(0);
    last?.end(endOf(undefined));
    expect(call.end).toMatchObject({ code: Status.OK });
  });

  it("waits before it tries the only instance again", () => {
    const channel = fakeChannel({}, "1");
    new TestCall(channel).begin();
    attempt(channel).end(endOf("CALL_REFUSED"));
    expect(channel.transports.attempts).toHaveLength(1);
    channel.clock.advance(50);
    expect(channel.transports.attempts).toHaveLength(2);
  });

  it("does not try again once headers of a stream were handed to the app", () => {
    const channel = fakeChannel({}, "1", "2");
    const options = { method: { responseStream: true }, extras: { idempotent: true } };
    const call = new TestCall(channel, options).begin();
    attempt(channel).headers();
    attempt(channel).end(endOf("CONNECTION_LOST"));
    expect(channel.transports.attempts).toHaveLength(1);
    expect(call).toMatchObject({ headersSeen: 1, end: { reason: "CONNECTION_LOST" } });
  });

  it("holds a single answer back until its status, so that half of one is never seen", () => {
    const channel = fakeChannel({}, "1", "2");
    const call = new TestCall(channel, { extras: { idempotent: true } }).begin();
    attempt(channel).headers();
    attempt(channel).message("half");
    attempt(channel).end(endOf("CONNECTION_LOST"));
    expect(channel.transports.attempts).toHaveLength(2);
    expect(call).toMatchObject({ headersSeen: 0, messages: [] });
    attempt(channel, 1).message("whole");
    attempt(channel, 1).end(endOf(undefined));
    expect(call).toMatchObject({ headersSeen: 0, messages: ["whole"], end: { code: Status.OK } });
  });

  it("hands over the headers of an answer that fails", () => {
    const channel = fakeChannel({}, "1");
    const call = new TestCall(channel).begin();
    attempt(channel).headers();
    attempt(channel).end(endOf("PROCESSOR_THREW", { remote: true }));
    expect(call).toMatchObject({ headersSeen: 1, end: { reason: "PROCESSOR_THREW" } });
  });

  it("stops when the budget is used up, but not for what was never sent", () => {
    const channel = fakeChannel({ retryBudgetRatio: 0, maxAttempts: 2 }, "1", "2");
    while (channel.core.budget.withdraw());
    const refused = new TestCall(channel).begin();
    attempt(channel).end(endOf("CALL_REFUSED"));
    expect(refused.end).toMatchObject({ reason: "CALL_REFUSED" });
    const unsent = new TestCall(channel).begin();
    channel.transports.attempts
      .findLast(({ instance }) => instance !== "")
      ?.end(endOf("CONNECT_FAILED"));
    expect(unsent.end).toBeUndefined();
  });

  it("replays a streamed request in order, one message at a time, and lets the app go on", () => {
    const channel = fakeChannel({}, "1", "2");
    const call = new TestCall(channel, { method: { requestStream: true } });
    const flushed = vi.fn();
    call.start();
    call.runner.send(Buffer.from("a"), flushed);
    attempt(channel).flush();
    call.runner.send(Buffer.from("b"), flushed);
    expect(flushed).toHaveBeenCalledTimes(1);
    attempt(channel).end(endOf("CALL_REFUSED"));
    const second = channel.transports.attempts.find(({ sent }) => sent.length === 1);
    expect(second?.sent.map(String)).toEqual(["a"]);
    second?.flush();
    expect(second?.sent.map(String)).toEqual(["a", "b"]);
    expect(flushed).toHaveBeenCalledTimes(1);
    second?.flush();
    expect(flushed).toHaveBeenCalledTimes(2);
    call.runner.halfClose();
    expect(second?.halfClosed).toBe(true);
  });

  it("keeps a streamed request up to 1 MiB, a single message whatever its size", () => {
    const channel = fakeChannel({}, "1", "2");
    const call = new TestCall(channel, { method: { requestStream: true } });
    call.start();
    call.runner.send(Buffer.alloc(1024 * 1024 + 1), undefined);
    attempt(channel).end(endOf("CALL_REFUSED"));
    expect(call.end).toMatchObject({ reason: "CALL_REFUSED" });
    const single = new TestCall(channel);
    single.start();
    single.runner.send(Buffer.alloc(1024 * 1024 + 1), undefined);
    channel.transports.attempts.at(-1)?.end(endOf("CALL_REFUSED"));
    expect(single.end).toBeUndefined();
  });
});

describe("CallRunner: giving up", () => {
  it("cancels the attempt, and does not try again", async () => {
    const channel = fakeChannel({}, "1", "2");
    const call = new TestCall(channel, { extras: { idempotent: true } }).begin();
    call.runner.cancel(Status.CANCELLED, "Cancelled on client");
    attempt(channel).message("too late");
    await flushPromises();
    expect(attempt(channel).cancelled?.code).toBe(Status.CANCELLED);
    expect(call).toMatchObject({ messages: [], end: { reason: "CANCELLED", remote: false } });
  });

  it("ends a call that waits", async () => {
    const channel = fakeChannel();
    const call = new TestCall(channel).begin();
    call.runner.cancel(Status.CANCELLED, "no longer wanted");
    await flushPromises();
    expect(call.end).toMatchObject({ reason: "CANCELLED" });
    expect(channel.clock.pending()).toEqual([]);
    channel.source.list("1");
    expect(channel.transports.attempts).toHaveLength(0);
  });

  it("ends calls under way with CLIENT_CLOSED when the channel closes, and later ones too", async () => {
    const channel = fakeChannel({}, "1");
    const call = new TestCall(channel).begin();
    await channel.core.close();
    await channel.core.close();
    const late = new TestCall(channel).begin();
    await flushPromises();
    for (const { end } of [call, late]) expect(end).toMatchObject({ reason: "CLIENT_CLOSED" });
    expect(channel.source.closed).toBe(1);
    expect(channel.transports.to("127.0.0.1:1").state).toBe("closed");
    expect(channel.clock.pending()).toEqual([]);
  });

  it("ends only the calls of an owner that closes", async () => {
    const channel = fakeChannel({}, "1");
    const owner = { closed: false };
    const mine = new TestCall(channel, { owner }).begin();
    const other = new TestCall(channel).begin();
    channel.core.closeCalls(owner);
    await flushPromises();
    expect(mine.end).toMatchObject({ reason: "CLIENT_CLOSED" });
    expect(other.end).toBeUndefined();
  });
});

describe("CallRunner: tokens from a function", () => {
  it("waits for it before each attempt", async () => {
    const tokens = ["first", "second"];
    const token = vi.fn(async () => tokens.shift() ?? "");
    const channel = fakeChannel({ token }, "1", "2");
    new TestCall(channel).begin();
    expect(channel.transports.attempts).toHaveLength(0);
    await flushPromises();
    attempt(channel).end(endOf("CALL_REFUSED"));
    await flushPromises();
    const sent = channel.transports.attempts.map(({ start }) =>
      start.metadata.get("authorization"),
    );
    expect(sent).toEqual(["first", "second"]);
  });

  it("ends with UNAUTHENTICATED when it fails, and with DEADLINE_EXCEEDED when it hangs", async () => {
    const broken = new Error("vault is sealed");
    const failing = fakeChannel({ token: () => Promise.reject(broken) }, "1");
    const call = new TestCall(failing).begin();
    const hanging = fakeChannel({ token: () => new Promise(() => {}) }, "1");
    const other = new TestCall(hanging).begin();
    await hanging.clock.settle(5_000);
    expect(call.end).toMatchObject({ reason: "UNAUTHENTICATED", remote: false });
    expect(call.runner.cause).toBe(broken);
    expect(other.end).toMatchObject({ reason: "DEADLINE_EXCEEDED" });
  });
});

describe("CallRunner: tokens that are none", () => {
  it.each([undefined, null, 5, "", " ", "a\nb", ["x"]])(
    "refuses %j from a function",
    async (given) => {
      const channel = fakeChannel({ token: () => given as string }, "1");
      const call = new TestCall(channel).begin();
      await channel.clock.settle();
      expect(call.end).toMatchObject({ reason: "UNAUTHENTICATED", remote: false });
      expect(channel.transports.attempts).toEqual([]);
    },
  );
});

describe("CallRunner: reports", () => {
  it("tells the age of the list since it was last confirmed", () => {
    const channel = fakeChannel({}, "1");
    const { snapshot } = channel.core.list;
    channel.clock.advance(60_000);
    if (snapshot !== undefined) channel.source.confirm(snapshot, channel.clock.now() - 3_000);
    const call = new TestCall(channel).begin();
    expect(call.runner.report()).toMatchObject({ snapshotVersion: 1, snapshotAgeMs: 3_000 });
    expect(channel.core.snapshot.confirmedAtMs).toBe(channel.clock.now() - 3_000);
  });

  it("says what the call went through, once, before it settles", () => {
    const channel = fakeChannel({}, "1", "2");
    const onReport = vi.fn();
    const call = new TestCall(channel, { extras: { onReport } }).begin();
    channel.clock.advance(7);
    attempt(channel).end(endOf("CALL_REFUSED"));
    channel.clock.advance(5);
    channel.transports.attempts.at(-1)?.end(endOf(undefined));
    expect(call.end).toBeDefined();
    expect(onReport).toHaveBeenCalledTimes(1);
    const [report] = onReport.mock.calls[0] ?? [];
    expect(report).toMatchObject({
      snapshotVersion: 1,
      snapshotAgeMs: 7,
      candidates: 2,
      attempts: [
        { code: 14, reason: "CALL_REFUSED", connectMs: 0, durationMs: 7 },
        { code: 0, reason: undefined, connectMs: 0, durationMs: 5 },
      ],
    });
  });

  it("splits the time of each attempt into connecting, waiting and the answer", () => {
    const channel = fakeChannel({}, "1", "2");
    channel.transports.readyAtOnce = false;
    const call = new TestCall(channel, { extras: { idempotent: true } }).begin();
    channel.clock.advance(5);
    attempt(channel).end(endOf("CALL_REFUSED"));
    const second = channel.transports.all[1];
    channel.clock.advance(7);
    second?.become("ready");
    channel.clock.advance(11);
    second?.attempts[0]?.headers();
    channel.clock.advance(13);
    expect(call.runner.report()).toMatchObject({ durationMs: 36 });
    second?.attempts[0]?.message("hi");
    second?.attempts[0]?.end(endOf(undefined));
    channel.clock.advance(1_000);
    expect(call.runner.report()).toMatchObject({ timeoutMs: 5_000, inherited: false });
    expect(call.runner.report()).toMatchObject({
      durationMs: 36,
      attempts: [
        {
          outcome: "repeated",
          startedMs: 0,
          connectMs: 5,
          waitMs: 0,
          transferMs: 0,
          durationMs: 5,
        },
        {
          outcome: "answered",
          hedge: false,
          startedMs: 5,
          connectMs: 7,
          waitMs: 11,
          transferMs: 13,
          durationMs: 31,
        },
      ],
    });
  });

  it("tells the channel's metrics and the pool of everything, once", async () => {
    const channel = fakeChannel({}, "1", "2");
    const { metrics, pool } = channel.core;
    const told = [
      vi.spyOn(metrics, "callStarted"),
      vi.spyOn(metrics, "callEnded"),
      vi.spyOn(metrics, "attemptEnded"),
      vi.spyOn(pool, "ended"),
    ];
    new TestCall(channel).begin();
    attempt(channel).end(endOf("CALL_REFUSED"));
    channel.transports.attempts.findLast(({ sent }) => sent.length > 0)?.end(endOf(undefined));
    const cancelled = new TestCall(channel).begin();
    cancelled.runner.cancel(Status.CANCELLED, "enough");
    await flushPromises();
    expect(told.map(({ mock }) => mock.calls.length)).toEqual([2, 2, 3, 3]);
    expect(vi.mocked(metrics.attemptEnded).mock.calls.map(([, outcome]) => outcome)).toEqual([
      "repeated",
      "answered",
      "given-up",
    ]);
  });

  it("does not let a listener that throws change the end of the call", () => {
    const channel = fakeChannel({}, "1");
    const onReport = (): never => {
      throw new Error("bad listener");
    };
    const call = new TestCall(channel, { extras: { onReport } }).begin();
    attempt(channel).end(endOf(undefined));
    expect(call.end).toMatchObject({ code: Status.OK });
  });

  it("does not let one that rejects, or is no promise but says so, change anything either", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const channel = fakeChannel({}, "1");
    const warn = vi.spyOn(channel.core.logger, "warn");
    const rejecting = async (): Promise<void> => {
      throw new Error("bad listener");
    };
    const strange = (): object => ({
      // biome-ignore lint/suspicious/noThenProperty: that is the point
      get then(): never {
        throw new Error("bad promise");
      },
    });
    for (const onReport of [rejecting, strange]) {
      const call = new TestCall(channel, { extras: { onReport } }).begin();
      channel.transports.attempts.at(-1)?.end(endOf(undefined));
      expect(call.end).toMatchObject({ code: Status.OK });
    }
    await new Promise(setImmediate);
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
    expect(warn).toHaveBeenCalledTimes(2);
    warn.mockRestore();
  });
});

describe("CallRunner: single answers", () => {
  it("ends at once when there is a second message", async () => {
    const channel = fakeChannel({}, "1");
    const call = new TestCall(channel).begin();
    attempt(channel).headers();
    attempt(channel).message("one");
    expect(attempt(channel).reads).toBe(2);
    attempt(channel).message("two");
    expect(call).toMatchObject({
      messages: [],
      end: { reason: "ANSWER_MALFORMED", code: Status.INTERNAL, remote: false },
    });
    expect(call.runner.instance).toBe("127.0.0.1:1");
    expect(attempt(channel).cancelled?.code).toBe(Status.INTERNAL);
    await flushPromises();
    expect(call.runner.report().attempts).toMatchObject([{ outcome: "not-safe-to-repeat" }]);
  });
});

describe("CallRunner: a transport that cannot be made", () => {
  it("ends the call, with what went wrong as cause", async () => {
    const channel = fakeChannel();
    const broken = new Error("no such host");
    channel.transports.broken = broken;
    const call = new TestCall(channel).begin();
    channel.source.list("1");
    await flushPromises();
    expect(call.end).toMatchObject({ reason: "INTERNAL", remote: false });
    expect(call.runner.cause).toBe(broken);
    expect(channel.core.calls.size).toBe(0);
    expect(call.runner.report().attempts).toMatchObject([{ outcome: "not-made" }]);
  });
});
