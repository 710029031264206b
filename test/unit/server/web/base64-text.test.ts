import { describe, expect, it } from "vitest";
import { base64FromBytes, bytesFromBase64 } from "../../../../src/server/web/base64-text.js";

const read = (text: string): number[] => [...bytesFromBase64(Buffer.from(text, "latin1"))];

describe("bytesFromBase64", () => {
  it("reads bytes that were encoded in parts, split wherever it may be", () => {
    const bytes = Buffer.from([0, 0, 0, 0, 4, 250, 251, 252, 253]);
    for (let split = 0; split <= bytes.length; split++) {
      const parts = [bytes.subarray(0, split), bytes.subarray(split)];
      const text = Buffer.concat(parts.map(base64FromBytes));
      expect([...bytesFromBase64(text)]).toEqual([...bytes]);
    }
    expect(read("")).toEqual([]);
  });

  it.each([
    ["AAA", "3 characters"],
    ["AA-A", "character 3"],
    ["AA_=", "character 3"],
    ["A===", "character 2"],
    ["====", "character 1"],
    ["=AAA", "character 1"],
    ["AA=A", "character 3"],
    ["AAAA\r\n==", "character 5"],
    ["AA A", "character 3"],
    ["AA\u00e9A", "character 3"],
  ])("refuses %j", (text, problem) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        reason: "MALFORMED_REQUEST",
        message: expect.stringContaining(problem),
      }),
    );
  });
});
