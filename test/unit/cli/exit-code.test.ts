import { describe, expect, it } from "vitest";
import { exitCodeOf, exitCodes, exitCodeTexts, UNFORESEEN } from "../../../src/cli/exit-code.js";
import { errorCatalog, isReason } from "../../../src/core/error-catalog.js";
import { CallError, servingError } from "../../../src/core/serving-error.js";

describe("exitCodeOf", () => {
  it("is that of the reason's kind", () => {
    for (const reason of Object.keys(errorCatalog)) {
      if (!isReason(reason) || reason === "INTERNAL") continue;
      expect(exitCodeOf(servingError(reason, "x"))).toBe(exitCodes[errorCatalog[reason].kind]);
    }
  });

  it("is 1 for what nobody foresaw", () => {
    for (const thrown of [new Error("x"), "x", undefined, servingError("INTERNAL", "x")]) {
      expect(exitCodeOf(thrown)).toBe(UNFORESEEN);
    }
  });

  it("is the host's for what nobody foresaw there", () => {
    expect(exitCodeOf(new CallError("INTERNAL", "x", { remote: true }))).toBe(exitCodes.host);
  });

  it("is explained by a line, each once", () => {
    const explained = exitCodeTexts.map(([code]) => code);
    expect(explained).toEqual([0, UNFORESEEN, ...Object.values(exitCodes)]);
  });
});
