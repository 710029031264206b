import { describe, expect, it } from "vitest";
import { problemsOf } from "../../../src/codegen/buf.js";
import { problemsError, problemText } from "../../../src/codegen/proto-problem.js";

const texts = (stdout: string, stderr = ""): readonly string[] =>
  problemsOf({ ok: false, stdout, stderr }).map(problemText);

describe("problemsOf", () => {
  const json = (fields: object): string => JSON.stringify(fields);
  const place = { path: "proto/a.proto", start_line: 3, start_column: 7 };

  it.each([
    [
      "what does not compile",
      json({ ...place, type: "COMPILE", message: "no" }),
      "",
      ["proto/a.proto:3:7: no"],
    ],
    [
      "a rule",
      json({ ...place, type: "RULE", message: "no" }),
      "",
      ["proto/a.proto:3:7: no (RULE)"],
    ],
    [
      "several",
      `${json({ ...place, message: "one" })}\n${json({ ...place, message: "two" })}\n`,
      "",
      ["proto/a.proto:3:7: one", "proto/a.proto:3:7: two"],
    ],
    [
      "a file that has gone",
      json({ start_line: 1, start_column: 1, type: "GONE", message: "no" }),
      "",
      ["no (GONE)"],
    ],
    [
      "a plug-in's places",
      "",
      "Failure: plugin x: a/v1/a.proto:1:2: one\na/v1/b.proto:3:4: two\n",
      ["a/v1/a.proto:1:2: one", "a/v1/b.proto:3:4: two"],
    ],
    ["text", "", "Failure: decode buf.yaml: nope\n  line 3\n", ["decode buf.yaml: nope\n  line 3"]],
    ["a line that only begins as JSON", "{no\n", "", ["{no"]],
    ["nothing", "", "", ["buf failed, and said nothing"]],
  ] as const)("reads %s", (_what, stdout, stderr, expected) => {
    expect(texts(stdout, stderr)).toEqual(expected);
  });
});

describe("problemsError", () => {
  const problem = { file: "a.proto", line: 1, column: 2, message: "no" };

  it("is the problem itself where there is one, and counts them else", () => {
    expect(problemsError([problem]).message).toBe("a.proto:1:2: no");
    const two = problemsError([problem, { ...problem, file: "b.proto" }]);
    expect(two.message).toBe("2 problems in 2 files");
    expect(two.details["problems"]).toHaveLength(2);
  });
});
