import { describe, expect, it } from "vitest";
import { emptyMetadata } from "../../../src/core/metadata.js";
import { createSpreadTransport } from "../../../src/transport/spread-transport.js";
import type {
  AttemptListener,
  AttemptStart,
  CountingTransport,
  TransportState,
} from "../../../src/transport/transport.js";
import { instanceFrom } from "../../support/client-channel.js";
import { endOf, type FakeAttempt, FakeTransport } from "../../support/client-fake-transport.js";
import { createFakeClock } from "../../support/fake-clock.js";

/** A connection in the hands of a test that counts, and says how often it was asked for health. */
class FakeConnection extends FakeTransport implements CountingTransport {
  underWay = 0;
  pings = 0;
  bytes = 0;
  /** Health watches that are open on it. */
  readonly watches = new Set<(serving: boolean | undefined) => void>();
  readonly health: CountingTransport["health"] = {
    ping: () => {
      this.pings++;
    },
    watch: (listener) => {
      this.watches.add(listener);
      return () => this.watches.delete(listener);
    },
    bytesRead: () => this.bytes,
  };

  override start(start: AttemptStart, listener: AttemptListener): FakeAttempt {
    this.underWay++;
    return super.start(start, {
      ...listener,
      onEnd: (end) => {
        this.underWay--;
        listener.onEnd(end);
      },
    });
  }

  /** Ends so many of the attempts under way. */
  finish(count: number): void {
    for (const attempt of this.attempts.splice(0, count)) attempt.end(endOf(undefined));
  }
}

const quiet: AttemptListener = { onHeaders() {}, onMessage() {}, onEnd() {} };
const start: AttemptStart = {
  path: "/a/b",
  metadata: emptyMetadata,
  timeoutMs: 1_000,
  previousAttempts: 0,
};

function spread() {
  const connections: FakeConnection[] = [];
  const clock = createFakeClock();
  const create = (): FakeConnection => {
    const made = new FakeConnection(instanceFrom("1"), false);
    connections.push(made);
    return made;
  };
  const transport = createSpreadTransport(instanceFrom("1"), create, clock);
  const states: TransportState[] = [];
  transport.onState((state) => states.push(state));
  const begin = (count: number): void => {
    for (let n = 0; n < count; n++) transport.start(start, quiet);
  };
  const at = (n: number): FakeConnection => {
    const found = connections[n];
    if (found === undefined) throw new Error(`there is no connection ${n}`);
    return found;
  };
  const loads = (): number[] => connections.map(({ underWay }) => underWay);
  return { transport, connections, clock, states, begin, at, loads };
}

/** With its first connection ready. */
function readySpread() {
  const made = spread();
  made.transport.connect();
  made.at(0).become("ready");
  return made;
}

describe("createSpreadTransport", () => {
  it("is its one connection while that is enough", () => {
    const { transport, connections, states, begin, at, clock } = readySpread();
    begin(96);
    expect([connections.length, at(0).underWay, states]).toEqual([1, 96, ["connecting", "ready"]]);
    expect(clock.pending()).toEqual([]);
    at(0).become("idle");
    expect(transport.state).toBe("idle");
    transport.connect();
    expect(transport.state).toBe("connecting");
    at(0).become("failed");
    transport.close();
    expect(states.slice(2)).toEqual(["idle", "connecting", "failed", "closed"]);
  });

  it("opens another when all are full, and shares attempts out", () => {
    const { connections, begin, at, loads, states } = readySpread();
    begin(250);
    expect(loads()).toEqual([96, 96, 58]);
    expect(connections.map(({ connects }) => connects)).toEqual([1, 1, 1]);
    at(1).become("ready");
    at(2).become("ready");
    at(0).finish(60);
    begin(40);
    expect(loads()).toEqual([67, 96, 67]);
    expect(states).toEqual(["connecting", "ready"]);
  });

  it("opens others for a crowd that waits for the first connection", () => {
    const { transport, begin, loads, at, states } = spread();
    transport.connect();
    begin(200);
    expect(loads()).toEqual([96, 96, 8]);
    at(2).become("ready");
    expect(states).toEqual(["connecting", "ready"]);
  });

  it("opens no other while its one connection neither works nor is being made", () => {
    const { begin, at, loads } = readySpread();
    begin(96);
    at(0).become("idle");
    begin(10);
    expect(loads()).toEqual([106]);
  });

  it("opens no more than sixteen; above that the least busy one has to wait", () => {
    const { begin, loads, connections } = readySpread();
    begin(16 * 96);
    for (const connection of connections) connection.become("ready");
    begin(32);
    expect(loads()).toEqual(new Array(16).fill(98));
  });

  it("closes what it has not needed for a while", () => {
    const { begin, at, clock, connections, states } = readySpread();
    begin(250);
    at(1).become("ready");
    at(2).become("ready");
    for (const connection of connections) connection.finish(96);
    clock.advance(30_000);
    begin(1);
    clock.advance(29_999);
    expect(connections.map(({ state }) => state)).toEqual(["ready", "ready", "ready"]);
    clock.advance(1);
    expect(connections.map(({ state }) => state)).toEqual(["ready", "closed", "closed"]);
    expect([clock.pending(), states]).toEqual([[], ["connecting", "ready"]]);
    begin(97);
    expect(connections.length).toBe(4);
  });

  it("keeps what it needs for long attempts", () => {
    const { begin, at, clock, connections } = readySpread();
    begin(190);
    at(1).become("ready");
    clock.advance(300_000);
    expect(connections.map(({ state }) => state)).toEqual(["ready", "ready"]);
  });

  it("goes on with the others when one is lost, the first one too", () => {
    const { transport, begin, at, states, loads } = readySpread();
    begin(97);
    at(1).become("ready");
    at(0).become("idle");
    expect([transport.state, at(0).state, states]).toEqual([
      "ready",
      "closed",
      ["connecting", "ready"],
    ]);
    begin(95);
    expect(loads()).toEqual([96, 96]);
    at(1).become("idle");
    expect(states).toEqual(["connecting", "ready", "idle"]);
  });

  it("leaves it for half a minute when another cannot be opened", () => {
    const { begin, at, loads, clock, states, connections } = readySpread();
    begin(97);
    at(1).become("failed");
    begin(10);
    expect([at(0).underWay, connections.length, states.length]).toEqual([106, 2, 2]);
    clock.advance(30_000);
    begin(1);
    expect(loads()).toEqual([106, 1, 1]);
  });

  it("closes all, and tells so once", () => {
    const { transport, begin, connections, states, clock } = readySpread();
    begin(250);
    transport.close();
    transport.close();
    expect(connections.map(({ state }) => state)).toEqual(["closed", "closed", "closed"]);
    expect(states).toEqual(["connecting", "ready", "closed"]);
    expect([transport.state, clock.pending()]).toEqual(["closed", []]);
  });

  it("asks for a sign of life where there is room for the question", () => {
    const { transport, begin, at } = readySpread();
    begin(97);
    transport.health?.ping(750, () => {});
    at(1).become("ready");
    transport.health?.ping(750, () => {});
    expect([at(0).pings, at(1).pings]).toEqual([1, 1]);
  });

  it("follows health on one connection, and on the next one when that is lost", () => {
    const { transport, begin, at } = readySpread();
    const told: (boolean | undefined)[] = [];
    const stop = transport.health?.watch?.((serving) => told.push(serving));
    begin(97);
    at(1).become("ready");
    expect([at(0).watches.size, at(1).watches.size]).toEqual([1, 0]);
    for (const tell of at(0).watches) tell(true);
    at(0).become("idle");
    expect([at(0).watches.size, at(1).watches.size]).toEqual([0, 1]);
    for (const tell of at(1).watches) tell(false);
    expect(told).toEqual([true, false]);
    stop?.();
    expect(at(1).watches.size).toBe(0);
  });

  it("ends a watch with the last connection", () => {
    const { transport, at } = readySpread();
    transport.health?.watch?.(() => {});
    at(0).become("idle");
    expect(at(0).watches.size).toBe(0);
    at(0).become("connecting");
    at(0).become("ready");
    expect(at(0).watches.size).toBe(0);
  });

  it("counts what has arrived on all connections, those that are closed included", () => {
    const { transport, begin, at, clock } = readySpread();
    const bytes = () => transport.health?.bytesRead?.();
    at(0).bytes = 10;
    begin(97);
    at(1).become("ready");
    at(1).bytes = 5;
    expect(bytes()).toBe(15);
    at(0).become("failed");
    // Closed, with attempts under way.
    at(0).bytes = 20;
    expect(bytes()).toBe(25);
    at(0).finish(96);
    expect(bytes()).toBe(25);
    begin(100);
    clock.advance(30_000);
    expect(bytes()).toBe(25);
    transport.close();
    expect(bytes()).toBe(25);
  });
});
