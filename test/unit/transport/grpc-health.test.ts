import { describe, expect, it } from "vitest";
import type { Reason } from "../../../src/core/error-catalog.js";
import { Status } from "../../../src/core/status.js";
import { createGrpcHealth } from "../../../src/transport/grpc-health.js";
import type { TransportState } from "../../../src/transport/transport.js";
import { healthCheckRpc, healthWatchRpc, ServingStatus } from "../../../src/wire/health.js";
import { instanceFrom } from "../../support/client-channel.js";
import {
  type Ending,
  endOf,
  type FakeAttempt,
  FakeTransport,
} from "../../support/client-fake-transport.js";
import { createFakeClock, flushPromises } from "../../support/fake-clock.js";

function ground(state: TransportState = "ready") {
  const transport = new FakeTransport(instanceFrom("1"), false);
  transport.become(state);
  const clock = createFakeClock();
  const health = createGrpcHealth(transport, { clock, random: () => 0.5 });
  const attempt = (n = 0): FakeAttempt => {
    const found = transport.attempts[n];
    if (found === undefined) throw new Error(`there is no attempt ${n}`);
    return found;
  };
  return { transport, clock, health, attempt };
}

describe("createGrpcHealth: ping", () => {
  function pinged(state?: TransportState) {
    const made = ground(state);
    const alive: boolean[] = [];
    made.health.ping(750, (answer) => alive.push(answer));
    return { ...made, alive };
  }

  it("asks for the health of the whole host, in the background and without a timer of the engine", () => {
    const { attempt, alive, clock } = pinged();
    const { start, sent, halfClosed, reads } = attempt();
    expect(start).toMatchObject({ path: healthCheckRpc.path, background: true });
    expect(start.timeoutMs).toBe(Number.POSITIVE_INFINITY);
    expect([sent, halfClosed, reads]).toEqual([[new Uint8Array()], true, 1]);
    expect(clock.pending()).toMatchObject([{ background: true }]);
    expect(alive).toEqual([]);
  });

  it.each<[boolean, Reason | undefined, Ending]>([
    [true, undefined, { remote: true }],
    [true, "CALL_FAILED", { remote: true, code: Status.UNIMPLEMENTED }],
    [true, "CALL_FAILED", { remote: true, code: Status.UNAUTHENTICATED }],
    [true, "QUEUE_FULL", { remote: true }],
    [true, "CALL_REFUSED", {}],
    [true, "CALL_FAILED", { code: Status.INTERNAL }],
    [true, "MESSAGE_TOO_LARGE", {}],
    [true, "ANSWER_MALFORMED", {}],
    // A stream that was reset, on a connection that lasts.
    [true, "CONNECTION_LOST", {}],
    [false, "CONNECT_FAILED", {}],
  ])("says %s for %s %o, once", async (expected, reason, ending) => {
    const { attempt, alive, clock } = pinged();
    attempt().end(endOf(reason, ending));
    await flushPromises();
    clock.advance(1_000);
    expect([alive, clock.pending()]).toEqual([[expected], []]);
  });

  it("says false when the connection is lost, whichever is heard of first", async () => {
    for (const stateFirst of [true, false]) {
      const { attempt, alive, transport } = pinged();
      if (stateFirst) transport.become("idle");
      attempt().end(endOf("CONNECTION_LOST"));
      transport.become("idle");
      await flushPromises();
      expect(alive).toEqual([false]);
    }
  });

  it("takes headers for an answer and waits for nothing else", async () => {
    const { attempt, alive } = pinged();
    attempt().headers();
    expect(alive).toEqual([true]);
    await flushPromises();
    expect([attempt().cancelled?.code, alive]).toEqual([Status.CANCELLED, [true]]);
  });

  it("says false when its time is over, and gives the attempt up", async () => {
    const { attempt, alive, clock } = pinged();
    clock.advance(749);
    expect(alive).toEqual([]);
    clock.advance(1);
    await flushPromises();
    attempt().headers();
    expect([alive, attempt().cancelled?.code]).toEqual([[false], Status.CANCELLED]);
  });

  it.each<TransportState>(["connecting", "failed", "closed"])(
    "says false without trying on a connection that is %s, later",
    async (state) => {
      const { transport, alive } = pinged(state);
      expect(alive).toEqual([]);
      await flushPromises();
      expect([alive, transport.attempts]).toEqual([[false], []]);
    },
  );
});

describe("createGrpcHealth: watch", () => {
  function watched(state?: TransportState) {
    const made = ground(state);
    const told: (boolean | undefined)[] = [];
    const stop = made.health.watch((serving) => told.push(serving));
    const say = (status: ServingStatus, n?: number): void =>
      made.attempt(n).message(Buffer.from(healthWatchRpc.encodeResponse({ status })).toString());
    return { ...made, told, stop, say };
  }

  it("tells what the instance says, when it changes", () => {
    const { attempt, told, say } = watched();
    expect(attempt().start).toMatchObject({ path: healthWatchRpc.path, background: true });
    expect(attempt().sent).toEqual([new Uint8Array()]);
    for (const status of [
      ServingStatus.SERVING,
      ServingStatus.SERVING,
      ServingStatus.NOT_SERVING,
      ServingStatus.SERVICE_UNKNOWN,
      ServingStatus.UNKNOWN,
      ServingStatus.SERVING,
    ]) {
      say(status);
    }
    expect(told).toEqual([true, false, undefined, true]);
    expect(attempt().cancelled).toBeUndefined();
  });

  it("reads one message ahead, and as many as come when they come slowly", () => {
    const { attempt, say, clock } = watched();
    expect(attempt().reads).toBe(1);
    for (let n = 0; n < 100; n++) {
      say(ServingStatus.SERVING);
      expect(attempt().reads).toBe(n + 2);
      clock.advance(120);
    }
    expect(attempt().cancelled).toBeUndefined();
  });

  it("gives up a stream that says more than ten things in a second, and asks again, ever later", async () => {
    const { attempt, say, clock, transport, told } = watched();
    const waits: number[] = [];
    for (let n = 0; n < 12; n++) {
      for (let m = 0; m < 9; m++) {
        say(m % 2 === 0 ? ServingStatus.NOT_SERVING : ServingStatus.SERVING, n);
      }
      expect([attempt(n).reads, attempt(n).cancelled]).toEqual([10, undefined]);
      say(ServingStatus.SERVING, n);
      expect([attempt(n).reads, attempt(n).cancelled?.code]).toEqual([10, 8]);
      await flushPromises();
      const begun = clock.now();
      while (transport.attempts.length === n + 1) clock.advance(100);
      waits.push(clock.now() - begun);
    }
    expect([waits[0], waits.at(-1)]).toEqual([1_000, 60_000]);
    expect(told.length).toBeLessThanOrEqual(12 * 11);
    expect(told.at(-1)).toBe(undefined);
  });

  it.each([Status.UNIMPLEMENTED, Status.UNAUTHENTICATED, Status.PERMISSION_DENIED])(
    "tells that nothing is said after %s, and asks no more",
    (code) => {
      const { attempt, transport, told, clock } = watched();
      attempt().end(endOf("CALL_FAILED", { remote: true, code }));
      clock.advance(3_600_000);
      expect([told, transport.attempts.length, clock.pending()]).toEqual([[undefined], 1, []]);
    },
  );

  it.each<[string, Reason | undefined, Ending]>([
    ["OK", undefined, { remote: true }],
    ["an error", "CALL_FAILED", { remote: true, code: Status.UNAVAILABLE }],
    ["a refusal of this side", "CALL_FAILED", { code: Status.UNIMPLEMENTED }],
    ["a refused stream", "CALL_REFUSED", {}],
  ])("asks again after a second when the stream ends with %s", (_name, reason, ending) => {
    const { attempt, transport, told, say, clock } = watched();
    say(ServingStatus.SERVING);
    attempt().end(endOf(reason, ending));
    expect(told).toEqual([true, undefined]);
    clock.advance(999);
    expect(transport.attempts.length).toBe(1);
    clock.advance(1);
    say(ServingStatus.SERVING, 1);
    expect([told, transport.attempts.length]).toEqual([[true, undefined, true], 2]);
  });

  it("takes not serving for the last word of a stream that ends, until it is asked again in vain", () => {
    const { attempt, told, say, clock } = watched();
    say(ServingStatus.NOT_SERVING);
    attempt().end(endOf("DRAINING", { remote: true }));
    clock.advance(1_000);
    say(ServingStatus.NOT_SERVING, 1);
    attempt(1).end(endOf("DRAINING", { remote: true }));
    expect(told).toEqual([false]);
    clock.advance(1_600);
    attempt(2).end(endOf("DRAINING", { remote: true }));
    expect(told).toEqual([false, undefined]);
  });

  it("waits longer and longer, a minute at most, until a stream has lasted a minute", () => {
    const { transport, attempt, clock } = watched();
    const waits: number[] = [];
    for (let n = 0; n < 12; n++) {
      const begun = clock.now();
      attempt(n).end(endOf("CALL_FAILED", { remote: true }));
      while (transport.attempts.length === n + 1) clock.advance(100);
      waits.push(clock.now() - begun);
    }
    expect(waits.slice(0, 3)).toEqual([1_000, 1_600, 2_600]);
    expect(waits.at(-1)).toBe(60_000);
    clock.advance(60_000);
    attempt(12).end(endOf("CALL_FAILED", { remote: true }));
    clock.advance(1_000);
    expect(transport.attempts.length).toBe(14);
  });

  it("gives up a stream with what is no message of the service, and asks again", async () => {
    const { attempt, transport, told, clock } = watched();
    attempt().message("\u000b");
    await flushPromises();
    expect([told, attempt().cancelled?.code]).toEqual([[undefined], Status.INTERNAL]);
    clock.advance(1_000);
    expect(transport.attempts.length).toBe(2);
  });

  it.each<TransportState>(["idle", "failed", "closed"])(
    "gives the stream up and is over when the connection is %s",
    async (state) => {
      const { attempt, transport, told, say, clock } = watched();
      say(ServingStatus.SERVING);
      transport.become(state);
      expect(attempt().cancelled?.code).toBe(Status.CANCELLED);
      await flushPromises();
      transport.become("connecting");
      transport.become("ready");
      clock.advance(3_600_000);
      expect([told, transport.attempts.length, clock.pending()]).toEqual([[true], 1, []]);
    },
  );

  it("is over when it is ended, between two tries too", async () => {
    const open = watched();
    open.stop();
    open.stop();
    open.say(ServingStatus.SERVING);
    await flushPromises();
    expect([open.told, open.attempt().cancelled?.code]).toEqual([[], Status.CANCELLED]);
    const between = watched();
    between.attempt().end(endOf("CALL_FAILED", { remote: true }));
    between.stop();
    between.clock.advance(3_600_000);
    expect(between.transport.attempts.length).toBe(1);
  });

  it("says nothing on a connection that is not ready", () => {
    const { transport, told } = watched("connecting");
    transport.become("ready");
    expect([told, transport.attempts]).toEqual([[], []]);
  });
});
