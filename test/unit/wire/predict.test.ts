import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PredictResponse } from "../../../gen/inferwire/predict/v1/predict.js";
import { encodePredictAnswer } from "../../../src/wire/predict.js";

describe("encodePredictAnswer", () => {
  it("writes what ts-proto writes, byte for byte", () => {
    const answer = fc.record({
      data: fc.uint8Array({ maxLength: 300 }),
      status: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    });
    fc.assert(
      fc.property(answer, (message) => {
        const ours = encodePredictAnswer(message);
        expect(Buffer.from(ours)).toEqual(Buffer.from(PredictResponse.encode(message).finish()));
      }),
    );
  });

  it("writes lengths of every size of varint", () => {
    for (const length of [0, 127, 128, 16_383, 16_384, 2_097_152]) {
      const message = { data: new Uint8Array(length).fill(7), status: 200 };
      const theirs = PredictResponse.encode(message).finish();
      expect(Buffer.from(encodePredictAnswer(message)).equals(theirs)).toBe(true);
    }
  });
});
