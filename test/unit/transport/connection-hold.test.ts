import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { ConnectionHold } from "../../../src/transport/connection-hold.js";
import { createFakeClock } from "../../support/fake-clock.js";

/** A socket that notes what is done to it. */
class FakeSocket extends EventEmitter {
  referenced = true;
  destroyed = false;
  bytesRead = 0;

  ref(): this {
    this.referenced = true;
    return this;
  }

  unref(): this {
    this.referenced = false;
    return this;
  }

  destroy(): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.emit("close");
    return this;
  }
}

function held() {
  const hold = new ConnectionHold();
  const clock = createFakeClock();
  const adopted = (): FakeSocket => {
    const socket = new FakeSocket();
    hold.adopt(socket as object as Socket);
    return socket;
  };
  return { hold, clock, adopted };
}

describe("ConnectionHold", () => {
  it("references connections for foreground attempts only, whoever asks", () => {
    const { hold, adopted } = held();
    const socket = adopted();
    hold.begin(true);
    socket.ref();
    expect([socket.referenced, hold.underWay]).toEqual([false, 1]);
    hold.begin(false);
    expect([socket.referenced, adopted().referenced]).toEqual([true, true]);
    hold.end(false);
    hold.end(true);
    expect([socket.referenced, hold.underWay]).toEqual([false, 0]);
  });

  it("breaks off what is still open half a second after it was closed, in the background", () => {
    const { hold, clock, adopted } = held();
    const sockets = [adopted(), adopted()];
    hold.close(clock);
    expect(clock.pending()).toMatchObject([{ background: true }]);
    clock.advance(499);
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, false]);
    clock.advance(1);
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true]);
  });

  it.each([false, true])(
    "waits for attempts under way (background: %s), however long they take",
    (background) => {
      const { hold, clock, adopted } = held();
      const socket = adopted();
      hold.begin(background);
      hold.begin(background);
      hold.close(clock);
      clock.advance(60_000);
      hold.end(background);
      clock.advance(60_000);
      expect(socket.destroyed).toBe(false);
      hold.end(background);
      clock.advance(499);
      expect(socket.destroyed).toBe(false);
      clock.advance(1);
      expect(socket.destroyed).toBe(true);
    },
  );

  it("keeps no timer when connections end by themselves, or there are none", () => {
    const none = held();
    none.hold.close(none.clock);
    expect(none.clock.pending()).toEqual([]);
    const { hold, clock, adopted } = held();
    const sockets = [adopted(), adopted()];
    hold.close(clock);
    sockets[0]?.destroy();
    expect(clock.pending().length).toBe(1);
    sockets[1]?.destroy();
    expect(clock.pending()).toEqual([]);
  });

  it("counts what has arrived, on connections that have gone too", () => {
    const { hold, adopted } = held();
    const [first, second] = [adopted(), adopted()];
    first.bytesRead = 10;
    second.bytesRead = 5;
    expect(hold.bytesRead).toBe(15);
    first.destroy();
    second.bytesRead = 6;
    expect(hold.bytesRead).toBe(16);
    adopted().bytesRead = 1;
    expect(hold.bytesRead).toBe(17);
  });
});
