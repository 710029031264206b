import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { HttpPinger } from "../../../src/transport/http-ping.js";
import { createFakeClock } from "../../support/fake-clock.js";

/** A connection in the hands of a test. */
class FakeSocket extends EventEmitter {
  readonly written: string[] = [];
  referenced = true;
  destroyed = false;

  unref(): this {
    this.referenced = false;
    return this;
  }

  write(text: string): boolean {
    this.written.push(text);
    return true;
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    if (error !== undefined) this.emit("error", error);
    this.emit("close");
    return this;
  }

  up(): void {
    this.emit("connect");
    this.emit("secureConnect");
  }

  say(text = "HTTP/1.1 200 OK\r\n\r\n"): void {
    this.emit("data", Buffer.from(text));
  }
}

function pinger(secure = false) {
  const clock = createFakeClock();
  const sockets: FakeSocket[] = [];
  const made = new HttpPinger({
    createSocket() {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket as object as Socket;
    },
    secure,
    host: "127.0.0.1:1",
    clock,
  });
  const told: boolean[] = [];
  const ask = (): void => made.ask({ connectMs: 2_000, timeoutMs: 800 }, (it) => told.push(it));
  const at = (n: number): FakeSocket => {
    const found = sockets[n];
    if (found === undefined) throw new Error(`there is no connection ${n}`);
    return found;
  };
  return { clock, sockets, told, ask, at, close: () => made.close() };
}

const failure = (code: string, more: object = {}): Error =>
  Object.assign(new Error(code), { code, ...more });

describe("HttpPinger", () => {
  it("counts the answer's time from when the connection is up", () => {
    const { clock, told, ask, at } = pinger();
    ask();
    clock.advance(1_999);
    at(0).up();
    expect(at(0).written).toEqual([
      "OPTIONS * HTTP/1.1\r\nhost: 127.0.0.1:1\r\nconnection: close\r\n\r\n",
    ]);
    clock.advance(799);
    expect([told, at(0).referenced]).toEqual([[], false]);
    at(0).say();
    expect([told, at(0).destroyed, clock.pending()]).toEqual([[true], true, []]);
  });

  it("hears nothing when no connection comes up, or nobody answers, in time", () => {
    const { clock, told, ask, at } = pinger();
    ask();
    clock.advance(2_000);
    expect([told, at(0).destroyed]).toEqual([[false], true]);
    ask();
    at(1).up();
    clock.advance(800);
    expect([told, at(1).destroyed, clock.pending()]).toEqual([[false, false], true, []]);
  });

  it.each<[boolean, Error, "before" | "after"]>([
    [true, failure("ECONNREFUSED", { syscall: "connect" }), "before"],
    [true, failure("ECONNRESET", { syscall: "read" }), "after"],
    [true, failure("EPIPE", { syscall: "write" }), "after"],
    [true, failure("ECONNRESET"), "after"],
    [true, failure("DEPTH_ZERO_SELF_SIGNED_CERT"), "after"],
    [true, new AggregateError([failure("EHOSTUNREACH"), failure("ECONNREFUSED")]), "before"],
    [false, new AggregateError([failure("EHOSTUNREACH"), failure("ENETUNREACH")]), "before"],
    [false, failure("ENOTFOUND", { syscall: "getaddrinfo" }), "before"],
    [false, failure("EMFILE", { syscall: "connect" }), "before"],
    [false, failure("EHOSTUNREACH", { syscall: "connect" }), "before"],
    [false, failure("ETIMEDOUT", { syscall: "read" }), "after"],
  ])("says %s for %s %s there is a connection", (expected, error, when) => {
    const { told, ask, at, clock } = pinger();
    ask();
    if (when === "after") at(0).up();
    at(0).destroy(error);
    expect([told, clock.pending()]).toEqual([[expected], []]);
  });

  it("takes the end of a connection for a sign of life, but not its own", () => {
    const { told, ask, at, close } = pinger();
    ask();
    at(0).up();
    at(0).emit("end");
    expect([told, at(0).destroyed]).toEqual([[true], true]);
    ask();
    close();
    expect(told).toEqual([true, false]);
  });

  it("keeps a connection over TLS for ten seconds, without keeping the process", () => {
    const { clock, told, ask, at, sockets } = pinger(true);
    ask();
    at(0).up();
    at(0).say();
    for (let n = 0; n < 3; n++) {
      expect(clock.pending()).toMatchObject([{ background: true }]);
      clock.advance(9_999);
      ask();
      at(0).say();
    }
    expect([told, sockets.length]).toEqual([[true, true, true, true], 1]);
    expect(at(0).written[0]).toBe("OPTIONS * HTTP/1.1\r\nhost: 127.0.0.1:1\r\n\r\n");
    clock.advance(10_000);
    expect([at(0).destroyed, clock.pending()]).toEqual([true, []]);
    ask();
    expect(sockets.length).toBe(2);
  });

  it("asks on a new one when the kept one is silent, within the same time", () => {
    const { clock, told, ask, at } = pinger(true);
    ask();
    at(0).up();
    at(0).say();
    ask();
    clock.advance(200);
    expect(at(0).destroyed).toBe(true);
    at(1).up();
    clock.advance(599);
    expect(told).toEqual([true]);
    clock.advance(1);
    expect([told, clock.pending()]).toEqual([[true, false], []]);
  });

  it("forgets a kept one that ends, or says more than it was asked", () => {
    const { clock, told, ask, at, sockets } = pinger(true);
    ask();
    at(0).up();
    at(0).say();
    at(0).destroy();
    expect(clock.pending()).toEqual([]);
    ask();
    at(1).up();
    at(1).say();
    at(1).say("x".repeat(65_536));
    expect(at(1).destroyed).toBe(true);
    ask();
    expect([told, sockets.length]).toEqual([[true, true], 3]);
  });

  it("asks on connections of their own what is asked at once, and keeps one", () => {
    const { told, ask, at, sockets, close } = pinger(true);
    ask();
    ask();
    for (const socket of sockets) {
      socket.up();
      socket.say();
    }
    expect([told, at(0).destroyed, at(1).destroyed]).toEqual([[true, true], false, true]);
    ask();
    close();
    expect([told, sockets.length, at(0).destroyed]).toEqual([[true, true, false], 2, true]);
  });
});
