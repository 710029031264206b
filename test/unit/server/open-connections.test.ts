import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { OpenConnections } from "../../../src/server/open-connections.js";
import { createFakeClock } from "../../support/fake-clock.js";

/** The part of a socket that is looked at; like a real one it forgets its address when it is destroyed. */
class FakeSocket extends EventEmitter {
  remoteAddress: string | undefined = "10.0.0.1";
  remotePort: number | undefined;

  constructor(port: number) {
    super();
    this.remotePort = port;
  }

  destroy(): void {
    this.remoteAddress = undefined;
    this.remotePort = undefined;
    this.emit("close");
  }
}

const socketAt = (port: number): Socket => new FakeSocket(port) as EventEmitter as Socket;

function make() {
  const clock = createFakeClock();
  return { clock, open: new OpenConnections(clock) };
}

describe("OpenConnections", () => {
  it("lists who is there, what they speak, and for how long", () => {
    const { clock, open } = make();
    const first = socketAt(1);
    open.add(first, () => {});
    clock.advance(5);
    open.add(socketAt(2), () => {});
    // Over TLS another object with the same address decides.
    expect(open.decide(socketAt(1), "grpc")).toBe(true);
    expect(open.list()).toEqual([
      { peer: "10.0.0.1:1", protocol: "grpc", openMs: 5 },
      { peer: "10.0.0.1:2", protocol: "undecided", openMs: 0 },
    ]);
    first.destroy();
    expect(open.list().map(({ peer }) => peer)).toEqual(["10.0.0.1:2"]);
  });

  it("lists no more than 1,000", () => {
    const { open } = make();
    for (let port = 1; port <= 1_001; port++) open.add(socketAt(port), () => {});
    expect([open.count, open.list().length]).toEqual([1_001, 1_000]);
  });

  it("breaks those that have not decided, and those that decide too late", () => {
    const { open } = make();
    const ended: number[] = [];
    for (const port of [1, 2, 3]) open.add(socketAt(port), () => ended.push(port));
    open.decide(socketAt(2), "http");
    open.breakUndecided();
    expect(ended).toEqual([1, 3]);
    expect(open.decide(socketAt(4), "http")).toBe(false);
    open.breakAll();
    expect([ended, open.count]).toEqual([[1, 3, 2], 0]);
  });
});
