import { describe, expect, it } from "vitest";
import { textTable } from "../../../src/cli/text-table.js";

describe("textTable", () => {
  it.each([
    ["nothing", [], []],
    [
      "columns of different widths, the last one ragged",
      [
        ["NAME", "WEIGHT", "APP"],
        ["a", "100", "x"],
        ["longer", "1", ""],
      ],
      ["NAME    WEIGHT  APP", "a       100     x", "longer  1"],
    ],
    ["cells that would begin a line", [["a\nb\u001b[2J", "c"]], ["a\\u000ab\\u001b[2J  c"]],
    ["rows of different lengths", [["", "a"], ["x"], ["y", "z", "!"]], ["   a", "x", "y  z  !"]],
  ])("sets %s", (_what, rows, expected) => {
    expect(textTable(rows)).toEqual(expected);
  });
});
