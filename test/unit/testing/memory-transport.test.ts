import { describe, expect, it } from "vitest";
import { instanceOf } from "../../../src/core/instance.js";
import { silentLogger } from "../../../src/core/ports.js";
import { startHostOn } from "../../../src/host/start-host.js";
import { fakeClock } from "../../../src/testing/fake-clock.js";
import { MemoryPort } from "../../../src/testing/memory-port.js";
import { MemoryTransport } from "../../../src/testing/memory-transport.js";

describe("MemoryTransport: health", () => {
  it("asks the host's port, which hears of a drain before it begins", async () => {
    const clock = fakeClock();
    const ports: MemoryPort[] = [];
    const openPort = async (options: ConstructorParameters<typeof MemoryPort>[0]) => {
      const port = new MemoryPort(options);
      ports.push(port);
      return port;
    };
    const processor = { process: (data: Uint8Array) => data };
    const options = { logger: silentLogger, preStopDelayMs: 100 };
    const host = await startHostOn({ clock, openPort }, processor, options);
    const [port] = ports;
    if (port === undefined) throw new Error("there is no port");
    const transport = new MemoryTransport(instanceOf(port.address), port, 1_000);
    const told: (boolean | undefined)[] = [];
    const alive: boolean[] = [];
    const ping = async (): Promise<void> => {
      transport.health.ping(750, (answer) => alive.push(answer));
      await clock.settle();
    };
    await ping();
    transport.connect();
    await clock.settle();
    transport.health.watch?.((serving) => told.push(serving));
    await ping();
    expect([told, alive]).toEqual([[true], [false, true]]);
    const closed = host.close();
    await clock.settle(1_000);
    await closed;
    await ping();
    expect([told, alive]).toEqual([
      [true, false],
      [false, true, false],
    ]);
  });
});
