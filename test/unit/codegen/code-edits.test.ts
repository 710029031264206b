import { describe, expect, it } from "vitest";
import { CodeEdits } from "../../../src/codegen/code-edits.js";

const code = `
const A = {
  // begin(x) is not the place
  begin(x,) { return 1; },
};
const B = {
  begin(y) { return 2; },
};
`;

const edits = (text = code): CodeEdits => new CodeEdits(text, "9.9.9");

describe("CodeEdits", () => {
  it("changes one section, and leaves what looks alike elsewhere", () => {
    const of = edits();
    const section = of.section("const B", "\n};", "B");
    of.replace(section, "return 2", "return 3", "the answer");
    expect(of.apply()).toBe(code.replace("return 2", "return 3"));
  });

  it("finds a place however it is broken into lines", () => {
    const of = edits("\nconst A = {\n  call(\n    one,\n    two,\n  );\n};\n");
    of.replace(of.section("const A", "\n};", "A"), "call(one, two)", "done()", "the call");
    expect(of.apply()).toBe("\nconst A = {\n  done();\n};\n");
  });

  it("takes the beginning of a line, not a comment", () => {
    const of = edits();
    of.replaceLine(of.section("const A", "\n};", "A"), "begin(x", "start(x", "the method");
    expect(of.apply()).toContain("  // begin(x) is not the place\n  start(x,)");
  });

  it("keeps the order of what is inserted at one place", () => {
    const of = edits("\nconst A = 1;\n");
    const section = of.section("const A", ";", "A");
    of.insertBehind(section, "A", "B", "one");
    of.insertBehind(section, "A", "C", "two");
    of.insertBefore(section, "A", "Z", "three");
    expect(of.apply()).toBe("\nconst ZABC = 1;\n");
  });

  it.each([
    ["is not there", "nothing here"],
    ["is there twice", "begin(x"],
  ])("refuses a place that %s, naming ts-proto's version", (_, place) => {
    const of = edits();
    const section = of.section("const A", "\n};", "A");
    expect(() => of.replace(section, place, "", "a test")).toThrow(
      `ts-proto 9.9.9 writes code that typed arrays cannot be put into: for a test there should be once: ${place}`,
    );
  });

  it("refuses a section that is there twice, or has no end", () => {
    expect(() => edits().section("const", "\n};", "a test")).toThrow("there should be once: const");
    expect(() => edits().section("const B", "nowhere", "a test")).toThrow("const B without an end");
  });
});
