import { describe, expect, it } from "vitest";
import { CallError } from "../../../src/core/serving-error.js";

describe("CallError", () => {
  it("has the body of an answer, and leaves it out where it is written down", () => {
    const error = new CallError("CALL_FAILED", "no", {
      httpStatus: 500,
      body: Buffer.from("a secret"),
    });
    expect(String(error.body)).toBe("a secret");
    expect(JSON.stringify(error)).toContain('"httpStatus":500');
    expect(Object.keys(error)).not.toContain("body");
  });
});
