import { describe, expect, it } from "vitest";
import { untilChanged } from "../../../src/codegen/watch-protos.js";
import { createFakeClock } from "../../support/fake-clock.js";

/** Looks at each of these in turn, then at the last one again and again. */
function watch(...looks: readonly string[]) {
  const clock = createFakeClock();
  const stop = new AbortController();
  let seen = 0;
  const look = async (): Promise<string> => looks[Math.min(seen++, looks.length - 1)] ?? "";
  const changed = untilChanged(look, "a", { clock, signal: stop.signal });
  const pass = async (): Promise<void> => {
    clock.advance(300);
    await new Promise(setImmediate);
  };
  return { changed, pass, stop, seen: () => seen };
}

describe("untilChanged", () => {
  it("waits until what has changed stays as it is", async () => {
    const { changed, pass, seen } = watch("a", "b", "c", "c");
    for (let i = 0; i < 4; i++) await pass();
    expect(await changed).toBe(true);
    expect(seen()).toBe(4);
  });

  it("takes a change that is taken back for none", async () => {
    const { changed, pass, stop, seen } = watch("b", "a", "a", "a");
    for (let i = 0; i < 4; i++) await pass();
    expect(seen()).toBe(4);
    stop.abort();
    expect(await changed).toBe(false);
  });

  it("ends with the signal, at once", async () => {
    const { changed, stop, seen } = watch("b");
    stop.abort();
    expect(await changed).toBe(false);
    expect(seen()).toBe(0);
  });
});
