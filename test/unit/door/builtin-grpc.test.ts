import { describe, expect, it } from "vitest";
import type { FunctionCaller } from "../../../src/builtin/host-view.js";
import { builtins } from "../../../src/builtin/registry.js";
import { metadataOf } from "../../../src/core/metadata.js";
import { servingError } from "../../../src/core/serving-error.js";
import { Status } from "../../../src/core/status.js";
import { REASON_TRAILER } from "../../../src/core/trailers.js";
import { builtinRoutes } from "../../../src/door/builtin-grpc.js";
import {
  builtinHead,
  callRpc,
  eastoolRpc,
  monitorRpc,
  propRpc,
  realtimeMetricsRpc,
  recordMetricsRpc,
  setPropertiesRpc,
  tellRpc,
} from "../../../src/wire/builtin.js";
import { flushPromises } from "../../support/fake-clock.js";
import { fakeHostView } from "../../support/fake-host-view.js";
import { callRoute } from "../../support/fake-rpc-call.js";

const noBytes = new Uint8Array();
const declaredMetrics = new Map([["cost", "in cents"]]);
const sample = (value: number, tags = new Map([["model", "m"]])) => ({ name: "cost", value, tags });

describe("builtinRoutes", () => {
  it("has every method of the registry, and no other", () => {
    const paths = builtinRoutes(fakeHostView()).map(({ path }) => path);
    const listed = builtins.flatMap(({ methods }) =>
      methods.map(({ name }) => builtinHead(name).path),
    );
    expect(paths.toSorted()).toEqual(listed.toSorted());
  });

  it("reads and sets properties", async () => {
    const property = { name: "weight", value: "5", mutable: true, help: "share" };
    const given = new Map<string, string>();
    const routes = builtinRoutes(
      fakeHostView({
        properties: () => [property],
        setProperties(values) {
          for (const [name, value] of values) given.set(name, value);
          return [property];
        },
      }),
    );
    const read = callRoute(routes, propRpc, { names: ["weight"] });
    expect((await read.ended).code).toBe(Status.OK);
    expect(read.responses).toEqual([{ properties: [property] }]);
    const unknown = await callRoute(routes, propRpc, { names: ["wieght"] }).ended;
    expect([unknown.code, unknown.trailers?.get(REASON_TRAILER)]).toEqual([
      Status.NOT_FOUND,
      "UNKNOWN_PROPERTY",
    ]);
    const values = new Map([["weight", "5"]]);
    const set = callRoute(routes, setPropertiesRpc, { values });
    await set.ended;
    expect(set.responses).toEqual([{ properties: [property] }]);
    expect(given).toEqual(values);
  });

  it("reports every lane's state", async () => {
    const asked = callRoute(builtinRoutes(fakeHostView()), monitorRpc, {});
    await asked.ended;
    expect(asked.responses[0]?.lanes.map(({ state, restarts }) => [state, restarts])).toEqual([
      ["busy", 0],
      ["dead", 4],
    ]);
  });

  it("takes samples, all or none, and streams them until the caller leaves", async () => {
    const view = fakeHostView({ declaredMetrics });
    const routes = builtinRoutes(view);
    const record = (...samples: ReturnType<typeof sample>[]) =>
      callRoute(routes, recordMetricsRpc, { samples }).ended;
    expect((await record(sample(1), sample(Number.NaN))).code).toBe(Status.INVALID_ARGUMENT);
    expect((await record(sample(1), sample(3))).code).toBe(Status.OK);
    const stream = callRoute(routes, realtimeMetricsRpc, { names: [] });
    await view.clock.settle(1_000);
    expect(stream.responses).toEqual([
      {
        second: { seconds: 1_000n, nanos: 0 },
        samples: [],
        points: [
          {
            name: "cost",
            tags: new Map([["model", "m"]]),
            count: 2n,
            sum: 4,
            min: 1,
            max: 3,
            last: 3,
          },
        ],
      },
    ]);
    await record(sample(7));
    await view.clock.settle(1_000);
    expect(stream.responses).toHaveLength(2);
    stream.close();
    await view.clock.settle();
    expect(view.clock.pending()).toEqual([]);
    const wrong = callRoute(routes, realtimeMetricsRpc, { names: ["x"] });
    expect((await wrong.ended).code).toBe(Status.INVALID_ARGUMENT);
  });

  it("runs a function with the caller's deadline and abort", async () => {
    const callers: FunctionCaller[] = [];
    const view = fakeHostView({
      runFunction(_name, data, caller) {
        callers.push(caller);
        return Promise.resolve(data);
      },
    });
    const asked = callRoute(builtinRoutes(view), callRpc, {
      function: "f",
      data: new Uint8Array([9]),
    });
    expect((await asked.ended).code).toBe(Status.OK);
    expect(asked.responses).toEqual([{ data: new Uint8Array([9]) }]);
    expect(callers[0]).toMatchObject({ door: "grpc", deadlineMs: 1_002_000 });
    asked.close();
    expect(callers[0]?.abort.reason).toBeUndefined();
  });

  it("gives a function up when its caller leaves before the answer", async () => {
    const callers: FunctionCaller[] = [];
    const view = fakeHostView({
      runFunction(_name, _data, caller) {
        callers.push(caller);
        return new Promise(() => {});
      },
    });
    const asked = callRoute(builtinRoutes(view), callRpc, { function: "f", data: noBytes });
    await flushPromises();
    asked.close();
    expect(callers[0]?.abort.reason?.reason).toBe("CANCELLED");
  });

  it("ends with the status and trailers of what a function throws on purpose", async () => {
    const error = servingError("PROCESSOR_THREW", "no such row", {
      code: Status.NOT_FOUND,
      details: { trailers: metadataOf([["x-row", "7"]]) },
    });
    const view = fakeHostView({ runFunction: () => Promise.reject(error) });
    const asked = callRoute(builtinRoutes(view), callRpc, { function: "f", data: noBytes });
    const { code, message, trailers } = await asked.ended;
    expect([code, message, trailers?.get("x-row")]).toEqual([Status.NOT_FOUND, "no such row", "7"]);
  });

  it("tells, and diagnoses", async () => {
    const view = fakeHostView({ routes: () => ["GET /livez"] });
    const told = callRoute(builtinRoutes(view), tellRpc, { message: noBytes });
    await told.ended;
    expect(told.responses).toEqual([{ lanes: 2 }]);
    const asked = callRoute(builtinRoutes(view), eastoolRpc, {
      report: "routes",
      duration: undefined,
    });
    await asked.ended;
    const [{ contentType, content } = { contentType: "", content: noBytes }] = asked.responses;
    expect(contentType).toBe("application/json; charset=utf-8");
    expect(JSON.parse(Buffer.from(content).toString())).toEqual({ routes: ["GET /livez"] });
    const none = callRoute(builtinRoutes(view), eastoolRpc, { report: "", duration: undefined });
    expect((await none.ended).message).toMatch(/known: config, routes/);
  });
});
