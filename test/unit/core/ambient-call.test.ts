import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, describe, expect, it } from "vitest";
import {
  type AmbientCall,
  AmbientCell,
  ambientCall,
  hasAmbientHolder,
  runOnBehalfOf,
  runOutsideCalls,
  setAmbientHolder,
} from "../../../src/core/ambient-call.js";
import { metadataOf } from "../../../src/core/metadata.js";
import { traceContextOf } from "../../../src/core/trace-context.js";

const call: AmbientCall = {
  trace: undefined,
  remainingMs: () => Number.POSITIVE_INFINITY,
  signal: new AbortController().signal,
};

function keep(): void {
  const storage = new AsyncLocalStorage<AmbientCall | undefined>();
  setAmbientHolder({
    run: (each, work) => storage.run(each, work),
    current: () => storage.getStore(),
  });
}

afterEach(() => setAmbientHolder(undefined));

describe("runOnBehalfOf", () => {
  it("just runs while nobody keeps the call", () => {
    expect(hasAmbientHolder()).toBe(false);
    expect(runOnBehalfOf(call, ambientCall)).toBeUndefined();
  });

  it("lets what runs find its call, across promises, and nobody else", async () => {
    keep();
    const late = runOnBehalfOf(call, async () => {
      await Promise.resolve();
      return ambientCall();
    });
    expect(ambientCall()).toBeUndefined();
    expect(await late).toBe(call);
  });
});

describe("AmbientCell", () => {
  const trace = traceContextOf(
    metadataOf({ traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` }),
  );
  const { signal } = new AbortController();

  it("is the call that it stands for until it is cut, and then nothing but its trace", () => {
    const cell = new AmbientCell({ trace, remainingMs: () => 7, signal });
    expect([cell.trace, cell.remainingMs(), cell.signal]).toEqual([trace, 7, signal]);
    for (let cut = 0; cut < 2; cut++) {
      cell.cut();
      expect(cell.trace).toBe(trace);
      expect(cell.remainingMs()).toBe(Number.POSITIVE_INFINITY);
      expect(cell.signal).toBeUndefined();
    }
  });
});

describe("runOutsideCalls", () => {
  it("just runs while nobody keeps the call", () => {
    expect(runOutsideCalls(() => "done")).toBe("done");
  });

  it("hides the call from what is begun within, across promises, and from nothing else", async () => {
    keep();
    const [within, behind] = runOnBehalfOf(call, () => [
      runOutsideCalls(async () => {
        await Promise.resolve();
        return ambientCall();
      }),
      ambientCall(),
    ]);
    expect(await within).toBeUndefined();
    expect(behind).toBe(call);
  });
});
