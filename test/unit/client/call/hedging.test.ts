import { describe, expect, it, vi } from "vitest";
import { Status } from "../../../../src/core/status.js";
import type { AttemptEnd } from "../../../../src/transport/transport.js";
import { TestCall } from "../../../support/client-call.js";
import { type FakeChannel, fakeChannel } from "../../../support/client-channel.js";
import { endOf, type FakeAttempt } from "../../../support/client-fake-transport.js";
import { flushPromises } from "../../../support/fake-clock.js";

const hedged = { idempotent: true, hedgeDelayMs: 50 };

/** A channel, and one call on it that is hedged after 50 ms. */
function hedgedCall(
  ports: readonly string[],
  options: ConstructorParameters<typeof TestCall>[1] = {},
  policy: Parameters<typeof fakeChannel>[0] = {},
) {
  const channel = fakeChannel(policy, ...ports);
  const ended = vi.spyOn(channel.core.pool, "ended");
  const call = new TestCall(channel, { ...options, method: { ...hedged, ...options.method } });
  /** In order of their start. */
  const attempts = (): readonly FakeAttempt[] => {
    const seen = new Map<string, number>();
    return call.runner.report().attempts.map(({ instance }) => {
      const n = seen.get(instance) ?? 0;
      seen.set(instance, n + 1);
      const found = channel.transports.to(instance).attempts[n];
      if (found === undefined) throw new Error(`there is no attempt ${n} on ${instance}`);
      return found;
    });
  };
  const at = (n: number): FakeAttempt => {
    const found = attempts()[n];
    if (found === undefined) throw new Error(`there is no attempt ${n}`);
    return found;
  };
  return {
    channel,
    call,
    ended,
    begin: () => call.begin(),
    attempts,
    at,
    outcomes: () => call.runner.report().attempts.map(({ outcome }) => outcome),
  };
}

function emptyBudget({ core }: FakeChannel): void {
  while (core.budget.withdraw());
}

describe("hedging", () => {
  it("sends the call to other instances, one each 50 ms, until all attempts are made", () => {
    const { channel, call, begin, attempts } = hedgedCall(["1", "2", "3", "4"]);
    begin();
    const counts = [49, 1, 49, 1, 1_000].map((ms) => {
      channel.clock.advance(ms);
      return attempts().length;
    });
    expect(counts).toEqual([1, 2, 2, 3, 3]);
    expect(new Set(attempts().map(({ instance }) => instance)).size).toBe(3);
    expect(attempts().map(({ start }) => start.previousAttempts)).toEqual([0, 1, 2]);
    expect(attempts().map(({ start }) => start.timeoutMs)).toEqual([5_000, 4_950, 4_900]);
    expect(
      attempts().map(({ sent, halfClosed, reads }) => [sent.map(String), halfClosed, reads]),
    ).toEqual(Array.from({ length: 3 }, () => [["hello"], true, 1]));
    expect(call.runner.report().attempts.map(({ hedge, startedMs }) => [hedge, startedMs])).toEqual(
      [
        [false, 0],
        [true, 50],
        [true, 100],
      ],
    );
    expect(channel.clock.pending()).toEqual([]);
  });

  it("takes the first OK whole, and gives the others up as overtaken", async () => {
    const { channel, call, ended, begin, at, outcomes } = hedgedCall(["1", "2", "3"]);
    const begun = vi.spyOn(channel.core.metrics, "attemptEnded");
    begin();
    channel.clock.advance(100);
    at(0).headers();
    at(0).message("half");
    at(1).headers();
    at(1).message("whole");
    at(1).end(endOf(undefined));
    at(0).end(endOf(undefined));
    await flushPromises();
    expect(call).toMatchObject({ headersSeen: 1, messages: ["whole"], end: { code: Status.OK } });
    expect(outcomes()).toEqual(["overtaken", "answered", "overtaken"]);
    expect([at(0), at(2)].map(({ cancelled }) => cancelled?.code)).toEqual([1, 1]);
    expect(ended.mock.calls.map(([{ key }, { code }, ms]) => [key, code, ms])).toEqual([
      [at(1).instance, 0, 50],
      [at(0).instance, 1, 100],
      [at(2).instance, 1, 0],
    ]);
    expect(begun.mock.calls.map(([, outcome, hedge]) => [outcome, hedge])).toEqual([
      ["answered", true],
      ["overtaken", false],
      ["overtaken", true],
    ]);
    expect(call.runner.instance).toBe(at(1).instance);
    expect(channel.clock.pending()).toEqual([]);
  });

  it("takes the first failure that must not be repeated", () => {
    const { channel, call, begin, at, outcomes } = hedgedCall(["1", "2"]);
    begin();
    channel.clock.advance(50);
    at(0).end(endOf("PROCESSOR_THREW", { remote: true }));
    expect(call.end).toMatchObject({ reason: "PROCESSOR_THREW" });
    expect(outcomes()).toEqual(["answered", "overtaken"]);
    expect(call.runner.instance).toBe(at(0).instance);
  });

  it("starts the next one at once after a failure that may be repeated, and goes on in step from there", () => {
    const { channel, call, begin, at, attempts, outcomes } = hedgedCall(["1", "2", "3", "4"], {
      method: { maxAttempts: 4 },
    });
    begin();
    channel.clock.advance(50);
    channel.clock.advance(20);
    at(0).end(endOf("CONNECTION_LOST"));
    expect(attempts()).toHaveLength(3);
    expect(at(2).start.previousAttempts).toBe(2);
    channel.clock.advance(49);
    expect(attempts()).toHaveLength(3);
    channel.clock.advance(1);
    expect(attempts()).toHaveLength(4);
    expect(outcomes()).toEqual(["repeated", "under-way", "under-way", "under-way"]);
    expect(call.end).toBeUndefined();
  });

  it("ends with the last failure when all attempts have failed, whichever was first", () => {
    const { channel, call, begin, at, outcomes } = hedgedCall(["1", "2", "3"], {
      method: { maxAttempts: 2 },
    });
    begin();
    channel.clock.advance(50);
    at(1).end(endOf("CALL_REFUSED"));
    expect(call.end).toBeUndefined();
    at(0).end(endOf("CONNECTION_LOST"));
    expect(call.end).toMatchObject({ reason: "CONNECTION_LOST" });
    expect(outcomes()).toEqual(["attempts-used-up", "attempts-used-up"]);
    expect(call.runner.instance).toBe(at(0).instance);
  });

  it("never sends two at once to one instance, and repeats there only when none is under way", () => {
    const { channel, call, begin, at, attempts, outcomes } = hedgedCall(["1", "2"]);
    begin();
    channel.clock.advance(1_000);
    expect(attempts()).toHaveLength(2);
    at(0).end(endOf("CONNECTION_LOST"));
    channel.clock.advance(1_000);
    expect(attempts()).toHaveLength(2);
    at(1).end(endOf("CONNECTION_LOST"));
    expect(outcomes()).toEqual(["left-to-others", "repeated"]);
    channel.clock.advance(100);
    expect(attempts()).toHaveLength(3);
    expect(call.end).toBeUndefined();
  });

  it("makes none without a budget, and asks for it no more often than it could hedge", () => {
    const { channel, call, begin, at, attempts, outcomes } = hedgedCall(["1", "2", "3"]);
    emptyBudget(channel);
    const withdraw = vi.spyOn(channel.core.budget, "withdraw");
    begin();
    channel.clock.advance(4_000);
    expect(attempts()).toHaveLength(1);
    expect(withdraw).toHaveBeenCalledTimes(2);
    at(0).end(endOf("CONNECTION_LOST"));
    expect(call.end).toMatchObject({ reason: "CONNECTION_LOST" });
    expect(outcomes()).toEqual(["budget-empty"]);
  });

  it("draws on the budget once for each hedge, not again for one that never left", () => {
    const { channel, begin, at, attempts } = hedgedCall(["1", "2", "3"]);
    const withdraw = vi.spyOn(channel.core.budget, "withdraw");
    begin();
    channel.clock.advance(50);
    at(1).end(endOf("CONNECT_FAILED"));
    expect(attempts()).toHaveLength(3);
    expect(at(2).start.previousAttempts).toBe(1);
    expect(withdraw).toHaveBeenCalledTimes(1);
  });

  it.each(["-1", "soon", "99999999999"])("makes no more after a pushback of %j", (text) => {
    const { channel, call, begin, at, attempts, outcomes } = hedgedCall(["1", "2", "3", "4"], {
      method: { maxAttempts: 4 },
    });
    begin();
    channel.clock.advance(50);
    at(0).end(endOf("QUEUE_FULL", { remote: true, trailers: { "grpc-retry-pushback-ms": text } }));
    channel.clock.advance(1_000);
    expect(attempts()).toHaveLength(2);
    at(1).end(endOf("CONNECTION_LOST"));
    expect(call.end).toMatchObject({ reason: "CONNECTION_LOST" });
    expect(outcomes()).toEqual(["server-said-no", "server-said-no"]);
  });

  it("puts the next one off by a pushback while others are under way", () => {
    const { channel, begin, at, attempts } = hedgedCall(["1", "2", "3"]);
    begin();
    channel.clock.advance(50);
    at(0).end(endOf("QUEUE_FULL", { remote: true, trailers: { "grpc-retry-pushback-ms": "300" } }));
    channel.clock.advance(299);
    expect(attempts()).toHaveLength(2);
    channel.clock.advance(1);
    expect(attempts()).toHaveLength(3);
  });

  it("gives all up when the call is cancelled, with the end that the call has", async () => {
    const { channel, call, ended, begin, attempts, outcomes } = hedgedCall(["1", "2"]);
    begin();
    channel.clock.advance(50);
    call.runner.cancel(Status.CANCELLED, "enough");
    await flushPromises();
    expect(call.end).toMatchObject({ reason: "CANCELLED" });
    expect(outcomes()).toEqual(["given-up", "given-up"]);
    expect(attempts().every(({ cancelled }) => cancelled !== undefined)).toBe(true);
    expect(ended).toHaveBeenCalledTimes(2);
    // The timer that hedges share runs out by itself.
    expect(channel.clock.pending()).toEqual([{ background: true, dueMs: expect.any(Number) }]);
    channel.clock.advance(50);
    expect(channel.clock.pending()).toEqual([]);
    expect(attempts()).toHaveLength(2);
  });

  it("sets one timer for all calls", () => {
    const channel = fakeChannel({}, "1", "2");
    const after = vi.spyOn(channel.clock, "after");
    for (let n = 0; n < 100; n++) {
      const call = new TestCall(channel, { method: hedged }).begin();
      for (const each of channel.transports.attempts) each.end(endOf(undefined));
      expect(call.end).toMatchObject({ code: Status.OK });
    }
    expect(after.mock.calls.filter(([ms]) => ms === hedged.hedgeDelayMs)).toHaveLength(1);
  });

  it.each([
    ["gone", "none"],
    ["answered", "answer"],
    ["without a token", "reject"],
  ])("gives back what it took for a hedge that finds the call %s", async (_name, what) => {
    let settle = { give: (_token: string): void => {}, reject: (_error: Error): void => {} };
    const tokens = [
      Promise.resolve("first"),
      new Promise<string>((give, reject) => {
        settle = { give, reject };
      }),
    ];
    const token = () => tokens.shift() ?? "more";
    const { channel, begin, attempts } = hedgedCall(["1", "2"], {}, { token });
    const { budget } = channel.core;
    begin();
    await channel.clock.settle(50);
    expect(budget.left).toBe(9);
    const [tried] = channel.transports.attempts;
    if (what === "reject") settle.reject(new Error("sealed"));
    if (what === "answer") tried?.end(endOf(undefined));
    if (what === "none") {
      channel.source.list(tried?.instance.slice(-1) ?? "");
      settle.give("second");
    }
    await flushPromises();
    expect(attempts()).toHaveLength(1);
    expect(budget.left).toBe(10);
  });

  it("tells the pool of each that ran out of time as that", () => {
    const { channel, call, ended, begin, at, outcomes } = hedgedCall(["1", "2"]);
    begin();
    channel.clock.advance(50);
    at(0).end(endOf("DEADLINE_EXCEEDED"));
    expect(call.end).toMatchObject({ reason: "DEADLINE_EXCEEDED" });
    expect(outcomes()).toEqual(["given-up", "given-up"]);
    const reasons = ended.mock.calls.map(
      ([, { reason }]: readonly [unknown, AttemptEnd, number]) => reason,
    );
    expect(reasons).toEqual(["DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"]);
  });

  it.each([
    ["is not idempotent", { idempotent: false }],
    ["takes a stream", { requestStream: true }],
    ["answers with a stream", { responseStream: true }],
    ["may be tried once", { maxAttempts: 1 }],
    ["is over before", { timeoutMs: 50 }],
  ])("leaves a call alone that %s", (_name, method) => {
    const { channel, begin, attempts } = hedgedCall(["1", "2"], { method });
    begin();
    channel.clock.advance(49);
    expect(channel.clock.pending().filter(({ background }) => !background)).toEqual([]);
    channel.clock.advance(1_000);
    expect(attempts()).toHaveLength(1);
  });

  it("goes by what the call says of itself", () => {
    const { channel, begin, attempts } = hedgedCall(["1", "2"], {
      method: { idempotent: false },
      extras: { idempotent: true },
    });
    begin();
    channel.clock.advance(50);
    expect(attempts()).toHaveLength(2);
  });

  it("asks for a token before each, and leaves the call to the others when there is none", async () => {
    const given = [() => "first"];
    const token = vi.fn(async () => {
      const give = given.shift();
      if (give === undefined) throw new Error("sealed");
      return give();
    });
    const { channel, call, begin, at, attempts } = hedgedCall(["1", "2"], {}, { token });
    begin();
    await channel.clock.settle(50);
    expect(token).toHaveBeenCalledTimes(2);
    expect(attempts()).toHaveLength(1);
    at(0).end(endOf(undefined));
    expect(call.end).toMatchObject({ code: Status.OK });
    expect(channel.clock.pending()).toEqual([]);
  });

  it("waits for the token of a hedge when the others have failed meanwhile", async () => {
    let give: (token: string) => void = () => {};
    const tokens = [
      Promise.resolve("first"),
      new Promise<string>((resolve) => {
        give = resolve;
      }),
    ];
    const token = () => tokens.shift() ?? "more";
    const { channel, call, begin, at, attempts } = hedgedCall(["1", "2", "3"], {}, { token });
    const withdraw = vi.spyOn(channel.core.budget, "withdraw");
    begin();
    await channel.clock.settle(50);
    at(0).end(endOf("CONNECTION_LOST"));
    await flushPromises();
    expect(attempts()).toHaveLength(1);
    give("second");
    await flushPromises();
    expect(attempts()).toHaveLength(2);
    expect(withdraw).toHaveBeenCalledTimes(1);
    expect(call.end).toBeUndefined();
  });

  it("makes none when the other instance has gone while a token was asked for", async () => {
    const tokens = ["first"];
    const token = async (): Promise<string> => tokens.shift() ?? flushPromises().then(() => "late");
    const { channel, begin, attempts } = hedgedCall(["1", "2"], {}, { token });
    begin();
    await flushPromises();
    channel.clock.advance(50);
    const [tried = ""] = channel.transports.attempts.map(({ instance }) => instance.slice(-1));
    channel.source.list(tried);
    await channel.clock.settle(1_000);
    expect(attempts()).toHaveLength(1);
  });

  it("leaves the call alone when a hedge cannot be made", async () => {
    const { channel, call, ended, begin, outcomes } = hedgedCall(["1", "2"]);
    begin();
    channel.transports.broken = new Error("no such host");
    channel.clock.advance(50);
    await flushPromises();
    expect(call.end).toBeUndefined();
    expect(ended).toHaveBeenCalledTimes(1);
    expect(outcomes()).toEqual(["under-way", "not-made"]);
    channel.transports.attempts[0]?.end(endOf(undefined));
    expect(call.end).toMatchObject({ code: Status.OK });
  });

  it("sends no copy of the request, however large and however often", () => {
    const { channel, call, at } = hedgedCall(["1", "2", "3"], { method: { maxAttempts: 3 } });
    const request = Buffer.alloc(8 * 1024 * 1024);
    call.start();
    call.runner.send(request, undefined);
    call.runner.halfClose();
    channel.clock.advance(50);
    at(0).end(endOf("CONNECTION_LOST"));
    for (const n of [0, 1, 2]) expect(at(n).sent[0]).toBe(request);
  });
});
