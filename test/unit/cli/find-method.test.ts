import { describe, expect, it } from "vitest";
import { findMethod, isNamed, parseMethodName } from "../../../src/cli/find-method.js";
import { createDynamicMethods } from "../../../src/wire/dynamic-methods.js";
import { kitDescriptorSet } from "../../../src/wire/file-registry.js";

const methods = createDynamicMethods([kitDescriptorSet()]);
const find = (name: string): string => findMethod(methods, methods.services, name).path;

describe("parseMethodName", () => {
  it.each([
    ["a.b.S/M", "a.b.S", "M"],
    ["/a.b.S/M", "a.b.S", "M"],
    ["a.b.S.M", "a.b.S", "M"],
    ["S.M", "S", "M"],
    ["M", undefined, "M"],
  ])("reads %s", (text, service, method) => {
    expect(parseMethodName(text)).toEqual({ service, method });
  });
});

describe("isNamed", () => {
  it("goes by whole parts of a name", () => {
    expect(isNamed("a.b.S", { service: "b.S", method: "M" })).toBe(true);
    expect(isNamed("a.b.S", { service: "S", method: "M" })).toBe(true);
    expect(isNamed("a.bS", { service: "S", method: "M" })).toBe(false);
  });
});

describe("findMethod", () => {
  it("finds by full name, by the end of it, and by the method alone", () => {
    const path = "/inferwire.builtin.v1.BuiltinService/Ping";
    for (const name of [
      path,
      path.slice(1),
      "BuiltinService/Ping",
      "BuiltinService.Ping",
      "Ping",
    ]) {
      expect(find(name)).toBe(path);
    }
  });

  it("prefers what is spelled out, and refuses what is ambiguous", () => {
    expect(find("grpc.reflection.v1.ServerReflection.ServerReflectionInfo")).toContain("v1.");
    expect(() => find("ServerReflectionInfo")).toThrow(/is more than one: .*v1\..*, .*v1alpha\./);
  });

  it("names the nearest, then what else there is", () => {
    expect(() => find("Pign")).toThrow("did you mean inferwire.builtin.v1.BuiltinService/Ping?");
    expect(() => find("BuiltinService.Pong")).toThrow(
      /did you mean inferwire\.builtin\.v1\.BuiltinService\/P\w+\?; there is also inferwire/,
    );
    expect(() => find("zzzzzzzzzzzzzzzzzz")).toThrow("; there is ");
  });
});
