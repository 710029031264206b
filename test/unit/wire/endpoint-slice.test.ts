import { describe, expect, it } from "vitest";
import {
  apiStatusFromJson,
  type EndpointSlice,
  endpointSliceEventFromJson,
  endpointSlicePageFromJson,
} from "../../../src/wire/endpoint-slice.js";

const metadata = {
  name: "mnist-a",
  resourceVersion: "7",
  labels: { "kubernetes.io/service-name": "mnist" },
};

function event(type: unknown, object: unknown) {
  return endpointSliceEventFromJson(JSON.stringify({ type, object }), "mnist");
}

function sliceFrom(fields: object): EndpointSlice {
  const read = event("ADDED", { metadata, addressType: "IPv4", ...fields });
  if (read.kind !== "put") throw new Error(read.kind);
  return read.slice;
}

function page(fields: object) {
  const text = JSON.stringify({ kind: "EndpointSliceList", ...fields });
  return endpointSlicePageFromJson(text, "mnist");
}

const endpoint = (address: unknown, conditions?: unknown) => ({ addresses: [address], conditions });

describe("an EndpointSlice", () => {
  const [yes, no] = [true, false];
  it.each([
    [{}, "ready"],
    [undefined, "ready"],
    [null, "ready"],
    [{ ready: null, serving: null, terminating: null }, "ready"],
    [{ ready: yes, serving: yes, terminating: no }, "ready"],
    [{ ready: no }, "gone"],
    [{ ready: no, serving: yes, terminating: no }, "gone"],
    [{ ready: no, serving: no, terminating: no }, "gone"],
    [{ ready: no, serving: yes, terminating: yes }, "draining"],
    [{ ready: no, terminating: yes }, "draining"],
    [{ ready: no, serving: no, terminating: yes }, "gone"],
    // publishNotReadyAddresses makes everybody ready.
    [{ ready: yes, serving: no, terminating: no }, "ready"],
    [{ ready: yes, serving: yes, terminating: yes }, "ready"],
    [{ ready: yes, serving: no, terminating: yes }, "gone"],
    [{ ready: "no", serving: 0, terminating: "yes" }, "ready"],
  ])("with conditions %j has an endpoint that is %s", (conditions, expected) => {
    const { ready, draining, rejected } = sliceFrom({
      endpoints: [endpoint("10.0.0.1", conditions)],
    });
    expect([ready, draining]).toEqual([
      expected === "ready" ? ["10.0.0.1"] : [],
      expected === "draining" ? ["10.0.0.1"] : [],
    ]);
    expect(rejected).toBe(0);
  });

  it("may have null for its lists, and ports without name or number", () => {
    expect(sliceFrom({ endpoints: null, ports: null })).toMatchObject({
      ready: [],
      ports: [],
      rejected: 0,
    });
    const ports = [
      { name: "grpc", port: 80, protocol: "TCP" },
      { port: 81 },
      { name: null, port: null, protocol: null },
      { name: "dns", port: 53, protocol: "UDP" },
    ];
    expect(sliceFrom({ ports }).ports).toEqual([
      { name: "grpc", port: 80 },
      { name: "", port: 81 },
      { name: "", port: undefined },
    ]);
  });

  it("means the first of several addresses", () => {
    const endpoints = [{ addresses: ["10.0.0.1", "10.0.0.2"] }];
    expect(sliceFrom({ endpoints }).ready).toEqual(["10.0.0.1"]);
    const v6 = { addressType: "IPv6", endpoints: [endpoint("fd00::1")] };
    expect(sliceFrom(v6)).toMatchObject({ family: "IPv6", ready: ["fd00::1"] });
  });

  it.each<[string, object, number, string]>([
    ["host names", { addressType: "FQDN", endpoints: [{}, {}] }, 2, 'addressType is "FQDN"'],
    ["no address type", { addressType: null }, 1, "addressType is null"],
    ["the other family", { endpoints: [endpoint("::1")] }, 1, 'address is "::1"'],
    ["no addresses", { endpoints: [{ addresses: null }, { addresses: [] }, {}] }, 3, "undefined"],
    ["hostile endpoints", { endpoints: [null, 1, [], endpoint({}), endpoint("x")] }, 5, "null"],
    ["endpoints that are no list", { endpoints: "all" }, 1, "expected a list"],
    [
      "hostile ports",
      { ports: [null, { port: 0 }, { port: 65_536 }, { port: "80" }] },
      4,
      "a port",
    ],
  ])("leaves %s out and counts them", (_, fields, rejected, problem) => {
    const slice = sliceFrom(fields);
    expect(slice).toMatchObject({ ready: [], ports: [], rejected });
    expect(slice.firstProblem).toContain(problem);
  });
});

describe("a list of EndpointSlices", () => {
  it("gives slices, version and what asks for the next page", () => {
    const items = [{ metadata, addressType: "IPv4" }];
    const first = page({ metadata: { resourceVersion: "9", continue: "abc" }, items });
    expect(first).toMatchObject({ version: "9", next: "abc", rejected: 0 });
    expect(first.slices.map(({ name }) => name)).toEqual(["mnist-a"]);
    const last = page({ metadata: { resourceVersion: "9", continue: "" }, items: null });
    expect(last).toMatchObject({ slices: [], next: undefined });
  });

  it("leaves out what cannot be told from others, or is another service's", () => {
    const other = { ...metadata, labels: { "kubernetes.io/service-name": "other" } };
    const items = [
      null,
      5,
      {},
      { metadata: { name: "../x" } },
      { metadata: other },
      { metadata: { name: "a" } },
    ];
    const read = page({ metadata: { resourceVersion: "9" }, items });
    expect(read).toMatchObject({ slices: [], rejected: 6, firstProblem: expect.any(String) });
  });

  it.each([
    ["is not JSON", "<html>"],
    ["is not a JSON object", "[]"],
    ["is no EndpointSliceList", '{"kind":"PodList","metadata":{"resourceVersion":"1"}}'],
    ["is no EndpointSliceList", '{"kind":"EndpointSliceList","items":{}}'],
    ["has no metadata.resourceVersion", '{"kind":"EndpointSliceList","items":[]}'],
    ["unusable", '{"kind":"EndpointSliceList","metadata":{"resourceVersion":"1","continue":5}}'],
  ])("%s: %s", (problem, text) => {
    expect(() => endpointSlicePageFromJson(text, "mnist")).toThrow(problem);
  });
});

describe("an event", () => {
  it("of each kind is read, with its version", () => {
    expect(event("MODIFIED", { metadata, addressType: "IPv4" })).toMatchObject({
      kind: "put",
      version: "7",
    });
    expect(event("DELETED", { metadata })).toEqual({ kind: "gone", name: "mnist-a", version: "7" });
    expect(event("BOOKMARK", { metadata: { resourceVersion: "8" } })).toEqual({
      kind: "bookmark",
      version: "8",
    });
    expect(event("BOOKMARK", {})).toEqual({ kind: "bookmark", version: undefined });
    const gone = {
      code: 410,
      reason: "Expired",
      message: "too old",
      details: { retryAfterSeconds: 2 },
    };
    expect(event("ERROR", gone)).toEqual({
      kind: "error",
      status: { code: 410, reason: "Expired", message: "too old", retryAfterMs: 2_000 },
    });
    expect(event("ERROR", { code: "x", reason: 1, message: null })).toMatchObject({
      status: { code: 0, reason: "", message: "" },
    });
  });

  it("of an unknown type, or of what has no name, is rejected and keeps its version", () => {
    expect(event("SYNCED", { metadata })).toMatchObject({ kind: "rejected", version: "7" });
    expect(event("DELETED", {})).toMatchObject({ kind: "rejected" });
    expect(event("ADDED", { metadata: { resourceVersion: "7" } })).toMatchObject({
      kind: "rejected",
      version: "7",
    });
  });

  it.each(["", "{", "null", '{"type":"ADDED"}', '{"object":{}}', '{"type":1,"object":{}}'])(
    "that is none is an error: %j",
    (line) => {
      expect(() => endpointSliceEventFromJson(line, "mnist")).toThrow("the answer is");
    },
  );
});

describe("apiStatusFromJson", () => {
  it("reads a Status, and nothing else", () => {
    const status = { kind: "Status", code: 429, details: { retryAfterSeconds: 1 } };
    expect(apiStatusFromJson(JSON.stringify(status))).toMatchObject({ retryAfterMs: 1_000 });
    for (const text of ["", "<html>", "{}", "[]", '{"kind":"Pod"}']) {
      expect(apiStatusFromJson(text)).toBeUndefined();
    }
  });
});
