import { describe, expect, it } from "vitest";
import { tensor } from "../../../src/tensor/create-tensor.js";
import type { DialectName } from "../../../src/tensor/dialect.js";
import { dialectOf } from "../../../src/tensor/dialect-of.js";
import type { Tensor } from "../../../src/tensor/tensor.js";

const small = tensor("float32", [2], [1, 2]);
const large = tensor("float64", [500], new Float64Array(500));
const integers = tensor("int32", [2_000], new Int32Array(2_000));

function encoded(name: DialectName, tensors: readonly (readonly [string, Tensor])[]): Uint8Array {
  return dialectOf(name).encodeRequest({
    inputs: new Map(tensors),
    fetches: [],
    signatureName: name === "tensorflow" ? "predict" : "",
    debugLevel: 0,
  });
}

describe.each(["tensorflow", "pytorch", "onnx"] as const)("bulkOffset of %s", (name) => {
  const { bulkOffset } = dialectOf(name);

  it("finds the data behind what is small", () => {
    const message = encoded(name, [
      ["0", small],
      ["big", large],
    ]);
    const before = encoded(name, [["0", small]]);
    const offset = bulkOffset(message) ?? 0;
    expect(message.length - offset).toBe(4_000);
    expect(bulkOffset(message.subarray(0, offset))).toBe(offset);
    expect(bulkOffset(message.subarray(0, before.length))).toBe(before.length - 8);
  });

  it("does not know it from too few bytes", () => {
    const message = encoded(name, [["0", large]]);
    const offset = bulkOffset(message) ?? 0;
    expect(offset).toBe(message.length - 4_000);
    for (let length = 0; length < offset; length++)
      expect(bulkOffset(message.subarray(0, length))).toBeUndefined();
  });

  it("finds none where there is none", () => {
    expect(bulkOffset(new Uint8Array(0))).toBeUndefined();
    expect(bulkOffset(encoded(name, []))).toBeUndefined();
    expect(bulkOffset(Uint8Array.of(0xff, 0xff, 0xff))).toBeUndefined();
  });
});

describe("bulkOffset", () => {
  it("takes integers that are no bulk data for what they are", () => {
    const message = encoded("tensorflow", [
      ["ids", integers],
      ["images", large],
    ]);
    expect(dialectOf("tensorflow").bulkOffset(message)).toBe(message.length - 4_000);
  });
});
