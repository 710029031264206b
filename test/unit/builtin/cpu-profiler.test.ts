import { describe, expect, it } from "vitest";
import { createCpuProfiler, type OpenSession } from "../../../src/builtin/cpu-profiler.js";
import { CallAbort } from "../../../src/core/call-abort.js";
import { servingError } from "../../../src/core/serving-error.js";
import { createFakeClock } from "../../support/fake-clock.js";

/** An inspector that keeps what it was told. */
function fakeInspector(): { readonly said: string[]; readonly open: OpenSession } {
  const said: string[] = [];
  const session = {
    connect() {
      said.push("connect");
    },
    disconnect() {
      said.push("disconnect");
    },
    post(method: string, done: (error: Error | null, result?: object) => void) {
      said.push(method);
      done(null, method === "Profiler.stop" ? { profile: { nodes: [], startTime: 1 } } : {});
    },
  };
  return { said, open: () => Promise.resolve(session) };
}

describe("createCpuProfiler", () => {
  it("records for so long, one profile at a time", async () => {
    const clock = createFakeClock();
    const { said, open } = fakeInspector();
    const profiler = createCpuProfiler(clock, open);
    const first = profiler.record(2_000, new CallAbort());
    await expect(profiler.record(1, new CallAbort())).rejects.toMatchObject({
      reason: "ALREADY_RUNNING",
    });
    await clock.settle(1_999);
    expect(said).toEqual(["connect", "Profiler.enable", "Profiler.start"]);
    await clock.settle(1);
    expect(await first).toEqual({ nodes: [], startTime: 1 });
    expect(said.slice(3)).toEqual(["Profiler.stop", "disconnect"]);
  });

  it("ends when the caller leaves, and can begin anew", async () => {
    const clock = createFakeClock();
    const { said, open } = fakeInspector();
    const profiler = createCpuProfiler(clock, open);
    const abort = new CallAbort();
    const reason = servingError("CANCELLED", "left");
    const first = expect(profiler.record(2_000, abort)).rejects.toBe(reason);
    await clock.settle();
    abort.abort(reason);
    await first;
    expect(said.at(-1)).toBe("disconnect");
    expect(clock.pending()).toEqual([]);
    await expect(profiler.record(2_000, abort)).rejects.toBe(reason);
  });

  it("can begin anew when the inspector fails", async () => {
    const broken = new Error("no inspector");
    const profiler = createCpuProfiler(createFakeClock(), () => Promise.reject(broken));
    await expect(profiler.record(1, new CallAbort())).rejects.toBe(broken);
    await expect(profiler.record(1, new CallAbort())).rejects.toBe(broken);
  });
});
