import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, describe, expect, it } from "vitest";
import {
  type AmbientCall,
  ambientCall,
  hasAmbientHolder,
  runOnBehalfOf,
  setAmbientHolder,
} from "../../../src/core/ambient-call.js";

const call: AmbientCall = { trace: undefined };

function keep(): void {
  const storage = new AsyncLocalStorage<AmbientCall>();
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
