import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/ports.js";
import { inlineLanes } from "../../../src/lane/inline-lane.js";
import type { Lane } from "../../../src/lane/lane.js";
import type { ProcessorRunner } from "../../../src/processor/runner.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { laneCall } from "../../support/invocations.js";
import { testRunner } from "../../support/runners.js";

interface Fixture {
  readonly lane: Lane;
  readonly clock: FakeClock;
  readonly warnings: string[];
}

/** A lane whose `process()` takes as long as the call's path says, in ms. */
function laneThatTakes(): Fixture {
  const clock = createFakeClock();
  const warnings: string[] = [];
  const runner: ProcessorRunner = testRunner({
    process(data, call) {
      clock.advance(Number(call.path));
      return data;
    },
  });
  const logger = {
    ...silentLogger,
    warn: (_: object, message: string) => void warnings.push(message),
  };
  return { clock, warnings, lane: inlineLanes(runner, { clock, logger })(0) };
}

describe("inlineLanes", () => {
  it("warn once of a process() that held the host's own thread for 100 ms", async () => {
    const { lane, warnings } = laneThatTakes();
    for (const path of ["99", "100.4", "500"]) await lane.run(laneCall({ path }));
    expect(warnings).toEqual([
      'process() held the host\'s own thread for 100 ms, and with it the port: use lane "thread" or "process"',
    ]);
  });

  it("warn of no work that lets others have the thread meanwhile", async () => {
    const clock = createFakeClock();
    const warnings: string[] = [];
    const runner = testRunner({
      process: async (data) => {
        await Promise.resolve();
        clock.advance(1_000);
        return data;
      },
    });
    const logger = { ...silentLogger, warn: (_: object, text: string) => void warnings.push(text) };
    await inlineLanes(runner, { clock, logger })(0).run(laneCall());
    expect(warnings).toEqual([]);
  });
});
