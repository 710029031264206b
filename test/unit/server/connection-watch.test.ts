import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { ConnectionWatch, connectionKey } from "../../../src/server/connection-watch.js";
import { createFakeClock } from "../../support/fake-clock.js";

class FakeConnection extends EventEmitter {
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort: number;
  bytesWritten = 0;
  destroyed = false;

  constructor(remotePort: number) {
    super();
    this.remotePort = remotePort;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

function watched(idleMs: number) {
  const clock = createFakeClock();
  const busy = new Set<string>();
  const watch = new ConnectionWatch({ idleMs, busy: () => busy, clock });
  const connection = new FakeConnection(1);
  watch.add(connection);
  return { clock, busy, watch, connection };
}

describe("a watch over connections", () => {
  it("breaks one to which nothing is sent, not before the time is up and not much later", () => {
    const { clock, connection } = watched(1_000);
    clock.advance(1_000);
    expect(connection.destroyed).toBe(false);
    clock.advance(500);
    expect(connection.destroyed).toBe(true);
  });

  it("counts from the last bytes that were sent", () => {
    const { clock, connection } = watched(1_000);
    for (let i = 0; i < 10; i++) {
      clock.advance(900);
      connection.bytesWritten++;
    }
    expect(connection.destroyed).toBe(false);
    clock.advance(1_750);
    expect(connection.destroyed).toBe(true);
  });

  it("leaves one alone on which a call is in progress, however long", () => {
    const { clock, busy, connection } = watched(1_000);
    busy.add(connectionKey(connection));
    clock.advance(100_000);
    expect(connection.destroyed).toBe(false);
    busy.clear();
    clock.advance(1_750);
    expect(connection.destroyed).toBe(true);
  });

  it("waits five seconds at most while the port drains", () => {
    const { clock, watch, connection } = watched(300_000);
    clock.advance(60_000);
    connection.bytesWritten = 17;
    watch.drain();
    clock.advance(5_000);
    expect(connection.destroyed).toBe(false);
    clock.advance(3_750);
    expect(connection.destroyed).toBe(true);
  });

  it("has no timer while it watches nothing, nor once it is closed", () => {
    const { clock, watch, connection } = watched(1_000);
    connection.destroy();
    clock.advance(1_000);
    expect(clock.pending()).toEqual([]);
    watch.add(new FakeConnection(2));
    expect(clock.pending()).toEqual([expect.objectContaining({ background: true })]);
    watch.close();
    expect(clock.pending()).toEqual([]);
  });
});
