import { describe, expect, it } from "vitest";
import { tensor } from "../../../src/tensor/create-tensor.js";
import type { DialectName, TensorRequest } from "../../../src/tensor/dialect.js";
import { dialectOf } from "../../../src/tensor/dialect-of.js";
import { FormatError } from "../../../src/tensor/format-error.js";
import type { Tensor } from "../../../src/tensor/tensor.js";
import { bytesField, floats, numberField, packedField } from "../../support/proto-fields.js";

const none: TensorRequest = {
  inputs: new Map(),
  fetches: [],
  signatureName: "",
  debugLevel: 0,
};
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** As EAS's Python client writes them. */
const golden: readonly [DialectName, string, TensorRequest][] = [
  [
    "tensorflow",
    "0a0e707265646963745f696d61676573121c0a06696d616765731212080112040a0201021a080000803f000000401a0673636f726573",
    {
      ...none,
      signatureName: "predict_images",
      inputs: new Map([["images", tensor("float32", [1, 2], [1, 2])]]),
      fetches: ["scores"],
    },
  ],
  [
    "pytorch",
    "0a12080112040a0201021a080000803f000000400a13080912030a01013a0affffffffffffffffff01120100",
    {
      ...none,
      inputs: new Map<string, Tensor>([
        ["0", tensor("float32", [1, 2], [1, 2])],
        ["1", tensor("int64", [1], [-1])],
      ]),
      fetches: ["0"],
    },
  ],
];

describe("the bytes of EAS's clients", () => {
  it.each(golden)("are written by %s", (name, bytes, request) => {
    expect(hex(dialectOf(name).encodeRequest(request))).toBe(bytes);
  });

  it.each(golden)("are read by %s", (name, bytes, request) => {
    const decoded = dialectOf(name).decodeRequest(Buffer.from(bytes, "hex"));
    expect(decoded).toMatchObject({ ...request, inputs: expect.any(Map) });
    expect(String([...decoded.inputs])).toBe(String([...request.inputs]));
  });
});

it("texts are bytes of no special kind, also of a message in a Buffer", () => {
  const { encodeRequest, decodeRequest } = dialectOf("tensorflow");
  const inputs = new Map([["s", tensor("string", [2], ["é", ""])]]);
  const decoded = decodeRequest(Buffer.from(encodeRequest({ ...none, inputs })));
  expect(decoded.inputs.get("s")?.data).toStrictEqual([
    Uint8Array.of(0xc3, 0xa9),
    new Uint8Array(),
  ]);
});

const one = tensor("float32", [1], [1]);
const two = tensor("float32", [1], [2]);
const three = tensor("float32", [1], [3]);

describe("PyTorch's list and map", () => {
  const pytorch = dialectOf("pytorch");
  const array = Buffer.concat([
    numberField(1, 1),
    bytesField(2, packedField(1, 1)),
    bytesField(3, floats(1)),
  ]);

  it("lists what is called 0 to n-1, whatever the order, and names the rest", () => {
    const inputs = new Map([
      ["1", two],
      ["x", three],
      ["0", one],
      ["3", three],
      ["01", three],
    ]);
    const decoded = pytorch.decodeRequest(pytorch.encodeRequest({ ...none, inputs }));
    expect([...decoded.inputs.keys()]).toEqual(["0", "1", "x", "3", "01"]);
    expect(decoded.inputs.get("1")?.data).toEqual(Float32Array.of(2));
  });

  it("leaves out the empty arrays that fill a gap in the list", () => {
    const message = Buffer.concat([bytesField(1), bytesField(1, array), bytesField(1)]);
    expect([...pytorch.decodeRequest(message).inputs.keys()]).toEqual(["1"]);
  });

  it("bounds how many empty arrays there are, as of all others", () => {
    const message = Buffer.alloc(2 * (2 ** 18 + 1), bytesField(1));
    expect(pytorch.decodeRequest(message.subarray(2)).inputs.size).toBe(0);
    expect(() => pytorch.decodeRequest(message)).toThrow(FormatError);
  });

  it.each([
    ["list first", [bytesField(1, array), bytesField(3, bytesField(1, "0"), bytesField(2, array))]],
    ["map first", [bytesField(3, bytesField(1, "0"), bytesField(2, array)), bytesField(1, array)]],
  ])("refuses a name that is the index of another, %s", (_, parts) => {
    expect(() => pytorch.decodeRequest(Buffer.concat(parts))).toThrow(FormatError);
  });

  it("numbers fetched outputs anew, in the order of fetching", () => {
    const outputs = new Map([
      ["0", one],
      ["1", two],
      ["2", three],
      ["x", one],
    ]);
    const answer = pytorch.decodeResponse(pytorch.encodeResponse(outputs, ["2", "0"]));
    expect(Array.from(answer, ([name, { data }]) => [name, data[0]])).toEqual([
      ["0", 3],
      ["1", 1],
    ]);
    expect([...pytorch.decodeResponse(pytorch.encodeResponse(outputs, [])).keys()]).toEqual([
      "0",
      "1",
      "2",
      "x",
    ]);
  });

  it("reads fetches packed, one by one, and no debug level that is not there", () => {
    const message = Buffer.concat([packedField(2, 3, 1), numberField(2, 0), numberField(100, -2)]);
    expect(pytorch.decodeRequest(message)).toMatchObject({
      fetches: ["3", "1", "0"],
      debugLevel: -2,
    });
  });

  it.each([
    ["output_filter has 1 twice", packedField(2, 1, 1)],
    ["output_filter has -1, expected the index of an output", packedField(2, -1)],
    [
      "output_filter is cut short in a number",
      Buffer.concat([bytesField(2, Buffer.of(0x80)), numberField(100, 1)]),
    ],
  ])("refuses fetches: %s", (text, message) => {
    expect(() => pytorch.decodeRequest(message)).toThrow(new FormatError(text));
  });

  it.each(["x", "-1", "01", "2147483648"])("cannot ask for output %s", (fetch) => {
    expect(() => pytorch.encodeRequest({ ...none, fetches: [fetch] })).toThrow(
      expect.objectContaining({ reason: "INVALID_OPTION" }),
    );
  });
});

describe("outputs", () => {
  const outputs = new Map([
    ["a", one],
    ["b", two],
  ]);

  it.each(["tensorflow", "onnx"] as const)("of %s are those that were fetched, once", (name) => {
    const dialect = dialectOf(name);
    const answer = dialect.decodeResponse(dialect.encodeResponse(outputs, ["b", "b"]));
    expect(Array.from(answer, ([key, { data }]) => [key, data[0]])).toEqual([["b", 2]]);
  });

  it.each(["tensorflow", "pytorch", "onnx"] as const)(
    "of %s that do not exist are an error",
    (name) => {
      expect(() => dialectOf(name).encodeResponse(outputs, ["a", "bb"])).toThrow(
        new FormatError('output_filter[1] is "bb", which is no output, did you mean "b"?'),
      );
    },
  );
});

describe("what a dialect has no place for", () => {
  it.each<[DialectName, Partial<TensorRequest>, string]>([
    ["tensorflow", { debugLevel: 1 }, "debugLevel is set, but TensorFlow requests have none"],
    ["pytorch", { signatureName: "s" }, "signatureName is set, but PyTorch requests have none"],
    ["onnx", { fetches: ["a"] }, "fetches is set, but ONNX requests have none"],
    [
      "tensorflow",
      { inputs: new Map([["a", tensor("uint32", [1], [1])]]) },
      'inputs["a"] is of dtype uint32, which TensorFlow messages cannot hold',
    ],
    [
      "pytorch",
      { inputs: new Map([["0", tensor("uint64", [1], [1n])]]) },
      "inputs[0] is of dtype uint64, which PyTorch messages cannot hold",
    ],
    [
      "pytorch",
      { inputs: new Map([["a", tensor("bool", [1], [true])]]) },
      'map_inputs["a"] is of dtype bool, which PyTorch messages cannot hold',
    ],
    [
      "onnx",
      { inputs: new Map([["a", tensor("string", [1], ["x"])]]) },
      'tensors["a"] is of dtype string, which ONNX messages cannot hold',
    ],
  ])("%s: %o", (name, parts, text) => {
    expect(() => dialectOf(name).encodeRequest({ ...none, ...parts })).toThrow(
      expect.objectContaining({ reason: "INVALID_OPTION", message: text }),
    );
  });

  it("is a tensor that does not hold together", () => {
    const made = {
      dtype: "float32",
      shape: [2],
      data: Float32Array.of(1),
      copy: () => one,
    } as const;
    expect(() =>
      dialectOf("onnx").encodeResponse(new Map<string, Tensor>([["a", made]]), []),
    ).toThrow("1 values, but shape [2] of float32 has 2");
  });
});
