import { describe, expect, it } from "vitest";
import { enveloped, onlyMessage } from "../../../../src/server/web/envelope.js";

const bytes = (...all: number[]): Uint8Array => Uint8Array.of(...all);

describe("onlyMessage", () => {
  it.each([
    ["an empty message", [], bytes(0, 0, 0, 0, 0)],
    ["a message", [7, 8], bytes(0, 0, 0, 0, 2, 7, 8)],
  ])("takes %s out of its envelope", (_, message, body) => {
    expect([...onlyMessage(body)]).toEqual(message);
    expect(new Uint8Array(enveloped(0, bytes(...message)))).toEqual(body);
  });

  it.each([
    ["nothing", bytes(), "the body is 0 bytes"],
    ["half a header", bytes(0, 0, 0), "the body is 3 bytes"],
    ["half a message", bytes(0, 0, 0, 0, 2, 7), "said to be 2 bytes, but 1 bytes came"],
    ["a huge length", bytes(0, 255, 255, 255, 255, 7), "said to be 4294967295 bytes"],
    ["a byte too many", bytes(0, 0, 0, 0, 1, 7, 8), "1 bytes behind the message"],
    ["two messages", bytes(0, 0, 0, 0, 0, 0, 0, 0, 0, 0), "5 bytes behind the message"],
    ["a compressed message", bytes(1, 0, 0, 0, 0), "marked as compressed"],
    ["trailers", bytes(128, 0, 0, 0, 0), "flags are 128"],
    ["an end of stream", bytes(2, 0, 0, 0, 0), "flags are 2"],
  ])("refuses %s", (_, body, problem) => {
    expect(() => onlyMessage(body)).toThrow(
      expect.objectContaining({
        reason: "MALFORMED_REQUEST",
        message: expect.stringContaining(problem),
      }),
    );
  });
});
