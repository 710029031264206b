import { describe, expect, it } from "vitest";
import { instanceOf } from "../../../src/core/instance.js";
import { namingItemFromValue, namingValueFromInstance } from "../../../src/wire/etcd-naming.js";

function read(value: unknown, name = "a"): ReturnType<typeof namingItemFromValue> {
  return namingItemFromValue(
    name,
    Buffer.from(typeof value === "string" ? value : JSON.stringify(value)),
  );
}

describe("namingItemFromValue", () => {
  it.each<[unknown, number]>([
    [{ Op: 0, Addr: "10.0.0.1:80", Metadata: 5 }, 5],
    [{ Op: 0, Addr: "10.0.0.1:80", Metadata: { weight: 0 } }, 0],
    [{ Op: 0, Addr: "10.0.0.1:80", Metadata: null }, 100],
    [{ Op: 0, Addr: "10.0.0.1:80", Metadata: { weight: null } }, 100],
    [{ Op: 0, Addr: "10.0.0.1:80", Metadata: "blue" }, 100],
    [{ Op: 0, Addr: "10.0.0.1:80", Metadata: [1] }, 100],
    [{ Addr: "10.0.0.1:80" }, 100],
  ])("reads %j with weight %i", (value, weight) => {
    expect(read(value)).toMatchObject({
      kind: "listed",
      instance: { key: "10.0.0.1:80", name: "a", weight, app: "" },
    });
  });

  it("reads names and IPv6 addresses, the app, and hands on all metadata", () => {
    expect(read({ Addr: "pod-1.svc:80" })).toMatchObject({ instance: { host: "pod-1.svc" } });
    const value = { Addr: "[::1]:80", Metadata: { weight: 7, app: "mnist", zone: "b" } };
    expect(read(value)).toEqual({
      kind: "listed",
      instance: instanceOf({ host: "::1", port: 80, weight: 7, name: "a", app: "mnist" }),
      metadata: { weight: 7, app: "mnist", zone: "b" },
    });
  });

  it("takes a name that is not printable, or too long, for none", () => {
    for (const name of ["", "a\u0000b", "é", "x".repeat(129)]) {
      expect(read({ Addr: "h:80" }, name)).toMatchObject({ instance: { name: "h:80" } });
    }
  });

  it("knows a deleted one, whatever else it says", () => {
    expect(read({ Op: 1, Addr: 5 })).toEqual({ kind: "deleted" });
  });

  it.each<[unknown, string]>([
    ["", "no JSON object"],
    ["{", "no JSON object"],
    ["[]", "no JSON object"],
    ["null", "no JSON object"],
    ['"10.0.0.1:80"', "no JSON object"],
    ["\ufffd\u0000", "no JSON object"],
    [{}, "Addr is undefined"],
    [{ Op: 2, Addr: "a:1" }, "Op is 2"],
    [{ Op: "0", Addr: "a:1" }, 'Op is "0"'],
    [{ Addr: 80 }, "Addr is 80"],
    [{ Addr: ["a:1"] }, "Addr is a list"],
    [{ Addr: "a" }, 'Addr is "a"'],
    [{ Addr: ":80" }, 'Addr is ":80"'],
    [{ Addr: "a:0" }, 'Addr is "a:0"'],
    [{ Addr: "a:65536" }, 'Addr is "a:65536"'],
    [{ Addr: "http://a:1" }, 'Addr is "http://a:1"'],
    [{ Addr: "a:1\nb:2" }, "Addr is"],
    [{ Addr: "[1:2]:80" }, "IPv6"],
    [{ Addr: "x".repeat(1_000_000) }, 'Addr is "xxx'],
    [{ Addr: "a:1", Metadata: -1 }, "weight is -1"],
    [{ Addr: "a:1", Metadata: 1e300 }, "weight is 1e+300"],
    [{ Addr: "a:1", Metadata: { weight: "5" } }, 'weight is "5"'],
    [{ Addr: "a:1", Metadata: { weight: { toString: 1, valueOf: 1 } } }, "weight is an object"],
    ['{"__proto__":{"Addr":"a:1"}}', "Addr is undefined"],
  ])("refuses %j", (value, problem) => {
    const item = read(value);
    if (item.kind !== "rejected") throw new Error(item.kind);
    expect(item.problem).toContain(problem);
    expect(item.problem.length).toBeLessThan(200);
  });

  it("reads what it writes", () => {
    const instance = instanceOf({ host: "::1", port: 80, weight: 0.5, name: "a", app: "mnist" });
    const value = namingValueFromInstance(instance, { weight: 3, zone: "b" });
    expect(JSON.parse(Buffer.from(value).toString())).toEqual({
      Op: 0,
      Addr: "[::1]:80",
      Metadata: { zone: "b", weight: 0.5, app: "mnist" },
    });
    expect(namingItemFromValue("a", value)).toMatchObject({ kind: "listed", instance });
  });
});
