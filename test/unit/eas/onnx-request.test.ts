import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { DataProto } from "../../../gen/eas/onnx/predict.js";
import { OnnxRequest } from "../../../src/eas/onnx-request.js";
import { tensor } from "../../../src/tensor/create-tensor.js";
import type { TensorArrays } from "../../../src/tensor/dtype.js";
import { FormatError } from "../../../src/tensor/format-error.js";

const refused = (message: RegExp) =>
  expect.objectContaining({ reason: "INVALID_OPTION", message: expect.stringMatching(message) });

type Sample = readonly [
  name: keyof typeof OnnxRequest,
  number: number,
  array: Exclude<TensorArrays[keyof TensorArrays], readonly Uint8Array[]>,
];

const samples: readonly Sample[] = [
  ["FLOAT", 1, Float32Array.of(0.5, -2)],
  ["UINT8", 2, Uint8Array.of(0, 255)],
  ["INT8", 3, Int8Array.of(-128, 127)],
  ["UINT16", 4, Uint16Array.of(0, 65_535)],
  ["INT16", 5, Int16Array.of(-300, 300)],
  ["INT32", 6, Int32Array.of(-1, 7)],
  ["INT64", 7, BigInt64Array.of(-1n, 2n ** 62n)],
  ["FLOAT16", 10, Uint16Array.of(0x3c00, 0xc000)],
  ["DOUBLE", 11, Float64Array.of(0.1, -2)],
  ["UINT32", 12, Uint32Array.of(0, 2 ** 32 - 1)],
  ["UINT64", 13, BigUint64Array.of(0n, 2n ** 64n - 1n)],
];

function message(names: readonly string[], dataType: number, array: Sample[2]): Uint8Array {
  const rawData = new Uint8Array(array.buffer);
  return DataProto.encode({
    tensors: names.map((name) => ({ name, dims: [2n], dataType, rawData })),
  }).finish();
}

describe("OnnxRequest", () => {
  it.each(samples)("feeds and reads %s", (name, number, array) => {
    const dtype = OnnxRequest[name] as "float32";
    const request = new OnnxRequest();
    request.addFeed("x", [2], dtype, array as Float32Array);
    const expected = message(["x"], number, array);
    expect(Buffer.from(request.encode())).toEqual(Buffer.from(expected));
    const response = request.decode(expected);
    expect(response.getValues("x", dtype)).toEqual(array);
    expect(response.getTensorShape("x")).toEqual([2]);
  });

  it("replaces a tensor of the same name where it stands, and tells its place", () => {
    const request = new OnnxRequest();
    expect(request.addTensor("a", tensor("int32", [1], [1]))).toBe(0);
    expect(request.addTensor("b", tensor("int32", [1], [2]))).toBe(1);
    expect(request.addTensor("a", tensor("int32", [1], [3]))).toBe(0);
    const { tensors } = DataProto.decode(request.encode());
    expect(tensors.map(({ name, rawData }) => [name, rawData[0]])).toEqual([
      ["a", 3],
      ["b", 2],
    ]);
  });

  it("refuses a dtype before all else, and a tensor of one", () => {
    const request = new OnnxRequest();
    const missing: unknown = Reflect.get(OnnxRequest, "BOOL");
    expect(() => request.addFeed("x", [3], missing as "int32", [1])).toThrow(
      refused(/^dtype of feed "x" is undefined, ONNX messages hold/),
    );
    expect(() => request.addTensor("x", tensor("bool", [1], [true]))).toThrow(
      refused(/^dtype of feed "x" is "bool", ONNX messages hold/),
    );
  });

  it("refuses a length that is not the shape's, and dtypes that ONNX has none of", () => {
    const request = new OnnxRequest();
    expect(() => request.addFeed("x", [3], "int32", [1])).toThrow(refused(/feed "x": 1 values/));
    expect(() => request.addFeed("x", [1], "qint8", [1])).toThrow(
      refused(/^dtype of feed "x" is "qint8", ONNX messages hold float32, .*uint64$/),
    );
  });
});

describe("OnnxResponse", () => {
  const response = new OnnxRequest().decode(message(["y", "z"], 1, Float32Array.of(0.5, 1)));

  it("has its outputs by place too", () => {
    expect(response.getSize()).toBe(2);
    expect(response.getName(1)).toBe("z");
    expect(response.getTensor(1).data).toEqual(Float32Array.of(0.5, 1));
    expect(() => response.getName(2)).toThrow(refused(/no output 2, expected 0 to 1/));
    expect(() => response.getTensor(2)).toThrow(refused(/no output 2, expected 0 to 1/));
    expect(() => response.getValues("x")).toThrow(refused(/it has "y", "z"/));
  });

  it("prints names, dtypes, shapes and first values", () => {
    expect(inspect(response)).toBe(
      "OnnxResponse {\n  y: Tensor float32 [2] { 0.5, 1 }\n  z: Tensor float32 [2] { 0.5, 1 }\n}",
    );
  });

  it("refuses what is no such answer", () => {
    expect(() => new OnnxRequest().decode(Uint8Array.of(0x0a, 5, 1))).toThrow(FormatError);
  });
});
