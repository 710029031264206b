import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { moduleUrl } from "../../../src/processor/module-url.js";

const { argv } = process;

afterEach(() => {
  process.argv = argv;
});

describe("moduleUrl", () => {
  it("takes a URL, its text, or an absolute path", () => {
    expect(moduleUrl(new URL("file:///a.js"))).toBe("file:///a.js");
    expect(moduleUrl(import.meta.url)).toBe(import.meta.url);
    expect(moduleUrl("/a b.js")).toBe("file:///a%20b.js");
  });

  it("means the main module by nothing", () => {
    process.argv = ["/bin/node", import.meta.filename];
    expect(moduleUrl(undefined)).toBe(import.meta.url);
    process.argv = ["/bin/node", "/nowhere/main"];
    expect(moduleUrl(undefined)).toBe(pathToFileURL("/nowhere/main").href);
  });

  it("refuses anything else, and a program without a main module", () => {
    expect(() => moduleUrl("model.js")).toThrow(
      /options.module is "model.js", expected a file URL/,
    );
    process.argv = ["/bin/node"];
    expect(() => moduleUrl(undefined)).toThrow(/options.module is missing, and the program has no/);
  });
});
