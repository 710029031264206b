import { describe, expect, it } from "vitest";
import { tensor } from "../../../src/tensor/create-tensor.js";
import { dialectOf } from "../../../src/tensor/dialect-of.js";
import { FormatError } from "../../../src/tensor/format-error.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import { textsOf } from "../../../src/tensor/texts.js";
import {
  bytesField,
  floatField,
  floats,
  groupField,
  numberField,
  packedField,
  varintBytes,
} from "../../support/proto-fields.js";

const tensorflow = dialectOf("tensorflow");
const onnx = dialectOf("onnx");

const FLOAT = numberField(1, 1);
const INT8 = numberField(1, 6);
const INT64 = numberField(1, 9);
const shape = (...dims: readonly (number | bigint)[]): Buffer =>
  bytesField(2, packedField(1, ...dims));
const input = (...fields: readonly Uint8Array[]): Buffer =>
  bytesField(2, bytesField(1, "x"), bytesField(2, ...fields));

function read(...fields: readonly Uint8Array[]): Tensor | undefined {
  return tensorflow.decodeRequest(input(...fields)).inputs.get("x");
}

function numbers(tensor: Tensor | undefined): unknown[] {
  return tensor === undefined ? [] : [...tensor.data];
}

/** The same bytes, this far behind a place that is a multiple of 8. */
function placed(bytes: Uint8Array, offset: number): Uint8Array {
  const place = new Uint8Array(new ArrayBuffer(offset + bytes.length), offset);
  place.set(bytes);
  return place;
}

describe("values in legal forms that clients seldom use", () => {
  it.each<[string, readonly Uint8Array[], unknown]>([
    [
      "several packed stretches",
      [bytesField(3, floats(1, 2)), bytesField(3, floats(3))],
      [1, 2, 3],
    ],
    ["one by one", [floatField(3, 1), floatField(3, 2), floatField(3, 3)], [1, 2, 3]],
    ["packed and one by one", [floatField(3, 1), bytesField(3, floats(2, 3))], [1, 2, 3]],
    [
      "empty stretches between",
      [bytesField(3), bytesField(3, floats(1, 2, 3)), bytesField(3)],
      [1, 2, 3],
    ],
    [
      "beside empty fields of other dtypes",
      [bytesField(5), bytesField(3, floats(1, 2, 3)), bytesField(7)],
      [1, 2, 3],
    ],
    [
      "beside unknown fields",
      [
        numberField(99, 1),
        groupField(98, groupField(3, floatField(3, 9))),
        bytesField(3, floats(1, 2, 3)),
        bytesField(97, "x"),
      ],
      [1, 2, 3],
    ],
  ])("float_val: %s", (_, fields, values) => {
    expect(numbers(read(FLOAT, shape(3), ...fields))).toEqual(values);
    expect(numbers(read(...fields, shape(3), FLOAT))).toEqual(values);
  });

  it.each<[string, readonly Uint8Array[], unknown]>([
    [
      "packed, one by one, packed",
      [packedField(5, 1, -128), numberField(5, 127), packedField(5, 0)],
      [1, -128, 127, 0],
    ],
    [
      "negative in 5 bytes, as some clients write it",
      [packedField(5, 2 ** 32 - 1, 2 ** 32 - 128, 3, 4)],
      [-1, -128, 3, 4],
    ],
    [
      "longer than needed",
      [
        bytesField(
          5,
          Buffer.from("8180808000", "hex"),
          varintBytes(2),
          varintBytes(3),
          varintBytes(4),
        ),
      ],
      [1, 2, 3, 4],
    ],
  ])("int_val: %s", (_, fields, values) => {
    expect(numbers(read(INT8, shape(2, 2), ...fields))).toEqual(values);
  });

  it("int64_val over the whole range", () => {
    const values = [0n, 1n, -1n, 2n ** 31n, -(2n ** 32n), 2n ** 63n - 1n, -(2n ** 63n)];
    expect(read(INT64, shape(7), packedField(7, ...values))?.data).toEqual(
      BigInt64Array.from(values),
    );
  });

  it("bool_val of any number", () => {
    expect(read(numberField(1, 10), shape(3), packedField(8, 0, 7, 2n ** 40n))?.data).toEqual(
      Uint8Array.of(0, 1, 1),
    );
  });

  it("string_val, empty ones too", () => {
    const words = [bytesField(6, "a"), bytesField(6), bytesField(6, "é")];
    const read7 = read(numberField(1, 7), shape(3), ...words);
    expect(read7?.dtype === "string" && textsOf(read7)).toEqual(["a", "", "é"]);
  });

  it("a shape in two messages, and dimensions one by one", () => {
    const two = bytesField(2, numberField(1, 2));
    expect(
      read(FLOAT, two, bytesField(3, floats(1, 2)), bytesField(2, packedField(1, 1)))?.shape,
    ).toEqual([2, 1]);
  });

  it("an array in two messages", () => {
    const message = bytesField(
      2,
      bytesField(2, FLOAT, shape(2), bytesField(3, floats(1))),
      bytesField(1, "x"),
      bytesField(2, bytesField(3, floats(2))),
    );
    expect(tensorflow.decodeRequest(message).inputs.get("x")).toMatchObject({
      shape: [2],
      data: Float32Array.of(1, 2),
    });
  });

  it("the last of what can be there once", () => {
    const message = Buffer.concat([
      bytesField(1, "a"),
      bytesField(
        2,
        bytesField(1, "y"),
        bytesField(2, INT8, FLOAT, floatField(3, 1)),
        bytesField(1, "x"),
      ),
      bytesField(1, "b"),
    ]);
    const request = tensorflow.decodeRequest(message);
    expect(request.signatureName).toBe("b");
    expect(request.inputs.get("x")).toMatchObject({ dtype: "float32", shape: [] });
  });

  it("an entry without a key has the empty name", () => {
    const message = bytesField(2, bytesField(2, FLOAT, floatField(3, 1)));
    expect([...tensorflow.decodeRequest(message).inputs.keys()]).toEqual([""]);
  });
});

describe("bulk data", () => {
  const message = tensorflow.encodeRequest({
    inputs: new Map([["images", tensor("float32", [300], new Float32Array(300).fill(7))]]),
    fetches: [],
    signatureName: "",
    debugLevel: 0,
  });
  const offset = tensorflow.bulkOffset(message) ?? 0;

  it.each([0, 1, 2, 3, 4, 5, 6, 7])("is a view where it lies right, moved by %i bytes", (moved) => {
    const bytes = placed(message, moved);
    const data = tensorflow.decodeRequest(bytes).inputs.get("images")?.data;
    expect(data).toEqual(new Float32Array(300).fill(7));
    const isView = (data as Float32Array).buffer === bytes.buffer;
    expect(isView).toBe((moved + offset) % 4 === 0);
  });

  it("of ONNX is a view at any place for bytes", () => {
    const bytes = onnx.encodeResponse(new Map([["a", tensor("uint8", [3], [1, 2, 3])]]), []);
    const data = onnx.decodeResponse(placed(bytes, 1)).get("a")?.data;
    expect((data as Uint8Array).byteOffset).toBe(1 + bytes.length - 3);
  });

  it("is written by copying it once into one allocation", () => {
    expect(message.buffer.byteLength).toBeGreaterThanOrEqual(message.length);
    expect(message.subarray(offset)).toHaveLength(1_200);
  });
});

const path = 'inputs["x"]';

describe("what is no message", () => {
  it.each<[string, Uint8Array]>([
    [
      `${path}.float_val has 7 bytes, expected a multiple of 4`,
      input(FLOAT, bytesField(3, Buffer.alloc(7))),
    ],
    [
      `${path}.double_val has 12 bytes, expected a multiple of 8`,
      input(numberField(1, 2), bytesField(4, Buffer.alloc(12))),
    ],
    [
      `${path}.float_val has 3 values, but ${path}.array_shape [2, 2] of float32 has 4`,
      input(FLOAT, shape(2, 2), bytesField(3, floats(1, 2, 3))),
    ],
    [`${path}.float_val has 0 values, but ${path}.array_shape [] of float32 has 1`, input(FLOAT)],
    [
      `${path}.float_val has 2 values, but ${path}.array_shape [2] of complex64 has 4`,
      input(numberField(1, 8), shape(2), bytesField(3, floats(1, 2))),
    ],
    [
      `${path}.int_val has 5 values, but ${path}.array_shape [1000000000000] of int8 has 1000000000000`,
      input(INT8, shape(10 ** 12), packedField(5, 1, 2, 3, 4, 5)),
    ],
    [
      `${path}.array_shape.dim[1] is -1, expected 0 to 9007199254740991`,
      input(FLOAT, shape(1, -1)),
    ],
    [`${path}.array_shape.dim[0] is 9007199254740992, expected`, input(FLOAT, shape(2n ** 53n))],
    [
      `${path}.array_shape is [4294967296, 4294967296], more elements than can be counted`,
      input(FLOAT, shape(2 ** 32, 2 ** 32)),
    ],
    [
      `${path}.array_shape.dim has more than 254 dimensions`,
      input(FLOAT, shape(...new Array(255).fill(1))),
    ],
    [`${path}.dtype is 20, which is no dtype of TensorFlow messages`, input(numberField(1, 20))],
    [`${path}.dtype is -1, which is no dtype`, input(numberField(1, -1))],
    [`${path}.dtype is 0, which is no dtype`, bytesField(2, bytesField(1, "x"))],
    [
      `${path}.int_val has values, but those of float32 belong in float_val`,
      input(FLOAT, shape(1), packedField(5, 1)),
    ],
    [
      `${path}.int64_val has values, and float_val has some too`,
      input(FLOAT, shape(1), floatField(3, 1), packedField(7, 1)),
    ],
    [
      `${path}.int_val[1] is 128, expected -128 to 127 for int8`,
      input(INT8, shape(2), packedField(5, 0, 128)),
    ],
    [
      `${path}.int_val[0] is -1, expected 0 to 255 for uint8`,
      input(numberField(1, 4), shape(1), packedField(5, -1)),
    ],
    [
      `${path}.int_val is cut short in a number`,
      input(INT8, shape(1), bytesField(5, Buffer.of(0x80)), packedField(5, 1)),
    ],
    [
      `${path}: a number longer than 10 bytes`,
      input(INT64, shape(1), bytesField(7, Buffer.alloc(10, 0x80), Buffer.of(1))),
    ],
    [
      `${path} is there twice`,
      Buffer.concat([input(FLOAT, floatField(3, 1)), input(FLOAT, floatField(3, 1))]),
    ],
    [
      `${path}.float_val has wire type 1, expected 5`,
      input(Buffer.from("190000000000000000", "hex")),
    ],
    [`${path}.dtype has wire type 2, expected 0`, input(bytesField(1, "a"))],
    [`${path}.array_shape has wire type 0, expected 2`, input(numberField(2, 1))],
    [`${path}.string_val has wire type 0, expected 2`, input(numberField(6, 1))],
    [`${path}: field 9 has wire type 6, which is none`, input(Buffer.of(0x4e))],
    [`${path}: field 9 ends a group that did not begin`, input(Buffer.of(0x4c))],
    [`${path}: group 9 has no end`, input(Buffer.of(0x4b))],
    [`${path}: group 9 ends as group 10`, input(Buffer.of(0x4b, 0x54))],
    [`${path}: groups in more than 100 groups`, input(Buffer.alloc(101, 0x4b))],
    [`${path}: field 9 is cut short`, input(Buffer.of(0x4d, 0, 0))],
    [`${path}: field 9 is cut short`, input(Buffer.of(0x4a, 2, 0))],
    ["inputs.key is not UTF-8", bytesField(2, bytesField(1, Buffer.of(0xff)))],
    ["signature_name is not UTF-8", bytesField(1, Buffer.from("é".repeat(40)).subarray(1))],
    ["signature_name is cut short: 5 bytes long, 1 are left", Buffer.from("0a0561", "hex")],
    [
      "inputs is cut short: 72057594037927940 bytes long, 0 are left",
      Buffer.from("12ffffffffffffff7f", "hex"),
    ],
    ["message: cut short in a number", Buffer.of(0x80)],
    ["message: no field can have the tag", Buffer.of(0x02)],
    ["message: no field can have the tag", Buffer.from("8a8080808001", "hex")],
    [`inputs["${"n".repeat(64)}..."].dtype is 0`, bytesField(2, bytesField(1, "n".repeat(500)))],
  ])("%s", (text, message) => {
    expect(() => tensorflow.decodeRequest(message)).toThrow(FormatError);
    expect(() => tensorflow.decodeRequest(message)).toThrow(text);
  });

  it.each<[string, Uint8Array]>([
    [
      'tensors["a"].data_type is 8, which is no dtype of ONNX messages',
      bytesField(1, bytesField(1, "a"), numberField(3, 8)),
    ],
    [
      'tensors["a"].raw_data has 3 bytes, expected a multiple of 2 for float16',
      bytesField(1, bytesField(1, "a"), numberField(3, 10), bytesField(5, "abc")),
    ],
    [
      'tensors["a"].raw_data has 3 values, but tensors["a"].dims [2] of uint8 has 2',
      bytesField(1, packedField(2, 2), bytesField(1, "a"), numberField(3, 2), bytesField(5, "abc")),
    ],
    [
      'tensors["a"] is there twice',
      Buffer.concat([
        bytesField(1, bytesField(1, "a"), numberField(3, 2), bytesField(5, "a")),
        bytesField(1, bytesField(1, "a"), numberField(3, 2), bytesField(5, "a")),
      ]),
    ],
    [
      "tensors[1].dims[0] is -1",
      Buffer.concat([
        bytesField(1, numberField(3, 2), bytesField(5, "a")),
        bytesField(1, numberField(2, -1)),
      ]),
    ],
  ])("of ONNX: %s", (text, message) => {
    expect(() => onnx.decodeRequest(message)).toThrow(FormatError);
    expect(() => onnx.decodeRequest(message)).toThrow(text);
  });

  it("of PyTorch is one with bools", () => {
    const array = bytesField(1, numberField(1, 10), shape(1), packedField(8, 1));
    expect(() => dialectOf("pytorch").decodeRequest(array)).toThrow(
      new FormatError("inputs[0].dtype is 10 (bool), which is no dtype of PyTorch messages"),
    );
  });
});

describe("many small things in one message", () => {
  const many = 2 ** 20 + 1;

  it.each<[string, () => Uint8Array]>([
    [
      `${path}.string_val: more than 1048576 strings`,
      () => input(numberField(1, 7), shape(many), Buffer.alloc(2 * many, Buffer.of(0x32, 0))),
    ],
    ["output_filter: more than 1048576 strings", () => Buffer.alloc(2 * many, Buffer.of(0x1a, 0))],
  ])("are refused: %s", (text, message) => {
    expect(() => tensorflow.decodeRequest(message())).toThrow(text);
  });

  it.each([
    ["int64_val", 9, 7, 2 ** 24 + 1],
    ["int_val", 3, 5, 2 ** 25 + 1],
  ])(
    "are refused: integers that take far more room than the message, %s",
    (name, dtype, field, count) => {
      const values = bytesField(field, Buffer.alloc(count));
      const message = input(numberField(1, dtype), shape(count), values);
      expect(() => tensorflow.decodeRequest(message)).toThrow(
        `${path}.${name}: the integers of one message take more than 134217728 bytes`,
      );
    },
  );

  it("are refused: tensors without elements", () => {
    const array = bytesField(1, FLOAT, shape(0));
    const message = Buffer.alloc(array.length * (2 ** 18 + 1), array);
    expect(() => dialectOf("pytorch").decodeRequest(message)).toThrow(
      "inputs[262144]: more than 1048576 strings in one message, a tensor counted as 4",
    );
  });
});
