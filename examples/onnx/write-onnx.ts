/**
 * Writes a small neural network as an .onnx file. Only what a dense network needs: float32 tensors, nodes with integer
 * attributes, one standard operator set. A model trained elsewhere is exported by its own framework; this one was trained
 * in JavaScript, where no exporter exists.
 *
 * Source: the field numbers are those of onnx.proto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
import { BinaryWriter } from "@bufbuild/protobuf/wire";

/** Name and shape of a float32 tensor. */
export interface OnnxValue {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A tensor that is part of the model, row by row. */
export interface OnnxWeights extends OnnxValue {
  readonly values: Float32Array;
}

/** One operator, such as `Gemm` or `Relu`, with the names of what it reads and writes. */
export interface OnnxNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, number>>;
}

/** A network; nodes stand in the order in which they run. */
export interface OnnxGraph {
  readonly name: string;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly weights: readonly OnnxWeights[];
  readonly nodes: readonly OnnxNode[];
}

const irVersion = 8;
const operatorSetVersion = 17;
const floatTensor = 1;
const integerAttribute = 2;

const field = { varint: 0, bytes: 2 } as const;

/** Returns the bytes of an .onnx file. */
export function writeOnnx(graph: OnnxGraph): Uint8Array {
  const writer = new BinaryWriter();
  integer(writer, 1, irVersion);
  text(writer, 2, "inferwire example");
  message(writer, 7, () => writeGraph(writer, graph));
  message(writer, 8, () => {
    text(writer, 1, "");
    integer(writer, 2, operatorSetVersion);
  });
  return writer.finish();
}

function writeGraph(writer: BinaryWriter, graph: OnnxGraph): void {
  for (const node of graph.nodes) message(writer, 1, () => writeNode(writer, node));
  text(writer, 2, graph.name);
  for (const weights of graph.weights) message(writer, 5, () => writeWeights(writer, weights));
  for (const input of graph.inputs) message(writer, 11, () => writeValue(writer, input));
  for (const output of graph.outputs) message(writer, 12, () => writeValue(writer, output));
}

function writeNode(writer: BinaryWriter, node: OnnxNode): void {
  for (const input of node.inputs) text(writer, 1, input);
  text(writer, 2, node.output);
  text(writer, 4, node.operator);
  for (const [name, value] of Object.entries(node.attributes ?? {})) {
    message(writer, 5, () => {
      text(writer, 1, name);
      integer(writer, 3, value);
      integer(writer, 20, integerAttribute);
    });
  }
}

function writeWeights(writer: BinaryWriter, { name, shape, values }: OnnxWeights): void {
  for (const size of shape) integer(writer, 1, size);
  integer(writer, 2, floatTensor);
  text(writer, 8, name);
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setFloat32(4 * index, value, true);
  writer.tag(9, field.bytes).bytes(bytes);
}

/** ValueInfoProto: a name, and a type of a tensor with its shape. */
function writeValue(writer: BinaryWriter, { name, shape }: OnnxValue): void {
  text(writer, 1, name);
  message(writer, 2, () =>
    message(writer, 1, () => {
      integer(writer, 1, floatTensor);
      message(writer, 2, () => {
        for (const size of shape) message(writer, 1, () => integer(writer, 1, size));
      });
    }),
  );
}

function integer(writer: BinaryWriter, number: number, value: number): void {
  writer.tag(number, field.varint).int64(value);
}

function text(writer: BinaryWriter, number: number, value: string): void {
  writer.tag(number, field.bytes).string(value);
}

function message(writer: BinaryWriter, number: number, write: () => void): void {
  writer.tag(number, field.bytes).fork();
  write();
  writer.join();
}
