import { type CpuProfiler, createCpuProfiler } from "../../src/builtin/cpu-profiler.js";
import type { HostView } from "../../src/builtin/host-view.js";
import { createSampleStore } from "../../src/builtin/sample-store.js";
import { createFakeClock, type FakeClock } from "./fake-clock.js";

/** A host as the builtins see it, with nothing behind it. */
export interface FakeHostView extends HostView {
  readonly clock: FakeClock;
}

const noInspector = () => Promise.reject(new Error("no inspector in this test"));

/** Makes a ready host that serves nothing; `parts` replaces what a test needs otherwise. */
export function fakeHostView(
  parts: Partial<HostView> = {},
  clock: FakeClock = createFakeClock(),
): FakeHostView {
  const profiler: CpuProfiler = createCpuProfiler(clock, noInspector);
  return {
    clock,
    service: "scorer",
    instance: "host-1",
    version: "9.9.9",
    state: "ready",
    startedAtMs: clock.now() - 5_000,
    nowMs: () => clock.now(),
    load: () => ({
      methods: [],
      queueLength: 1,
      queueBytes: 2,
      inFlight: 3,
      lanes: [
        { kind: "thread", index: 0, state: "busy", inFlight: 1, calls: 7, restarts: 0 },
        { kind: "thread", index: 1, state: "dead", inFlight: 0, calls: 2, restarts: 4 },
      ],
      connections: 4,
      eventLoopDelayP99Ms: 0.5,
    }),
    properties: () => [],
    setProperties: () => [],
    runFunction: () => Promise.resolve(new Uint8Array()),
    tell: () => 2,
    declaredMetrics: new Map(),
    samples: createSampleStore({ clock }),
    profiler,
    config: () => ({}),
    routes: () => [],
    connections: () => [],
    recentErrors: () => [],
    stop: (graceMs) => graceMs ?? 30_000,
    ...parts,
  };
}
