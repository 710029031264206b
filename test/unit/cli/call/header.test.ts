import { describe, expect, it } from "vitest";
import { headerOf } from "../../../../src/cli/call/header.js";

describe("headerOf", () => {
  it.each([
    ["key:value", ["key", "value"]],
    ["X-Ask:  a:b ", ["x-ask", "a:b"]],
    ["empty:", ["empty", ""]],
    ["raw-bin:aGk=", ["raw-bin", Buffer.from("hi")]],
  ])("reads %j", (text, expected) => {
    expect(headerOf(text)).toEqual(expected);
  });

  it.each([
    ["key", "expected key:value"],
    [":value", "expected key:value"],
    ["a key:value", "expected key:value"],
    ["key:\u00e9", "expected a value of printable ASCII"],
    ["key:a\nb", "expected a value of printable ASCII"],
    ["raw-bin:!", "expected a value in base64"],
  ])("refuses %j", (text, expected) => {
    expect(() => headerOf(text)).toThrow(expected);
  });
});
