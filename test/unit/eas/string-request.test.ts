import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { StringRequest, StringResponse } from "../../../src/eas/string-request.js";

describe("StringRequest", () => {
  it.each([
    ["a text as UTF-8", "é", [0xc3, 0xa9]],
    ["bytes as they are", Uint8Array.of(0, 255), [0, 255]],
    ["nothing as an empty body", undefined, []],
    ["null as an empty body", null, []],
  ])("sends %s", (_, data, body) => {
    expect([...new StringRequest(data).encode()]).toEqual(body);
  });

  it("refuses what is neither", () => {
    expect(() => new StringRequest({} as Uint8Array)).toThrow(
      expect.objectContaining({ reason: "INVALID_OPTION" }),
    );
  });
});

describe("StringResponse", () => {
  it("has the bytes, and the decoded text where the Python SDK has a literal", () => {
    const answer = new StringRequest().decode(new TextEncoder().encode("né"));
    expect(answer).toBeInstanceOf(StringResponse);
    expect([...answer.responseData]).toEqual([0x6e, 0xc3, 0xa9]);
    expect(String(answer)).toBe("né");
  });

  it("is its whole text in JSON", () => {
    const text = "x".repeat(500);
    const response = new StringResponse(new TextEncoder().encode(text));
    expect(JSON.parse(JSON.stringify({ response }))).toEqual({ response: text });
  });

  it("prints its text, a long one cut", () => {
    const shown = inspect(new StringResponse(new TextEncoder().encode("x".repeat(500))));
    expect(shown).toBe(`StringResponse "${"x".repeat(60)}"... (500 characters)`);
  });
});
