import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { type Instance, instanceOf } from "../../src/core/instance.js";
import { metadataOf } from "../../src/core/metadata.js";
import { Status } from "../../src/core/status.js";
import type { AttemptEnd, Transport, TransportState } from "../../src/transport/transport.js";
import { attemptOnce } from "../support/client-attempt.js";
import { closedPort, type OddServer } from "../support/client-sockets.js";
import { until } from "../support/until.js";

/** A kind of transport, and the server that goes with it. */
export interface TransportUnderTest {
  readonly name: string;
  create(instance: Instance): Transport;
  /** Takes calls and never answers. */
  startSilent(): Promise<OddServer>;
  /** Refuses whatever it is asked. */
  startRefusing(): Promise<OddServer>;
}

/** What every transport keeps to, whatever it speaks. */
export function testTransport({
  name,
  create,
  startSilent,
  startRefusing,
}: TransportUnderTest): void {
  const transports: Transport[] = [];
  const transportTo = (port: number, host = "127.0.0.1"): Transport => {
    const transport = create(instanceOf({ host, port }));
    transports.push(transport);
    return transport;
  };
  const statesOf = (transport: Transport): TransportState[] => {
    const states: TransportState[] = [];
    transport.onState((state) => states.push(state));
    return states;
  };
  const readyTransportTo = async (port: number): Promise<Transport> => {
    const transport = transportTo(port);
    transport.connect();
    await until(() => transport.state === "ready");
    return transport;
  };
  /** One ping; undefined for transports that have none. */
  const pingOf = async (transport: Transport, timeoutMs: number): Promise<boolean | undefined> => {
    const { health } = transport;
    if (health === undefined) return undefined;
    let inside = true;
    const told = new Promise<boolean>((resolve) => {
      health.ping(timeoutMs, (alive) => {
        expect(inside).toBe(false);
        resolve(alive);
      });
    });
    inside = false;
    return await told;
  };
  const neverLeft = { code: Status.UNAVAILABLE, reason: "CONNECT_FAILED", remote: false };

  afterEach(() => {
    for (const transport of transports.splice(0)) transport.close();
  });

  describe(`${name}: what every transport keeps to`, () => {
    it("says CONNECT_FAILED when the connection is refused", async () => {
      const { end } = await attemptOnce(transportTo(await closedPort()));
      expect(end).toMatchObject(neverLeft);
      expect(end.message).toContain("ECONNREFUSED");
    });

    it("says CONNECT_FAILED when a host name does not resolve", async () => {
      const { end } = await attemptOnce(transportTo(1, "does-not-exist.invalid"));
      expect(end).toMatchObject(neverLeft);
    });

    it("says CONNECT_FAILED on a transport that was closed", async () => {
      const transport = transportTo(1);
      transport.close();
      expect((await attemptOnce(transport)).end).toMatchObject(neverLeft);
      expect(transport.state).toBe("closed");
    });

    it("says DEADLINE_EXCEEDED when nothing arrives in time", async () => {
      await using server = await startSilent();
      const { end } = await attemptOnce(transportTo(server.port), { timeoutMs: 100 });
      const late = { code: Status.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED", remote: false };
      expect(end).toMatchObject(late);
    });

    it.each([
      [Status.CANCELLED, "CANCELLED"],
      [Status.INTERNAL, "CALL_FAILED"],
    ] as const)(
      "says with %s what it was cancelled with, %s, sent or not",
      async (code, reason) => {
        await using server = await startSilent();
        const transport = transportTo(server.port);
        const given = { code, reason, remote: false, message: "no longer wanted" };
        for (let n = 0; n < 2; n++) {
          const { end } = await attemptOnce(transport, {
            onStarted: (attempt) => attempt.cancel(code, "no longer wanted"),
          });
          expect(end).toMatchObject(given);
          transport.connect();
          while (transport.state !== "ready") await sleep(5);
        }
        const { end } = await attemptOnce(transport, {
          onStarted: (attempt) => setTimeout(() => attempt.cancel(code, "no longer wanted"), 50),
        });
        expect(end).toMatchObject(given);
      },
    );

    it("tells how an attempt ended only after start has returned, and once", async () => {
      await using server = await startSilent();
      const transport = transportTo(server.port);
      const ends: string[] = [];
      const listener = { onHeaders() {}, onMessage() {}, onEnd: () => ends.push("end") };
      const start = { path: "/a/b", metadata: metadataOf({}), timeoutMs: 20, previousAttempts: 0 };
      const attempt = transport.start(start, listener);
      attempt.send(Buffer.from("hello"));
      attempt.halfClose();
      attempt.cancel(Status.CANCELLED, "first");
      attempt.cancel(Status.CANCELLED, "second");
      expect(ends).toEqual([]);
      await sleep(100);
      expect(ends).toEqual(["end"]);
    });

    it("goes idle, connecting, ready, and closed when closed", async () => {
      await using server = await startSilent();
      const transport = transportTo(server.port);
      expect(transport.state).toBe("idle");
      const states = statesOf(transport);
      transport.connect();
      transport.connect();
      while (transport.state !== "ready") await sleep(5);
      transport.close();
      transport.close();
      expect(states).toEqual(["connecting", "ready", "closed"]);
      while (server.open() > 0) await sleep(5);
    });

    it("goes failed when nobody listens, and closed when closed", async () => {
      const transport = transportTo(await closedPort());
      const states = statesOf(transport);
      transport.connect();
      while (transport.state !== "failed") await sleep(5);
      transport.close();
      transport.close();
      expect(states).toEqual(["connecting", "failed", "closed"]);
    });

    it("takes a refusal for a sign of life", async () => {
      await using server = await startRefusing();
      const transport = await readyTransportTo(server.port);
      expect(await pingOf(transport, 5_000)).not.toBe(false);
      expect(await pingOf(transport, 5_000)).not.toBe(false);
    });

    it("takes silence for none, and so a connection that is not there", async () => {
      await using server = await startSilent();
      const transport = await readyTransportTo(server.port);
      expect(await pingOf(transport, 50)).not.toBe(true);
      server.drop();
      expect(await pingOf(transport, 5_000)).not.toBe(true);
      transport.close();
      expect(await pingOf(transport, 5_000)).not.toBe(true);
    });

    it("counts the bytes that arrive, over all its connections", async () => {
      await using server = await startRefusing();
      const transport = await readyTransportTo(server.port);
      const read = (): number => transport.health?.bytesRead?.() ?? 0;
      const counts = [read()];
      for (const drop of [false, false, true, false]) {
        await attemptOnce(transport);
        counts.push(read());
        if (drop) {
          server.drop();
          await until(() => server.open() === 0);
          await sleep(20);
          expect(read()).toBeGreaterThanOrEqual(counts.at(-1) ?? 0);
        }
      }
      expect([...counts].sort((a, b) => a - b)).toEqual(counts);
      expect(new Set(counts).size).toBe(transport.health?.bytesRead === undefined ? 1 : 5);
      transport.close();
      expect(read()).toBeGreaterThanOrEqual(counts.at(-1) ?? 0);
    });

    it("tells nothing of readiness where nothing is said, and ends with the connection", async () => {
      await using server = await startSilent();
      const transport = await readyTransportTo(server.port);
      const told: unknown[] = [];
      const stop = transport.health?.watch?.((serving) => told.push(serving));
      expect(told).toEqual([]);
      transport.close();
      // What watches would hold it open.
      await until(() => server.open() === 0);
      stop?.();
      expect(told).toEqual([]);
    });

    it("makes a background attempt like any other", async () => {
      await using server = await startRefusing();
      const transport = await readyTransportTo(server.port);
      const ends: AttemptEnd[] = [];
      const attempt = transport.start(
        {
          path: "/a/b",
          metadata: metadataOf({}),
          timeoutMs: Number.POSITIVE_INFINITY,
          previousAttempts: 0,
          background: true,
        },
        { onHeaders() {}, onMessage() {}, onEnd: (end) => ends.push(end) },
      );
      attempt.send(Buffer.from("hello"));
      attempt.halfClose();
      attempt.read();
      await until(() => ends.length === 1);
      expect(ends).toMatchObject([{ reason: "CALL_FAILED", remote: true }]);
    });

    it("refuses metadata that cannot be sent, without showing it", () => {
      const listener = { onHeaders() {}, onMessage() {}, onEnd() {} };
      const metadata = metadataOf({ authorization: "secret\n" });
      const start = { path: "/a/b", metadata, timeoutMs: 1_000, previousAttempts: 0 };
      const begin = () => transportTo(1).start(start, listener);
      expect(begin).toThrow(/"authorization" cannot be sent/);
      expect(begin).not.toThrow(/secret/);
    });
  });
}
