import { afterEach, describe, expect, it, vi } from "vitest";
import { type AmbientCall, setAmbientHolder } from "../../../../src/core/ambient-call.js";
import { metadataOf } from "../../../../src/core/metadata.js";
import { Status } from "../../../../src/core/status.js";
import { traceContextOf } from "../../../../src/core/trace-context.js";
import { TestCall } from "../../../support/client-call.js";
import { fakeChannel } from "../../../support/client-channel.js";
import { endOf } from "../../../support/client-fake-transport.js";

const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;

/** Serves a call that has so much time left; calls made from now on are made for it. */
function serve(leftMs: number) {
  const abort = new AbortController();
  const listeners = {
    add: vi.spyOn(abort.signal, "addEventListener"),
    remove: vi.spyOn(abort.signal, "removeEventListener"),
  };
  const served: AmbientCall = {
    trace: traceContextOf(metadataOf({ traceparent })),
    remainingMs: () => leftMs,
    signal: abort.signal,
  };
  setAmbientHolder({ run: (_call, work) => work(), current: () => served });
  return { abort, listeners };
}

afterEach(() => setAmbientHolder(undefined));

const { POSITIVE_INFINITY } = Number;

describe("CallRunner: the deadline of the call that is served", () => {
  it.each([
    ["a tenth less", 100, 5_000, 90, true],
    ["20 ms less at most", 1_000, 5_000, 980, true],
    ["its own when that is nearer", 1_000, 500, 500, false],
    ["its own when that is as near", 1_000, 980, 980, false],
    ["its own when there is none", POSITIVE_INFINITY, 5_000, 5_000, false],
    ["none when neither has any", POSITIVE_INFINITY, POSITIVE_INFINITY, POSITIVE_INFINITY, false],
  ])("is taken over: %s", (_name, leftMs, timeoutMs, expected, inherited) => {
    serve(leftMs);
    const channel = fakeChannel({}, "1");
    const call = new TestCall(channel, { extras: { timeoutMs } }).begin();
    expect(channel.transports.attempts[0]?.start.timeoutMs).toBe(expected);
    expect(call.runner.report()).toMatchObject({ timeoutMs: expected, inherited });
  });

  it("is put on the wire for streams of answers too", () => {
    serve(1_000);
    const channel = fakeChannel({}, "1");
    const call = new TestCall(channel, { method: { responseStream: true } }).begin();
    expect(channel.transports.attempts[0]?.start.timeoutMs).toBe(980);
    expect(call.runner.report()).toMatchObject({ timeoutMs: 980, inherited: true });
  });

  it("ends a call at once when nothing is left, without an attempt or a look for instances", async () => {
    serve(0);
    const channel = fakeChannel();
    const call = new TestCall(channel).begin();
    await channel.clock.settle();
    expect(call.end).toMatchObject({ reason: "DEADLINE_EXCEEDED", remote: false });
    expect(channel.source.started).toBe(0);
    expect(call.runner.report().attempts).toEqual([]);
    expect(channel.clock.pending()).toEqual([]);
  });

  it("leaves a detached call alone, but for the trace", async () => {
    const { abort, listeners } = serve(1);
    const channel = fakeChannel({}, "1");
    const call = new TestCall(channel, { extras: { detached: true } }).begin();
    abort.abort();
    await channel.clock.settle();
    const [attempt] = channel.transports.attempts;
    expect(attempt?.start.timeoutMs).toBe(5_000);
    expect(attempt?.start.metadata.get("traceparent")).toBe(traceparent);
    expect(call.end).toBeUndefined();
    expect(listeners.add).not.toHaveBeenCalled();
  });
});

describe("CallRunner: the end of the call that is served", () => {
  it("gives the call up, with its reason as cause", async () => {
    const { abort, listeners } = serve(1_000);
    const channel = fakeChannel({}, "1");
    const call = new TestCall(channel).begin();
    const reason = new Error("its caller has gone");
    abort.abort(reason);
    await channel.clock.settle();
    expect(call.end).toMatchObject({ reason: "CANCELLED", code: Status.CANCELLED, remote: false });
    expect(call.runner.cause).toBe(reason);
    expect(channel.transports.attempts[0]?.cancelled?.code).toBe(Status.CANCELLED);
    expect(listeners.remove).toHaveBeenCalledTimes(1);
  });

  it("lets no call begin any more", async () => {
    const { abort, listeners } = serve(1_000);
    abort.abort();
    const channel = fakeChannel({}, "1");
    const call = new TestCall(channel).begin();
    await channel.clock.settle();
    expect(call.end).toMatchObject({ reason: "CANCELLED" });
    expect(channel.transports.attempts).toEqual([]);
    expect(listeners.add).not.toHaveBeenCalled();
  });

  it("is no matter once that call is over and its code has settled", async () => {
    const served: AmbientCall = {
      trace: undefined,
      remainingMs: () => POSITIVE_INFINITY,
      signal: undefined,
    };
    setAmbientHolder({ run: (_call, work) => work(), current: () => served });
    const channel = fakeChannel({}, "1");
    const call = new TestCall(channel).begin();
    expect(call.runner.report()).toMatchObject({ timeoutMs: 5_000, inherited: false });
    channel.transports.attempts[0]?.end(endOf(undefined));
    expect(call.end).toMatchObject({ code: Status.OK });
  });

  it("is no longer listened for when the call has ended", () => {
    const { listeners } = serve(1_000);
    const channel = fakeChannel({}, "1");
    const call = new TestCall(channel).begin();
    channel.transports.attempts[0]?.end(endOf(undefined));
    expect(call.end).toMatchObject({ code: Status.OK });
    expect(listeners.remove.mock.calls[0]?.[1]).toBe(listeners.add.mock.calls[0]?.[1]);
    expect(listeners.remove).toHaveBeenCalledTimes(1);
  });
});
