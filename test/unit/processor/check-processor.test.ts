import { describe, expect, it } from "vitest";
import { checkProcessor } from "../../../src/processor/check-processor.js";
import type { ProcessorShape } from "../../../src/processor/processor.js";

const process = (data: Uint8Array): Uint8Array => data;

describe("checkProcessor", () => {
  it("lets functions and properties of the right shape pass", () => {
    const functions = { reload: process };
    const properties = {
      depth: { initial: "1" },
      width: { initial: "", validate: () => undefined },
    };
    expect(() => checkProcessor({ process, functions, properties })).not.toThrow();
  });

  it.each([
    [{ functions: { reload: "x" } }, /functions\.reload is a string, expected a function/],
    [{ functions: { reload: null } }, /functions\.reload is null, expected a function/],
    [
      { properties: { depth: "1" } },
      /properties\.depth is a string, expected \{ initial: a text \}/,
    ],
    [{ properties: { depth: null } }, /properties\.depth is null, expected/],
    [
      { properties: { depth: { initial: 1 } } },
      /properties\.depth\.initial is a number, expected a text/,
    ],
    [{ properties: { depth: {} } }, /properties\.depth\.initial is nothing, expected a text/],
  ])("refuses %j", (parts, message) => {
    const processor = { process, ...parts } as unknown as ProcessorShape;
    expect(() => checkProcessor(processor)).toThrow(
      expect.objectContaining({
        name: "ConfigError",
        reason: "INVALID_OPTION",
        message: expect.stringMatching(message),
      }),
    );
  });
});
