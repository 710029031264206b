import { describe, expect, it } from "vitest";
import { groupOf, sharesFromJson, sharesProblem } from "../../../src/core/group-name.js";

const many = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`m${index}`, 1]));

describe("the shares of a group", () => {
  it.each<[string, string, object, RegExp]>([
    ["a group with a dot", "a.b", { x: 1 }, /^group is "a.b"/],
    ["a member with a dot", "g", { "c.d": 1 }, /^a key of shares is "c.d"/],
    ["a member with a slash", "g", { "x/y": 1 }, /^a key of shares is "x\/y"/],
    ["too many members", "g", many, /101 members, expected at most 100/],
    ["a share below 0", "g", { x: 1, y: -1 }, /^shares\["y"\]: weight is -1/],
    ["a share that is a text", "g", { x: "1" }, /^shares\["x"\]: weight is "1"/],
    ["no share above 0", "g", { x: 0 }, /no member above 0/],
    ["nobody", "g", {}, /no member above 0/],
  ])("are refused with %s, wherever they come from", (_, group, shares, problem) => {
    expect(sharesProblem(group, new Map(Object.entries(shares)))).toMatch(problem);
    expect(sharesFromJson(group, shares)).toBeUndefined();
  });

  it("are read as they are", () => {
    expect(sharesFromJson("g", { v1: 0, v2: 0.5 })).toEqual(
      new Map([
        ["v1", 0],
        ["v2", 0.5],
      ]),
    );
    expect(sharesFromJson("g", [1])).toBeUndefined();
  });
});

describe("groupOf", () => {
  it("splits at the dot", () => {
    expect([groupOf("g.v1"), groupOf("mnist")]).toEqual(["g", undefined]);
  });
});
