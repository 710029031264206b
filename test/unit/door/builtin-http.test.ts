import { ServerError } from "nice-grpc-common";
import { describe, expect, it } from "vitest";
import type { FunctionCaller } from "../../../src/builtin/host-view.js";
import { builtins } from "../../../src/builtin/registry.js";
import { emptyMetadata } from "../../../src/core/metadata.js";
import { servingError } from "../../../src/core/serving-error.js";
import { Status } from "../../../src/core/status.js";
import { serveBuiltin } from "../../../src/door/builtin-http.js";
import { fakeHostView } from "../../support/fake-host-view.js";
import { type FakeHttpRequest, fakeHttpRequest } from "../../support/fake-http-request.js";

async function ask(
  view: ReturnType<typeof fakeHostView>,
  method: string,
  target: string,
  body?: string | Uint8Array,
): Promise<FakeHttpRequest> {
  const request = fakeHttpRequest(method, `/api/builtin/${target}`, body);
  await serveBuiltin(view, request);
  return request;
}

const declaredMetrics = new Map([["cost", "in cents"]]);

describe("serveBuiltin", () => {
  it("answers with one line of JSON", async () => {
    const { replies } = await ask(fakeHostView(), "GET", "ping");
    expect(replies).toHaveLength(1);
    expect(replies[0]?.status).toBe(200);
    expect(replies[0]?.headers).toEqual({ "content-type": "application/json; charset=utf-8" });
    expect(replies[0]?.body).toMatch(/^\{.*\}\n$/);
  });

  it("refuses unknown names and every verb that is not listed", async () => {
    await expect(ask(fakeHostView(), "GET", "pign")).rejects.toMatchObject({
      reason: "UNKNOWN_BUILTIN",
      message: expect.stringContaining('did you mean "ping"'),
    });
    for (const { name, verbs } of builtins) {
      for (const verb of ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]) {
        if (verbs.some((way) => way.name === verb)) continue;
        await expect(ask(fakeHostView(), verb, name)).rejects.toMatchObject({
          reason: "METHOD_NOT_ALLOWED",
        });
      }
    }
  });

  it("reads no more of a body than the builtin needs", async () => {
    for (const [target, bytes] of [
      ["term", 1_025],
      ["eastool?report=routes", 1_025],
      ["ping", 65_537],
      ["prop", 4_194_305],
      ["realtime_metrics", 4_194_305],
    ] as const) {
      await expect(
        ask(fakeHostView(), "POST", target, new Uint8Array(bytes)),
      ).rejects.toMatchObject({ reason: "MESSAGE_TOO_LARGE" });
    }
  });

  it.each(["prop", "realtime_metrics", "term"])("%s refuses what is not JSON", async (name) => {
    for (const body of ["{", "secret", "[1]", '"x"', "null", "7"]) {
      const asked = ask(fakeHostView({ declaredMetrics }), "POST", name, body);
      await expect(asked).rejects.toMatchObject({
        reason: "MALFORMED_REQUEST",
        message: expect.not.stringContaining("secret"),
      });
    }
  });
});

describe("prop", () => {
  const property = { name: "weight", value: "100", mutable: true, help: "share" };

  it("lists all, or those that are named", async () => {
    const other = { ...property, name: "a" };
    const view = fakeHostView({ properties: () => [other, property] });
    expect((await ask(view, "GET", "prop")).json).toEqual({ properties: [other, property] });
    expect((await ask(view, "GET", "prop?name=weight&name=a")).json).toEqual({
      properties: [other, property],
    });
    expect((await ask(view, "GET", "prop?name=weight")).json).toEqual({ properties: [property] });
    await expect(ask(view, "GET", "prop?name=wieght")).rejects.toMatchObject({
      reason: "UNKNOWN_PROPERTY",
    });
  });

  it("sets texts, numbers and booleans as texts", async () => {
    const given: (readonly [string, string])[] = [];
    const view = fakeHostView({
      setProperties(values) {
        given.push(...values);
        return [property];
      },
    });
    const body = '{"weight": 1e3, "on": true, "mode": "fast", "__proto__": "x"}';
    expect((await ask(view, "POST", "prop", body)).json).toEqual({ properties: [property] });
    expect(given).toEqual([
      ["weight", "1000"],
      ["on", "true"],
      ["mode", "fast"],
      ["__proto__", "x"],
    ]);
    for (const bad of ['{"a": null}', '{"a": {}}', '{"a": [1]}', "{}"]) {
      await expect(ask(view, "POST", "prop", bad)).rejects.toMatchObject({
        reason: "MALFORMED_REQUEST",
      });
    }
  });
});

describe("realtime_metrics", () => {
  it("takes EAS's list, also as the vendor's gateway sends it, and gives it back by second", async () => {
    const view = fakeHostView({ declaredMetrics });
    const body = '[{"name":"cost","value":2.5,"tags":{"model":"m"}},{"name":"cost","value":1}]';
    const taken = await ask(view, "POST", "realtime_metrics?internal=true", body);
    expect([taken.replies[0]?.status, taken.replies[0]?.body]).toEqual([200, "{}\n"]);
    expect((await ask(view, "GET", "realtime_metrics?name=cost")).json).toEqual({
      seconds: [
        {
          second: "1970-01-01T00:16:40.000Z",
          points: [
            {
              name: "cost",
              tags: { model: "m" },
              count: 1,
              sum: 2.5,
              min: 2.5,
              max: 2.5,
              last: 2.5,
            },
            { name: "cost", tags: {}, count: 1, sum: 1, min: 1, max: 1, last: 1 },
          ],
        },
      ],
    });
  });

  it.each([
    ["no object", "[1]", /sample 0: 1, expected an object/],
    ["no name", '[{"value":1}]', /name is undefined/],
    ["a text for a value", '[{"name":"cost","value":"1"}]', /value is "1", expected a number/],
    ["tags that are no texts", '[{"name":"cost","value":1,"tags":{"a":1}}]', /tag "a" is 1/],
    ["tags in a list", '[{"name":"cost","value":1,"tags":["a"]}]', /tags is a list of 1/],
    ["an undeclared name", '[{"name":"cost","value":1},{"name":"x","value":1}]', /sample 1/],
  ])("refuses %s, and takes nothing then", async (_, body, message) => {
    const view = fakeHostView({ declaredMetrics });
    await expect(ask(view, "POST", "realtime_metrics", body)).rejects.toThrow(message);
    expect(view.samples.size).toBe(0);
  });
});

describe("call", () => {
  it("hands bytes to a function and back", async () => {
    const asked: [string, Uint8Array, FunctionCaller][] = [];
    const view = fakeHostView({
      runFunction(...all) {
        asked.push(all);
        return Promise.resolve(new Uint8Array([3, 0, 255]));
      },
    });
    const { replies, headers } = await ask(view, "POST", "call?function=reload%2F2", "in");
    expect(replies).toEqual([
      {
        status: 200,
        headers: { "content-type": "application/octet-stream" },
        body: new Uint8Array([3, 0, 255]),
      },
    ]);
    const [[name, data, caller] = []] = asked;
    expect(name).toBe("reload/2");
    expect(Buffer.from(data ?? []).toString()).toBe("in");
    expect(caller).toMatchObject({
      door: "eas",
      metadata: { get: headers.get },
      peer: "127.0.0.1:1234",
      deadlineMs: Number.POSITIVE_INFINITY,
    });
  });

  it("answers with the status of what a function throws on purpose, as process does", async () => {
    const deliberate = servingError("PROCESSOR_THREW", "no such row", {
      code: Status.NOT_FOUND,
      cause: new ServerError(Status.NOT_FOUND, "no such row"),
      details: { trailers: emptyMetadata },
    });
    const thrower = (error: Error) => fakeHostView({ runFunction: () => Promise.reject(error) });
    const { replies } = await ask(thrower(deliberate), "POST", "call?function=f");
    expect(replies[0]?.status).toBe(404);
    expect(JSON.parse(String(replies[0]?.body))).toEqual({
      error: { code: "NOT_FOUND", reason: "CALL_FAILED", message: "no such row" },
    });
    const full = servingError("QUEUE_FULL", "full");
    await expect(ask(thrower(full), "POST", "call?function=f")).rejects.toBe(full);
    await expect(ask(fakeHostView(), "POST", "call")).rejects.toThrow(/name is missing/);
  });

  it("gives the call up when the caller leaves", async () => {
    const view = fakeHostView({
      runFunction: (_name, _data, { abort }) =>
        new Promise((_resolve, reject) => {
          abort.onAbort(reject);
        }),
    });
    const request = fakeHttpRequest("POST", "/api/builtin/call?function=f");
    const served = serveBuiltin(view, request);
    await view.clock.settle();
    request.leave();
    await expect(served).rejects.toMatchObject({ reason: "CANCELLED" });
  });
});

describe("tell, term and eastool", () => {
  it("answer what the builtin says", async () => {
    const view = fakeHostView({ routes: () => ["GET /livez"] });
    expect((await ask(view, "POST", "tell", "hello")).json).toEqual({ lanes: 2 });
    expect((await ask(view, "POST", "term", '{"gracePeriodMs":5}')).json).toEqual({
      gracePeriodMs: 5,
    });
    expect((await ask(view, "POST", "term")).json).toEqual({ gracePeriodMs: 30_000 });
    for (const verb of ["GET", "POST"]) {
      expect((await ask(view, verb, "eastool?report=routes")).json).toEqual({
        routes: ["GET /livez"],
      });
    }
    await expect(ask(view, "GET", "eastool")).rejects.toThrow(/known: config, routes/);
    await expect(ask(view, "GET", "eastool?report=cpu-profile&seconds=x")).rejects.toThrow(/NaN/);
  });

  it("ends a profile when the caller leaves", async () => {
    const view = fakeHostView({
      profiler: {
        record: (_ms, abort) =>
          new Promise((_resolve, reject) => {
            abort.onAbort(reject);
          }),
      },
    });
    const request = fakeHttpRequest("GET", "/api/builtin/eastool?report=cpu-profile&seconds=60");
    const served = serveBuiltin(view, request);
    await view.clock.settle();
    request.leave();
    await expect(served).rejects.toMatchObject({ reason: "CANCELLED" });
  });
});
