import { describe, expect, it } from "vitest";
import { checkSignature, signatureJson } from "../../../src/host/published-signature.js";
import type { TensorSignature } from "../../../src/processor/tensor-signature.js";

const images = { name: "images", shape: [-1, 784], dtype: "float32" } as const;
const signature: TensorSignature = {
  signatureName: "predict_images",
  inputs: [images],
  outputs: [
    { name: "scores", shape: [-1, 10], dtype: "float32" },
    { name: "label", shape: [], dtype: "string" },
  ],
};

describe("signatureJson", () => {
  it("writes what EAS's TensorFlow service does, in one line", () => {
    expect(signatureJson(signature)).toBe(
      '{"signature_name":"predict_images",' +
        '"inputs":[{"name":"images","shape":[-1,784],"type":"DT_FLOAT"}],' +
        '"outputs":[{"name":"scores","shape":[-1,10],"type":"DT_FLOAT"},' +
        '{"name":"label","shape":[],"type":"DT_STRING"}]}',
    );
  });
});

describe("checkSignature", () => {
  it("lets a signature pass, and none", () => {
    expect(checkSignature(signature, "tensorflow")).toBe(signature);
    expect(checkSignature(undefined, "onnx")).toBeUndefined();
  });

  it.each([
    [5, /^options\.signature is 5, expected an object/],
    [{ ...signature, signatureName: 1 }, /signatureName is 1, expected a text/],
    [{ ...signature, inputs: images }, /inputs is an object, expected a list/],
    [{ ...signature, outputs: undefined }, /outputs is undefined, expected a list/],
    [{ ...signature, inputs: [null] }, /inputs\[0\] is null, expected an object/],
    [{ ...signature, inputs: [{ ...images, name: "" }] }, /inputs\[0\]\.name is "", expected a/],
    [{ ...signature, inputs: [{ ...images, shape: 784 }] }, /inputs\[0\]\.shape is 784, expected/],
    [
      { ...signature, outputs: [images, { ...images, shape: [1, -2] }] },
      /^options\.signature\.outputs\[1\]\.shape\[1\] is -2, expected a size from 0, or -1 for any$/,
    ],
    [{ ...signature, inputs: [{ ...images, shape: [1.5] }] }, /shape\[0\] is 1\.5, expected/],
    [{ ...signature, inputs: [{ ...images, dtype: "DT_FLOAT" }] }, /dtype is "DT_FLOAT", expected/],
    [{ ...signature, inputs: [{ ...images, dtype: "uint64" }] }, /dtype is "uint64", expected one/],
  ])("refuses %j", (given, message) => {
    expect(() => checkSignature(given as never, "tensorflow")).toThrow(
      expect.objectContaining({
        name: "ConfigError",
        reason: "INVALID_OPTION",
        message: expect.stringMatching(message),
      }),
    );
  });

  it("refuses one with a dialect that publishes none", () => {
    expect(() => checkSignature(signature, "pytorch")).toThrow(
      /given with the dialect "pytorch", expected none/,
    );
  });
});
