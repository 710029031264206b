import { describe, expect, it } from "vitest";
import { callFunction } from "../../../src/builtin/call.js";
import { eastool } from "../../../src/builtin/eastool.js";
import type { FunctionCaller } from "../../../src/builtin/host-view.js";
import { monitor } from "../../../src/builtin/monitor.js";
import { ping } from "../../../src/builtin/ping.js";
import { readProperties, writeProperties } from "../../../src/builtin/prop.js";
import {
  recordedSeconds,
  recordSamples,
  streamedSeconds,
} from "../../../src/builtin/realtime-metrics.js";
import type { Sample } from "../../../src/builtin/sample-store.js";
import { tell } from "../../../src/builtin/tell.js";
import { term } from "../../../src/builtin/term.js";
import { CallAbort } from "../../../src/core/call-abort.js";
import { emptyMetadata } from "../../../src/core/metadata.js";
import { servingError } from "../../../src/core/serving-error.js";
import { fakeHostView } from "../../support/fake-host-view.js";

const noBytes = new Uint8Array();

describe("ping", () => {
  it("tells who answers, since when and in which state, and echoes", () => {
    const echo = new Uint8Array([1]);
    expect(ping(fakeHostView({ state: "unready" }), echo)).toEqual({
      service: "scorer",
      instance: "host-1",
      version: "9.9.9",
      state: "unready",
      startedAtMs: 995_000,
      uptimeMs: 5_000,
      pid: process.pid,
      echo,
    });
  });

  it("refuses a long echo", () => {
    expect(() => ping(fakeHostView(), new Uint8Array(65_537))).toThrow(/at most 65536/);
  });
});

describe("monitor", () => {
  it("adds what the process uses to the host's load, lane by lane", () => {
    const view = fakeHostView();
    const result = monitor(view);
    expect(result).toMatchObject(view.load());
    expect(result.lanes.map(({ state, restarts }) => [state, restarts])).toEqual([
      ["busy", 0],
      ["dead", 4],
    ]);
    expect(result.residentBytes).toBeGreaterThan(0);
  });
});

describe("prop", () => {
  const properties = ["a", "b", "c"].map((name) => ({ name, value: "1", mutable: true, help: "" }));
  const view = fakeHostView({
    properties: () => properties,
    setProperties: (values) => properties.filter(({ name }) => values.has(name)),
  });

  it("reads all, or those that are named", () => {
    expect(readProperties(view, [])).toEqual(properties);
    expect(readProperties(view, ["c", "a", "c"]).map(({ name }) => name)).toEqual(["a", "c"]);
  });

  it("refuses to read what does not exist", () => {
    const reading = (): unknown => readProperties(view, ["a", "zz"]);
    expect(reading).toThrow(expect.objectContaining({ reason: "UNKNOWN_PROPERTY" }));
    expect(reading).toThrow(/no property "zz"/);
  });

  it("sets what it is given, and refuses none, too many and too long ones", () => {
    expect(writeProperties(view, new Map([["b", "2"]])).map(({ name }) => name)).toEqual(["b"]);
    const many = new Map(Array.from({ length: 1_001 }, (_, i) => [`p${i}`, ""]));
    const malformed = expect.objectContaining({ reason: "MALFORMED_REQUEST" });
    for (const values of [new Map(), many, new Map([["a", "x".repeat(4_097)]])]) {
      expect(() => writeProperties(view, values)).toThrow(malformed);
    }
  });
});

describe("realtime_metrics", () => {
  const declaredMetrics = new Map([
    ["queue", "length"],
    ["cost", "in cents"],
  ]);
  const sample = (name: string, value = 1, tags: readonly (readonly [string, string])[] = []) => ({
    name,
    value,
    tags: new Map(tags),
  });

  const refusals: readonly [string, readonly Sample[], RegExp][] = [
    ["none", [], /0 samples, expected 1 to 1000/],
    ["too many", Array.from({ length: 1_001 }, () => sample("cost")), /1001 samples/],
    ["an undeclared name", [sample("cots")], /sample 0: metric "cots" .* did you mean "cost"/],
    ["no number", [sample("cost"), sample("cost", Number.NaN)], /sample 1: value is NaN/],
    ["an endless number", [sample("cost", Number.POSITIVE_INFINITY)], /Infinity/],
    [
      "too many tags",
      [
        sample(
          "cost",
          1,
          Array.from({ length: 11 }, (_, i) => [`t${i}`, ""] as const),
        ),
      ],
      /11 tags, at most 10/,
    ],
    ["a tag without a name", [sample("cost", 1, [["", "x"]])], /0 characters/],
    ["a long tag name", [sample("cost", 1, [["x".repeat(65), "x"]])], /65 characters/],
    ["a long tag", [sample("cost", 1, [["x", "x".repeat(257)]])], /257 characters, at most 256/],
  ];
  it.each(refusals)("refuses %s, and takes nothing then", (_, samples, message) => {
    const view = fakeHostView({ declaredMetrics });
    expect(() => recordSamples(view, samples)).toThrow(message);
    expect(view.samples.size).toBe(0);
  });

  it("says so when the host declares no metrics", () => {
    expect(() => recordSamples(fakeHostView(), [sample("cost")])).toThrow(/declares no metrics/);
  });

  it("gives back what was taken, second by second, all or by name", () => {
    const view = fakeHostView({ declaredMetrics });
    recordSamples(view, [sample("cost", 4), sample("queue", 9)]);
    view.clock.advance(2_000);
    recordSamples(view, [sample("queue", 8)]);
    const of = (...names: string[]) =>
      [...recordedSeconds(view, names)].map(({ second, points }) => [
        second,
        ...points.map(({ last }) => last),
      ]);
    expect(of()).toEqual([
      [1_000, 4, 9],
      [1_002, 8],
    ]);
    expect(of("cost")).toEqual([[1_000, 4]]);
    expect(() => of("cots")).toThrow(/did you mean "cost"/);
  });

  it("streams the past, then each second as it ends, until the caller leaves", async () => {
    const view = fakeHostView({ declaredMetrics });
    const abort = new CallAbort();
    recordSamples(view, [sample("cost", 1)]);
    view.clock.advance(1_000);
    recordSamples(view, [sample("cost", 2), sample("queue", 2)]);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { second, points } of streamedSeconds(view, ["cost"], abort)) {
        seen.push(second, points.length);
      }
    })();
    await view.clock.settle();
    expect(seen).toEqual([1_000, 1]);
    await view.clock.settle(1_000);
    expect(seen).toEqual([1_000, 1, 1_001, 1]);
    await view.clock.settle(3_000);
    recordSamples(view, [sample("queue", 5)]);
    await view.clock.settle(1_000);
    recordSamples(view, [sample("cost", 5)]);
    await view.clock.settle(1_000);
    expect(seen).toEqual([1_000, 1, 1_001, 1, 1_006, 1]);
    abort.abort(servingError("CANCELLED", "left"));
    await reading;
    expect(view.clock.pending()).toEqual([]);
  });

  it("sends a second with very many points in parts", async () => {
    const view = fakeHostView({ declaredMetrics });
    for (const name of declaredMetrics.keys()) {
      recordSamples(
        view,
        Array.from({ length: 700 }, (_, i) => sample(name, i, [["n", String(i)]])),
      );
    }
    view.clock.advance(1_000);
    const abort = new CallAbort();
    const parts: number[] = [];
    for await (const { points } of streamedSeconds(view, [], abort)) {
      parts.push(points.length);
      if (parts.length === 2) abort.abort(servingError("CANCELLED", "left"));
    }
    expect(parts).toEqual([1_000, 400]);
  });

  it("ends streams when the host stops", async () => {
    const states = ["ready", "draining"] as const;
    let asked = 0;
    const view = fakeHostView();
    const stopping = Object.defineProperty({ ...view }, "state", {
      get: () => states[Math.min(asked++, 1)],
    });
    const next = streamedSeconds(stopping, [], new CallAbort()).next();
    const ended = expect(next).rejects.toMatchObject({ reason: "DRAINING" });
    await view.clock.settle(1_000);
    await ended;
  });
});

describe("call", () => {
  const caller: FunctionCaller = {
    door: "eas",
    metadata: emptyMetadata,
    peer: "127.0.0.1:1",
    deadlineMs: 5,
    abort: new CallAbort(),
  };

  it("hands name, bytes and caller to the host", async () => {
    const asked: unknown[] = [];
    const answer = new Uint8Array([2]);
    const view = fakeHostView({
      runFunction(...all) {
        asked.push(...all);
        return Promise.resolve(answer);
      },
    });
    expect(await callFunction(view, "reload", noBytes, caller)).toBe(answer);
    expect(asked).toEqual(["reload", noBytes, caller]);
  });

  it.each([null, "", "x".repeat(129)])("refuses %j for a name", (name) => {
    expect(() => callFunction(fakeHostView(), name, noBytes, caller)).toThrow(/function's name/);
  });
});

describe("tell", () => {
  it("says how many lanes were told", () => {
    const told: Uint8Array[] = [];
    const view = fakeHostView({
      tell(message) {
        told.push(message);
        return 3;
      },
    });
    expect(tell(view, noBytes)).toEqual({ lanes: 3 });
    expect(told).toEqual([noBytes]);
  });
});

describe("term", () => {
  it("begins the stop with the given grace period, or the host's own", () => {
    expect(term(fakeHostView(), 5)).toEqual({ gracePeriodMs: 5 });
    expect(term(fakeHostView(), undefined)).toEqual({ gracePeriodMs: 30_000 });
    expect(() => term(fakeHostView(), -1)).toThrow(/grace period is -1 ms/);
  });
});

describe("eastool", () => {
  const ask = (
    view: ReturnType<typeof fakeHostView>,
    report: string | null,
    seconds?: number,
    abort: CallAbort = new CallAbort(),
  ) => eastool(view, { report, seconds, abort });

  it.each([null, "", "haep"])("refuses %j with the names of all reports", async (report) => {
    await expect(ask(fakeHostView(), report)).rejects.toMatchObject({
      reason: "MALFORMED_REQUEST",
      message: expect.stringMatching(/config, routes, connections, errors|heap-summary/),
    });
  });

  it("shows what the host shows", async () => {
    const error = {
      atMs: 0,
      door: "eas",
      method: "POST other",
      status: "400",
      reason: "PROCESSOR_THREW",
      message: "process() threw",
    };
    const connection = { peer: "127.0.0.1:5", protocol: "http", openMs: 3 };
    const view = fakeHostView({
      config: () => ({ token: "***" }),
      routes: () => ["GET /livez"],
      connections: () => [connection],
      recentErrors: () => [error],
    });
    expect(await ask(view, "config")).toEqual({ config: { token: "***" } });
    expect(await ask(view, "routes")).toEqual({ routes: ["GET /livez"] });
    expect(await ask(view, "connections")).toEqual({ connections: [connection] });
    const { atMs: _, ...rest } = error;
    expect(await ask(view, "errors")).toEqual({
      errors: [{ at: "1970-01-01T00:00:00.000Z", ...rest }],
    });
  });

  it("sums the heap up without a snapshot", async () => {
    const { memory, heap, spaces } = (await ask(fakeHostView(), "heap-summary")) as Record<
      string,
      object
    >;
    expect(memory).toHaveProperty("rss");
    expect(heap).toHaveProperty("used_heap_size");
    expect(spaces).toEqual(
      expect.arrayContaining([expect.objectContaining({ space_name: "old_space" })]),
    );
  });

  it("records a CPU profile for so many seconds, 5 unless told", async () => {
    const asked: number[] = [];
    const view = fakeHostView({
      profiler: {
        record(ms) {
          asked.push(ms);
          return Promise.resolve({ nodes: [] });
        },
      },
    });
    expect(await ask(view, "cpu-profile")).toEqual({ nodes: [] });
    await ask(view, "cpu-profile", 0.5);
    await ask(view, "cpu-profile", 60);
    expect(asked).toEqual([5_000, 500, 60_000]);
    for (const seconds of [0, -1, 60.1, Number.NaN]) {
      await expect(ask(view, "cpu-profile", seconds)).rejects.toThrow(/expected above 0 to 60/);
    }
  });
});
