import { unknownDType } from "./array-family.js";
import { arrayTensor } from "./array-tensor.js";
import { arrayOver } from "./bulk.js";
import { bulkOffset } from "./bulk-offset.js";
import { checkedTensor } from "./create-tensor.js";
import { DecodeBudget } from "./decode-budget.js";
import type { TensorDialect } from "./dialect.js";
import { checkCount, readDims } from "./dims.js";
import type { DType } from "./dtype.js";
import { type ArrayMaker, arrayMakers, type NumericDType } from "./dtype-table.js";
import { fetchedOutputs } from "./fetches.js";
import { FormatError } from "./format-error.js";
import {
  encodeParts,
  int32Field,
  messageField,
  type Part,
  packedFixed,
  packedNumbers,
  textField,
} from "./proto-parts.js";
import { ProtoReader } from "./proto-reader.js";
import { refuseParts } from "./request-parts.js";
import type { Tensor } from "./tensor.js";
import { quoted } from "./texts.js";

const numbers: ReadonlyMap<DType, number> = new Map<NumericDType, number>([
  ["float32", 1],
  ["uint8", 2],
  ["int8", 3],
  ["uint16", 4],
  ["int16", 5],
  ["int32", 6],
  ["int64", 7],
  ["float16", 10],
  ["float64", 11],
  ["uint32", 12],
  ["uint64", 13],
]);
const dtypes: ReadonlyMap<number, DType> = new Map(
  Array.from(numbers, ([dtype, number]) => [number, dtype]),
);

function tensorParts(name: string, given: Tensor): Part {
  const where = `tensors[${quoted(name)}]`;
  const tensor = checkedTensor(given);
  const number = numbers.get(tensor.dtype);
  if (number === undefined || tensor.dtype === "string")
    throw unknownDType(where, tensor.dtype, "ONNX");
  return messageField(1, [
    ...textField(1, name),
    ...packedNumbers(2, tensor.shape),
    ...int32Field(3, number),
    ...packedFixed(5, tensor.data),
  ]);
}

function encode(tensors: Iterable<readonly [string, Tensor]>): Uint8Array {
  return encodeParts(Array.from(tensors, ([name, tensor]) => tensorParts(name, tensor)));
}

/** What a tensor's message says, before it is looked at as a whole. */
interface Parts {
  name: string;
  readonly dims: number[];
  number: number;
  start: number;
  end: number;
}

function readParts(reader: ProtoReader): Parts {
  const parts: Parts = { name: "", dims: [], number: 0, start: 0, end: 0 };
  while (reader.next()) {
    if (reader.field === 1) parts.name = reader.text("name");
    else if (reader.field === 2) readDims(reader, "dims", parts.dims);
    else if (reader.field === 3) parts.number = reader.int32("data_type");
    else if (reader.field === 5) {
      const length = reader.length("raw_data");
      parts.start = reader.pos;
      reader.pos += length;
      parts.end = reader.pos;
    } else reader.skip();
  }
  return parts;
}

function tensorOf({ bytes }: ProtoReader, parts: Parts): Tensor {
  const { name, dims, number, start, end } = parts;
  const where = `tensors[${quoted(name)}]`;
  const dtype = dtypes.get(number);
  if (dtype === undefined || dtype === "string")
    throw new FormatError(`${where}.data_type is ${number}, which is no dtype of ONNX messages`);
  const maker: ArrayMaker = arrayMakers[dtype];
  const size = maker.BYTES_PER_ELEMENT;
  if ((end - start) % size !== 0)
    throw new FormatError(
      `${where}.raw_data has ${end - start} bytes, expected a multiple of ${size} for ${dtype}`,
    );
  checkCount(dims, dtype, (end - start) / size, `${where}.dims`, `${where}.raw_data`);
  return arrayTensor(dtype, dims, arrayOver(bytes, start, end, maker));
}

function decode(message: Uint8Array): Map<string, Tensor> {
  const reader = new ProtoReader(message);
  const budget = new DecodeBudget();
  const tensors = new Map<string, Tensor>();
  for (let index = 0; reader.next(); index++) {
    if (reader.field !== 1) reader.skip();
    else {
      budget.takeTensor("tensors");
      const parts = readParts(reader.message("tensors", `tensors[${index}]`));
      if (tensors.has(parts.name))
        throw new FormatError(`tensors[${quoted(parts.name)}] is there twice`);
      tensors.set(parts.name, tensorOf(reader, parts));
    }
  }
  return tensors;
}

/** ONNX's messages: tensors with names, their elements as raw bytes; an answer is made like a request. */
export const onnxDialect: TensorDialect = {
  name: "onnx",

  encodeRequest(request) {
    refuseParts("ONNX", request, ["fetches", "signatureName", "debugLevel"]);
    return encode(request.inputs);
  },

  decodeRequest: (message) => ({
    inputs: decode(message),
    fetches: [],
    signatureName: "",
    debugLevel: 0,
  }),

  encodeResponse: (outputs, fetches) => encode(new Map(fetchedOutputs(outputs, fetches))),

  decodeResponse: decode,

  bulkOffset: (head) => bulkOffset(head, ["1.5"]),
};
