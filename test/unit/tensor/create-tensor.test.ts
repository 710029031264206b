import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { tensor } from "../../../src/tensor/create-tensor.js";
import type { DType, TensorArrays } from "../../../src/tensor/dtype.js";
import { FormatError } from "../../../src/tensor/format-error.js";
import { textsOf } from "../../../src/tensor/texts.js";

const kinds: { readonly [D in Exclude<DType, "string">]: () => TensorArrays[D] } = {
  float32: () => new Float32Array(2),
  float64: () => new Float64Array(2),
  float16: () => new Uint16Array(2),
  bfloat16: () => new Uint16Array(2),
  int8: () => new Int8Array(2),
  int16: () => new Int16Array(2),
  int32: () => new Int32Array(2),
  int64: () => new BigInt64Array(2),
  uint8: () => new Uint8Array(2),
  uint16: () => new Uint16Array(2),
  uint32: () => new Uint32Array(2),
  uint64: () => new BigUint64Array(2),
  bool: () => new Uint8Array(2),
  complex64: () => new Float32Array(4),
  complex128: () => new Float64Array(4),
  qint8: () => new Int8Array(2),
  quint8: () => new Uint8Array(2),
  qint16: () => new Int16Array(2),
  quint16: () => new Uint16Array(2),
  qint32: () => new Int32Array(2),
};

/** For what the types forbid. */
const loose = tensor as (dtype: unknown, shape: unknown, values: unknown) => unknown;

describe("tensor", () => {
  it.each(Object.entries(kinds))("keeps an array of the kind of %s", (dtype, make) => {
    const data = make();
    const made = tensor(dtype as DType, [2], data);
    expect(made).toMatchObject({ dtype, shape: [2] });
    expect(made.data).toBe(data);
  });

  it.each<[DType, readonly unknown[], TensorArrays[DType]]>([
    ["float32", [0.1, 2], Float32Array.of(0.1, 2)],
    ["float64", [0.1, Number.NaN], Float64Array.of(0.1, Number.NaN)],
    ["float16", [1, -2], Uint16Array.of(0x3c00, 0xc000)],
    ["bfloat16", [1, -2], Uint16Array.of(0x3f80, 0xc000)],
    ["int8", [-128, 127], Int8Array.of(-128, 127)],
    ["int64", [-1, 2n ** 63n - 1n], BigInt64Array.of(-1n, 2n ** 63n - 1n)],
    ["uint64", [0n, 2n ** 64n - 1n], BigUint64Array.of(0n, 2n ** 64n - 1n)],
    ["uint32", [0, 2 ** 32 - 1], Uint32Array.of(0, 2 ** 32 - 1)],
    ["qint32", [-(2 ** 31), 0], Int32Array.of(-(2 ** 31), 0)],
    ["bool", [true, false], Uint8Array.of(1, 0)],
    ["string", ["é", Uint8Array.of(255)], [Uint8Array.of(0xc3, 0xa9), Uint8Array.of(255)]],
  ])("takes %s from a plain array", (dtype, values, data) => {
    expect(loose(dtype, [2], values)).toMatchObject({ data });
  });

  it("rounds a Float32Array to 16 bits", () => {
    expect(tensor("float16", [1], Float32Array.of(0.1)).data).toEqual(Uint16Array.of(0x2e66));
    expect(tensor("bfloat16", [1], Float32Array.of(0.1)).data).toEqual(Uint16Array.of(0x3dcd));
  });

  it("has one element without dimensions, none with a dimension of 0", () => {
    expect(tensor("float32", [], [7]).data).toEqual(Float32Array.of(7));
    expect(tensor("float32", [2 ** 40, 2 ** 40, 0], []).data).toHaveLength(0);
  });

  it("does not see later changes of the shape that it was given", () => {
    const shape = [2, 1];
    const made = tensor("int8", shape, [1, 2]);
    shape[0] = 9;
    expect(made.shape).toEqual([2, 1]);
  });

  it.each<[string, unknown, unknown, unknown]>([
    ['dtype is flota32, did you mean "float32"?', "flota32", [1], [1]],
    ["dtype is undefined", undefined, [1], [1]],
    ["shape is 3, expected an array of dimensions", "int8", 3, [1]],
    ["shape[1] is -1, expected a whole number, not negative", "int8", [1, -1], [1]],
    ["shape[0] is 1.5, expected a whole number", "int8", [1.5], [1]],
    ["more elements than can be counted", "int8", [2 ** 30, 2 ** 30], [1]],
    ["shape has 255 dimensions, expected at most 254", "int8", new Array(255).fill(1), [1]],
    ["3 values, but shape [2, 2] of float32 has 4", "float32", [2, 2], [1, 2, 3]],
    ["2 values, but shape [2] of complex64 has 4 (2 pairs)", "complex64", [2], [1, 2]],
    ["values[1] is 128, expected a whole number from -128 to 127", "int8", [2], [0, 128]],
    ["values[0] is 0.5, expected a whole number from 0 to 65535", "uint16", [1], [0.5]],
    ["values[0] is a list, expected flat values", "float32", [1, 3], [[1, 2, 3]]],
    ["values[0] is a list, expected flat values", "int64", [2, 1], [[1], [2]]],
    ["values[0] is a list, expected flat values", "string", [1, 2], [["a", "b"]]],
    [
      "values[0] is a Float32Array, expected flat values",
      "float32",
      [1, 2],
      [Float32Array.of(1, 2)],
    ],
    ["values[1] is a list, expected a number", "float32", [2], [1, [2]]],
    ["values[0] is undefined, expected a number", "float32", [1], [undefined]],
    ["values[0] is a string, expected a number", "float16", [1], ["1"]],
    [`values[0] is ${2 ** 60}, expected a bigint or a safe integer`, "int64", [1], [2 ** 60]],
    ["values[0] is -1, expected a bigint or a safe integer from 0", "uint64", [1], [-1n]],
    ["values[0] is 2, expected true or false", "bool", [1], [2]],
    ["values[1] is 2, expected 0 or 1", "bool", [2], Uint8Array.of(1, 2)],
    [
      "values of int8 is a Uint8Array, expected Int8Array or a plain array",
      "int8",
      [1],
      Uint8Array.of(1),
    ],
    ["values[0] is 1, expected a string or a Uint8Array", "string", [1], [1]],
    ["values is a Uint8Array, expected an array of strings", "string", [1], Uint8Array.of(1)],
    ["values of int8 is undefined, expected Int8Array", "int8", [1], undefined],
  ])("refuses: %s", (text, dtype, shape, values) => {
    expect(() => loose(dtype, shape, values)).toThrow(
      expect.objectContaining({
        reason: "INVALID_OPTION",
        message: expect.stringContaining(text),
      }),
    );
  });
});

describe("copy", () => {
  it("has elements of its own, also of a Buffer's", () => {
    const bytes = Buffer.from([1, 2]);
    const made = tensor("uint8", [2], bytes);
    const copy = made.copy();
    bytes[0] = 9;
    expect(copy.data).toEqual(Uint8Array.of(1, 2));
    expect(copy.data.buffer.byteLength).toBe(2);
    expect(copy.shape).toEqual([2]);
  });

  it("copies strings", () => {
    const word = Buffer.from("a");
    const copy = tensor("string", [1], [word]).copy();
    word[0] = 0x62;
    expect(textsOf(copy)).toEqual(["a"]);
  });
});

describe("a tensor's text", () => {
  it.each<[string, { toString(): string }]>([
    ["Tensor float32 [1, 3] { 0.1, -2, NaN }", tensor("float32", [1, 3], [0.1, -2, Number.NaN])],
    ["Tensor float16 [2] { 1, 0.5 }", tensor("float16", [2], [1, 0.5])],
    ["Tensor bfloat16 [] { 2 }", tensor("bfloat16", [], [2])],
    ["Tensor int64 [1] { -5 }", tensor("int64", [1], [-5])],
    ["Tensor bool [2] { true, false }", tensor("bool", [2], [true, false])],
    ["Tensor complex64 [2] { 1-2i, 0+0.5i }", tensor("complex64", [2], [1, -2, 0, 0.5])],
    ["Tensor complex128 [1] { 0.1-0i }", tensor("complex128", [1], [0.1, -0])],
    ['Tensor string [2] { "a\\n", <ff> }', tensor("string", [2], ["a\n", Uint8Array.of(255)])],
    [
      "Tensor uint8 [9] { 0, 1, 2, 3, 4, 5, 6, 7, ... }",
      tensor("uint8", [9], [0, 1, 2, 3, 4, 5, 6, 7, 8]),
    ],
    ["Tensor float64 [0] {  }", tensor("float64", [0], [])],
  ])("is %s", (text, made) => {
    expect(String(made)).toBe(text);
    expect(inspect(made)).toBe(text);
  });

  it("cuts long strings and shapes", () => {
    const text = String(tensor("string", new Array(10).fill(1), ["x".repeat(100)]));
    expect(text).toBe(
      `Tensor string [1, 1, 1, 1, 1, 1, 1, 1, ... 10 dimensions] { "${"x".repeat(64)}..." }`,
    );
  });
});

describe("textsOf", () => {
  it("names the element that is not UTF-8", () => {
    expect(textsOf(tensor("string", [2], ["a", "\ufeffb"]))).toEqual(["a", "\ufeffb"]);
    expect(() => textsOf(tensor("string", [2], ["a", Uint8Array.of(0xc3)]))).toThrow(
      new FormatError("data[1] is not UTF-8"),
    );
  });
});
