import { describe, expect, it } from "vitest";
import type { Invocation, Outcome } from "../../../src/core/invocation.js";
import { emptyMetadata } from "../../../src/core/metadata.js";
import { silentLogger } from "../../../src/core/ports.js";
import { servingError } from "../../../src/core/serving-error.js";
import { createWarmUp } from "../../../src/host/warm-up.js";
import type { Lane } from "../../../src/lane/lane.js";
import { createFakeClock } from "../../support/fake-clock.js";

const outcome = (payloads: Outcome["payloads"]): Outcome => ({
  payloads,
  status: 0,
  headers: emptyMetadata,
  trailers: emptyMetadata,
});

function laneThat(run: (invocation: Invocation) => Promise<Outcome>): Lane {
  return {
    kind: "inline",
    index: 0,
    pid: undefined,
    died: new Promise(() => {}),
    start: async () => {},
    run,
    checksReady: false,
    isReady: async () => true,
    ask() {},
    tell() {},
    setProperties() {},
    silentMs: 0,
    close: async () => {},
    kill() {},
  };
}

const clock = createFakeClock();
const options = { service: "digits", timeoutMs: 100, clock, logger: silentLogger };
const samples = [Buffer.from("a"), Buffer.from("b")];

describe("createWarmUp", () => {
  it("replays each sample five times, one call after the other", async () => {
    const seen: string[] = [];
    const lane = laneThat(async ({ payloads }) => {
      seen.push(Buffer.from(payloads as Uint8Array).toString());
      return outcome(Buffer.from(""));
    });
    await createWarmUp({ ...options, samples })?.(lane);
    expect(seen.join("")).toBe("aaaaabbbbb");
  });

  it("reads an answer in pieces to its end", async () => {
    let ended = 0;
    const lane = laneThat(async () =>
      outcome(
        (async function* () {
          yield Buffer.from("1");
          ended++;
        })(),
      ),
    );
    await createWarmUp({ ...options, samples: [Buffer.from("a")] })?.(lane);
    expect(ended).toBe(5);
  });

  it("leaves a sample that fails and goes on with the next", async () => {
    const seen: string[] = [];
    const lane = laneThat(async ({ payloads }) => {
      const text = Buffer.from(payloads as Uint8Array).toString();
      seen.push(text);
      if (text === "a") throw servingError("PROCESSOR_THREW", "no");
      return outcome(Buffer.from(""));
    });
    await createWarmUp({ ...options, samples })?.(lane);
    expect(seen.join("")).toBe("abbbbb");
  });

  it("gives a sample up that takes longer than the limit, even when the processor ignores it", async () => {
    const lane = laneThat(() => new Promise(() => {}));
    const done = createWarmUp({ ...options, samples })?.(lane);
    await clock.settle(100);
    await clock.settle(100);
    await done;
  });

  it("fails when the lane dies of a sample", async () => {
    const lane = laneThat(async () => {
      throw servingError("LANE_DIED", "gone");
    });
    await expect(createWarmUp({ ...options, samples })?.(lane)).rejects.toThrow("gone");
  });

  it("is nothing without samples", () => {
    expect(createWarmUp({ ...options, samples: [] })).toBeUndefined();
  });
});
