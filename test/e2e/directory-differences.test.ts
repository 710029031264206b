import { afterEach, describe, expect, it } from "vitest";
import { silentLogger, systemClock } from "../../src/core/ports.js";
import { createSource } from "../../src/resolve/create-source.js";
import { parseTarget } from "../../src/resolve/target/target.js";
import { startTestDirectory } from "../support/directories.js";
import { createSourceRecorder, type SourceRecorder } from "../support/source-recorder.js";
import { until } from "../support/until.js";

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function follow(port: number): SourceRecorder {
  const recorder = createSourceRecorder();
  const source = createSource(parseTarget(`directory://127.0.0.1:${port}/diff`), {
    clock: systemClock,
    random: () => 0.5,
    logger: silentLogger,
    pollIntervalMs: 1_000,
  });
  closing.push(() => source.close());
  source.start(recorder);
  return recorder;
}

describe("a directory's watch", () => {
  it("leads a client and an older reader to the same lists", async () => {
    const { port, directory } = await startTestDirectory();
    const { client } = directory;
    const register = (place: number) =>
      directory.register(`n${place}`, { service: "diff", port: place, ttlMs: 60_000 });
    const leases = await Promise.all([1, 2, 3].map(register));
    const recorder = follow(port);
    await until(() => recorder.last?.instances.length === 3);

    const whole: string[][] = [];
    const reading = new AbortController();
    const older = (async () => {
      for await (const list of client.watchUpstreams(
        { service: "diff" },
        { signal: reading.signal },
      )) {
        expect([list.baseVersion, list.removed]).toEqual([undefined, []]);
        whole.push(
          list.instances.map(({ ip, port: at, weight }) => `${ip}:${at}=${weight}`).sort(),
        );
      }
    })().catch(() => {});
    await until(() => whole.length === 1);

    await register(4);
    await client.setWeight({ service: "diff", instance: "n2", weight: 0 });
    await client.deregister({ leaseId: leases[0]?.leaseId ?? "" });
    const expected = ["10.0.0.1:2=0", "10.0.0.1:3=100", "10.0.0.1:4=100"];
    await until(() => recorder.listed().join() === expected.join());
    await until(() => whole.at(-1)?.join() === expected.join());
    expect(recorder.errors).toEqual([]);
    const named = recorder.changes.slice(1).flatMap((change) => change?.changed ?? []);
    expect(named.map(({ key }) => key)).not.toContain("10.0.0.1:3");
    reading.abort();
    await older;
  });
});
