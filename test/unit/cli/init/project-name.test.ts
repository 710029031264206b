import { describe, expect, it } from "vitest";
import { projectNames } from "../../../../src/cli/init/project-name.js";

describe("projectNames", () => {
  it.each([
    ["mood", { className: "Mood", packageName: "mood", protoName: "mood" }],
    [
      "my_big-Model",
      { className: "MyBigModel", packageName: "my-big-model", protoName: "my_big_model" },
    ],
    [
      "group.mood2",
      { className: "GroupMood2", packageName: "group-mood2", protoName: "group_mood2" },
    ],
  ])("makes all names of %s", (name, names) => {
    expect(projectNames(name, "--name")).toEqual({ service: name, ...names });
  });

  it.each(["", "a b", "2nd", "a..b", "../x"])("refuses %j", (name) => {
    expect(() => projectNames(name, "--name")).toThrow(/^--name is /);
  });
});
