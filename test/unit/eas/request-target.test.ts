import { describe, expect, it } from "vitest";
import {
  checkPath,
  checkQuery,
  type PredictQuery,
  requestTarget,
} from "../../../src/eas/request-target.js";

const route = { path: "/api/predict/mnist", query: "" };

describe("requestTarget", () => {
  it.each<[string, PredictQuery, string]>([
    ["", {}, "/api/predict/mnist"],
    ["v1/chat", {}, "/api/predict/mnist/v1/chat"],
    ["/v1/chat", {}, "/api/predict/mnist/v1/chat"],
    ["", { uid: "1", flag: null }, "/api/predict/mnist?uid=1&flag"],
    ["v1?a=b", { c: "d" }, "/api/predict/mnist/v1?a=b&c=d"],
    ["", { k: ["1", "2"] }, "/api/predict/mnist?k=1&k=2"],
    ["", { k: [], l: "" }, "/api/predict/mnist?l="],
    ["", { "a b": "ü&=" }, "/api/predict/mnist?a+b=%C3%BC%26%3D"],
    ["/ü x\r\ny%20z", {}, "/api/predict/mnist/%C3%BC%20x%0D%0Ay%20z"],
  ])("makes %j and %j", (path, query, expected) => {
    expect(requestTarget({ route, path, query })).toBe(expected);
  });

  it("keeps the query of a custom URL in front, and one slash between", () => {
    const own = { path: "/x/", query: "internal=true" };
    expect(requestTarget({ route: own, path: "", query: {} })).toBe("/x/?internal=true");
    expect(requestTarget({ route: own, path: "y", query: { z: "1" } })).toBe(
      "/x/y?internal=true&z=1",
    );
  });
});

describe("checkPath, checkQuery", () => {
  it("refuse what is none", () => {
    expect(() => checkPath("/a#b", "path")).toThrow('path is "/a#b"');
    for (const path of ["..", "/a/../b", "./a", "a/%2E%2e/b", "a/.?x", "a\\..\\b"]) {
      expect(() => checkPath(path, "path")).toThrow('without segments "." and ".."');
    }
    for (const path of ["/v1.0/a..b", "...", "/.hidden", "?x=../y"]) {
      expect(checkPath(path, "path")).toBe(path);
    }
    const wrong: unknown = { a: 1 };
    expect(() => checkQuery(wrong as PredictQuery, "query")).toThrow("query.a is 1, expected");
    expect(() => checkQuery({ a: undefined } as object as PredictQuery, "query")).toThrow(
      "query.a is undefined",
    );
  });
});
