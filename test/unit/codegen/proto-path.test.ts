import { describe, expect, it } from "vitest";
import { pathProblem } from "../../../src/codegen/proto-path.js";

describe("pathProblem", () => {
  it.each(["a/v1/a.proto", "a b/c-d+e@f_1.proto"])("takes %s", (path) => {
    expect(pathProblem(path)).toBeUndefined();
  });

  it.each([
    "a'b/x.proto",
    'a"b.proto',
    "a`b.proto",
    "a\\b.proto",
    "a\nb.proto",
    "a$b.proto",
    "ü.proto",
  ])("refuses %j", (path) => {
    expect(pathProblem(path)).toBe(
      `${JSON.stringify(path)} cannot be the path of a module, expected letters, digits and _ . / + @ - or spaces`,
    );
  });
});
