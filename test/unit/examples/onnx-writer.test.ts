import { readFileSync } from "node:fs";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { describe, expect, it } from "vitest";
import { loadDigits } from "../../../examples/mnist/digits.js";
import { loadNetwork } from "../../../examples/mnist/network.js";
import { digitsModel } from "../../../examples/onnx/digits-model.js";
import { writeOnnx } from "../../../examples/onnx/write-onnx.js";

type Fields = ReadonlyMap<number, readonly (number | Uint8Array)[]>;

/** Reads any message without knowing its type: numbers and bytes by field number. */
function readFields(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, (number | Uint8Array)[]>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    expect([WireType.Varint, WireType.LengthDelimited]).toContain(type);
    const value = type === WireType.Varint ? Number(reader.int64()) : reader.bytes();
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

function messages(fields: Fields, number: number): readonly Fields[] {
  return (fields.get(number) ?? []).map((value) => readFields(value as Uint8Array));
}

function message(fields: Fields, number: number): Fields {
  return messages(fields, number)[0] ?? new Map();
}

function texts(fields: Fields, number: number): readonly string[] {
  return (fields.get(number) ?? []).map((value) => Buffer.from(value as Uint8Array).toString());
}

/** Name and shape of a ValueInfoProto. */
function namedShape(value: Fields): readonly unknown[] {
  const tensor = message(message(value, 2), 1);
  const shape = messages(message(tensor, 2), 1).map((dimension) => dimension.get(1)?.[0]);
  return [...texts(value, 1), tensor.get(1), shape];
}

const model = writeOnnx({
  name: "tiny",
  inputs: [{ name: "x", shape: [1, 2] }],
  outputs: [{ name: "y", shape: [1, 3] }],
  weights: [
    { name: "w", shape: [3, 2], values: Float32Array.of(1, -2, 0.5, 4, 300, -0.25) },
    { name: "b", shape: [3], values: Float32Array.of(0, 1, 2) },
  ],
  nodes: [
    { operator: "Gemm", inputs: ["x", "w", "b"], output: "sums", attributes: { transB: 1 } },
    { operator: "Relu", inputs: ["sums"], output: "y" },
  ],
});

// The numbers are those of onnx.proto: ModelProto, GraphProto, NodeProto, TensorProto, ValueInfoProto.
describe("writeOnnx", () => {
  const file = readFields(model);
  const graph = message(file, 7);

  it("says which version of the format and of the operators it speaks", () => {
    expect([...file.keys()]).toEqual([1, 2, 7, 8]);
    expect(file.get(1)).toEqual([8]);
    const operatorSet = message(file, 8);
    expect([texts(operatorSet, 1), operatorSet.get(2)]).toEqual([[""], [17]]);
  });

  it("writes the nodes in order, with inputs, output and integer attributes", () => {
    const nodes = messages(graph, 1);
    expect(texts(graph, 2)).toEqual(["tiny"]);
    expect(nodes.map((node) => [texts(node, 4), texts(node, 1), texts(node, 2)])).toEqual([
      [["Gemm"], ["x", "w", "b"], ["sums"]],
      [["Relu"], ["sums"], ["y"]],
    ]);
    const [attribute] = nodes.flatMap((node) => messages(node, 5));
    expect(attribute && [texts(attribute, 1), attribute.get(3), attribute.get(20)]).toEqual([
      ["transB"],
      [1],
      [2],
    ]);
  });

  it("writes weights as float32 bytes, little-endian, with their shape", () => {
    const [weights, biases] = messages(graph, 5);
    expect([weights?.get(1), weights?.get(2), weights && texts(weights, 8)]).toEqual([
      [3, 2],
      [1],
      ["w"],
    ]);
    const bytes = Buffer.from(weights?.get(9)?.[0] as Uint8Array);
    expect([0, 1, 2, 3, 4, 5].map((index) => bytes.readFloatLE(4 * index))).toEqual([
      1, -2, 0.5, 4, 300, -0.25,
    ]);
    expect([biases?.get(1), biases && texts(biases, 8)]).toEqual([[3], ["b"]]);
  });

  it("names inputs and outputs, with their shapes", () => {
    expect(messages(graph, 11).map(namedShape)).toEqual([["x", [1], [1, 2]]]);
    expect(messages(graph, 12).map(namedShape)).toEqual([["y", [1], [1, 3]]]);
  });
});

describe("digitsModel", () => {
  const folder = new URL("../../../examples/mnist/data/", import.meta.url);
  const weightsFile = readFileSync(new URL("weights.bin", folder));
  const graph = message(readFields(digitsModel(weightsFile)), 7);
  const weights = new Map(
    messages(graph, 5).map((tensor) => {
      const bytes = Uint8Array.from(tensor.get(9)?.[0] as Uint8Array);
      return [texts(tensor, 8)[0] ?? "", new Float32Array(bytes.buffer)];
    }),
  );

  /** What the nodes of the file say, computed here: Gemm, Relu, Gemm with the second matrix transposed. */
  function run(image: Float32Array): Float32Array {
    const [hiddenWeights, hiddenBiases, outputWeights, outputBiases] = [
      "hidden.weights",
      "hidden.biases",
      "output.weights",
      "output.biases",
    ].map((name) => weights.get(name) ?? new Float32Array());
    const hidden = Float32Array.from(hiddenBiases ?? []);
    for (const [pixel, ink] of image.entries()) {
      if (ink === 0) continue;
      for (let unit = 0; unit < hidden.length; unit++) {
        hidden[unit] =
          (hidden[unit] ?? 0) + ink * (hiddenWeights?.[pixel * hidden.length + unit] ?? 0);
      }
    }
    return Float32Array.from(outputBiases ?? [], (bias, digit) =>
      hidden.reduce(
        (sum, value, unit) =>
          sum + Math.max(0, value) * (outputWeights?.[digit * hidden.length + unit] ?? 0),
        bias,
      ),
    );
  }

  it("holds the same network as the weights file", () => {
    const digits = loadDigits(readFileSync(new URL("digits.bin.gz", folder)));
    const network = loadNetwork(weightsFile);
    const indexes = Array.from({ length: 100 }, (_, index) => index);
    const seen = indexes.map((index) => {
      const scores = run(Float32Array.from(digits.pixels(index), (pixel) => pixel / 255));
      return scores.indexOf(Math.max(...scores));
    });
    expect(seen).toEqual(indexes.map((index) => network.classify(digits.pixels(index)).digit));
  });

  it("refuses what is no weights file", () => {
    expect(() => digitsModel(new Uint8Array(3))).toThrow("weights file has 3 bytes");
  });
});
