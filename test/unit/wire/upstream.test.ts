import { describe, expect, it } from "vitest";
import { instanceOf } from "../../../src/core/instance.js";
import { durationFromMs } from "../../../src/wire/time.js";
import {
  keepAliveRpc,
  registerRpc,
  upstreamListFromWire,
  upstreamListToWire,
  watchUpstreamsRpc,
} from "../../../src/wire/upstream.js";
import {
  checkedService,
  leaseToWire,
  registrationFromWire,
  trafficSettingFromWire,
  weightSettingFromWire,
} from "../../../src/wire/upstream-registration.js";

const instance = { name: "worker-1", ip: "10.0.0.1", port: 80, weight: 100, app: "" };
const request = { service: "mnist_v2", instance, ttl: durationFromMs(10_000), holder: "" };

function malformed(message: RegExp): unknown {
  return expect.objectContaining({
    reason: "MALFORMED_REQUEST",
    code: 3,
    message: expect.stringMatching(message),
  });
}

describe("upstreamRpcs", () => {
  it("have the paths of the proto", () => {
    expect(registerRpc.path).toBe("/inferwire.upstream.v1.UpstreamService/Register");
    expect(watchUpstreamsRpc).toMatchObject({ requestStream: false, responseStream: true });
  });

  it("carry a lease", () => {
    const sent = leaseToWire({ id: "secret", ttlMs: 2_500, weight: 0.5 });
    const received = registerRpc.decodeResponse(registerRpc.encodeResponse(sent));
    expect(received).toEqual({ leaseId: "secret", ttl: { seconds: 2n, nanos: 5e8 }, weight: 0.5 });
    expect(keepAliveRpc.decodeResponse(keepAliveRpc.encodeResponse(sent)).weight).toBe(0.5);
  });
});

describe("upstreamListFromWire", () => {
  it("is what was sent", () => {
    const list = {
      service: "mnist",
      version: "a.1",
      known: true,
      correlative: ["mnist"],
      shares: new Map([["v1", 100]]),
      stale: true,
      settled: true,
      instances: [
        instanceOf({ host: "10.0.0.1", port: 1, weight: 0, name: "x", app: "mnist" }),
        instanceOf({ host: "::1", port: 2, weight: 0.25, name: "y" }),
      ],
    };
    const bytes = watchUpstreamsRpc.encodeResponse(upstreamListToWire(list));
    expect(upstreamListFromWire(watchUpstreamsRpc.decodeResponse(bytes))).toEqual({
      ...list,
      baseVersion: undefined,
      removed: [],
      rejected: 0,
      firstProblem: undefined,
    });
  });

  it("leaves out what makes no sense, item by item, and merges addresses", () => {
    const instances = [
      instance,
      { ...instance, name: "worker-2", weight: 200 },
      { ...instance, ip: "worker-3" },
      { ...instance, port: 70_000 },
      { ...instance, weight: Number.NaN },
    ];
    const list = upstreamListFromWire({
      service: "mnist",
      version: "a.1",
      known: true,
      correlative: [],
      shares: new Map(),
      stale: false,
      settled: false,
      removed: [],
      instances,
    });
    expect(list.instances).toMatchObject([{ name: "worker-2", weight: 200 }]);
    expect(list.rejected).toBe(3);
    expect(list.firstProblem).toBe('ip is "worker-3", expected an IPv4 or IPv6 address');
  });
});

describe("registrationFromWire", () => {
  it("fills the application name", () => {
    expect(registrationFromWire(request)).toEqual({
      service: "mnist_v2",
      ttlMs: 10_000,
      holder: "",
      instance: instanceOf({ ...instance, host: "10.0.0.1", app: "mnist-v2" }),
    });
  });

  it.each<[object, RegExp]>([
    [{ service: "" }, /^service is "", expected letters/],
    [{ service: "a.b.c" }, /^service is "a.b.c"/],
    [{ instance: undefined }, /^instance is missing/],
    [{ instance: { ...instance, name: "" } }, /^instance.name is "", expected 1 to 128/],
    [{ instance: { ...instance, name: "x".repeat(129) } }, /^instance.name is/],
    [{ instance: { ...instance, name: "wörker" } }, /^instance.name is/],
    [{ instance: { ...instance, ip: "example.com" } }, /^instance.ip is "example.com", expected/],
    [{ instance: { ...instance, port: 0 } }, /^instance.port is 0/],
    [{ instance: { ...instance, weight: -1 } }, /^instance.weight is -1/],
    [{ instance: { ...instance, weight: Number.POSITIVE_INFINITY } }, /^instance.weight is Inf/],
    [{ instance: { ...instance, app: "x".repeat(254) } }, /^instance.app is/],
    [{ ttl: undefined }, /^ttl is missing, expected 2 s to 300 s/],
    [{ ttl: durationFromMs(1_999) }, /^ttl is 1.999 s/],
    [{ ttl: durationFromMs(300_001) }, /^ttl is 300.001 s/],
    [{ ttl: { seconds: -5n, nanos: 0 } }, /^ttl is -5 s/],
  ])("refuses what makes no sense (%#)", (change, message) => {
    expect(() => registrationFromWire({ ...request, ...change })).toThrow(malformed(message));
  });
});

describe("weightSettingFromWire", () => {
  it("takes a weight, and none", () => {
    const setting = { service: "mnist", instance: "worker-1", weight: 0 };
    expect(weightSettingFromWire(setting)).toEqual(setting);
    const { weight } = weightSettingFromWire({ service: "mnist", instance: "worker-1" });
    expect(weight).toBeUndefined();
  });

  it.each<[object, RegExp]>([
    [{ service: "!" }, /^service is "!"/],
    [{ instance: "" }, /^instance is ""/],
    [{ weight: 1_000_001 }, /^weight is 1000001/],
    [{ weight: Number.NaN }, /^weight is NaN/],
  ])("refuses %j", (change, message) => {
    const setting = { service: "mnist", instance: "worker-1", weight: 1, ...change };
    expect(() => weightSettingFromWire(setting)).toThrow(malformed(message));
  });
});

describe("trafficSettingFromWire", () => {
  it("takes shares of which one is above 0", () => {
    const shares = new Map([
      ["blue", 25],
      ["green", 0],
    ]);
    const setting = { group: "g", shares };
    expect(trafficSettingFromWire({ ...setting, expected: undefined })).toEqual(setting);
    const expected = new Map([["blue", 100]]);
    expect(trafficSettingFromWire({ ...setting, expected: { shares: expected } })).toEqual({
      ...setting,
      expected,
    });
  });

  it.each<[string, [string, number][], RegExp]>([
    ["a.b", [["x", 1]], /^group is "a.b", expected .* without a dot/],
    ["", [["x", 1]], /^group is ""/],
    ["g", [["g.x", 1]], /^a key of shares is "g.x"/],
    ["g", [["x", -1]], /^shares\["x"\]: weight is -1/],
    ["g", [["x", 0]], /no member above 0/],
    ["g", [], /no member above 0/],
    ["g", Array.from({ length: 101 }, (_, i) => [`m${i}`, 1]), /101 members, expected at most 100/],
  ])("refuses %s with %j", (group, shares, message) => {
    const setting = { group, shares: new Map(shares), expected: undefined };
    expect(() => trafficSettingFromWire(setting)).toThrow(malformed(message));
  });
});

describe("checkedService", () => {
  it("names the field", () => {
    expect(() => checkedService("?", "x")).toThrow(malformed(/^x is "\?"/));
    expect(checkedService("g.a")).toBe("g.a");
  });
});
