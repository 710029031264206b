import * as onnx from "../../../gen/eas/onnx/predict.js";
import * as tensorflow from "../../../gen/eas/tensorflow/predict.js";
import * as torch from "../../../gen/eas/torch/predict.js";
import type { DialectName, TensorRequest } from "../../../src/tensor/dialect.js";
import type { DType } from "../../../src/tensor/dtype.js";
import { bfloat16ToFloat32, float16ToFloat32 } from "../../../src/tensor/float16.js";
import type { Tensor } from "../../../src/tensor/tensor.js";

/** The dtypes of TensorFlow's messages, by the names in the proto file; PyTorch's are the same but for bool. */
const arrayDTypes: Partial<Record<DType, keyof typeof tensorflow.ArrayDataType>> = {
  float32: "DT_FLOAT",
  float64: "DT_DOUBLE",
  int32: "DT_INT32",
  uint8: "DT_UINT8",
  int16: "DT_INT16",
  int8: "DT_INT8",
  string: "DT_STRING",
  complex64: "DT_COMPLEX64",
  int64: "DT_INT64",
  bool: "DT_BOOL",
  qint8: "DT_QINT8",
  quint8: "DT_QUINT8",
  qint32: "DT_QINT32",
  bfloat16: "DT_BFLOAT16",
  qint16: "DT_QINT16",
  quint16: "DT_QUINT16",
  uint16: "DT_UINT16",
  complex128: "DT_COMPLEX128",
  float16: "DT_HALF",
};

const onnxDTypes: Partial<Record<DType, keyof typeof onnx.TensorProto_DataType>> = {
  float32: "FLOAT",
  uint8: "UINT8",
  int8: "INT8",
  uint16: "UINT16",
  int16: "INT16",
  int32: "INT32",
  int64: "INT64",
  float16: "FLOAT16",
  float64: "DOUBLE",
  uint32: "UINT32",
  uint64: "UINT64",
};

const dtypesOf = (table: object): DType[] => Object.keys(table) as DType[];

/** What each dialect has. */
export const dialectDTypes: Readonly<Record<DialectName, readonly DType[]>> = {
  tensorflow: dtypesOf(arrayDTypes),
  pytorch: dtypesOf(arrayDTypes).filter((dtype) => dtype !== "bool"),
  onnx: dtypesOf(onnxDTypes),
};

/** The values of a tensor as lists in the fields that they belong in. */
export function valueLists(tensor: Tensor): Partial<tensorflow.ArrayProto> {
  switch (tensor.dtype) {
    case "float32":
    case "complex64":
      return { floatVal: [...tensor.data] };
    case "float16":
      return { floatVal: [...float16ToFloat32(tensor.data)] };
    case "bfloat16":
      return { floatVal: [...bfloat16ToFloat32(tensor.data)] };
    case "float64":
    case "complex128":
      return { doubleVal: [...tensor.data] };
    case "int64":
      return { int64Val: [...tensor.data] };
    case "bool":
      return { boolVal: Array.from(tensor.data, (bit) => bit === 1) };
    case "string":
      return { stringVal: [...tensor.data] };
    case "uint64":
      throw new Error("no field for uint64");
    default:
      return { intVal: [...tensor.data] };
  }
}

function arrayOf(tensor: Tensor): tensorflow.ArrayProto {
  return tensorflow.ArrayProto.fromPartial({
    dtype: tensorflow.ArrayDataType[arrayDTypes[tensor.dtype] ?? "DT_INVALID"],
    arrayShape: { dim: tensor.shape.map(BigInt) },
    ...valueLists(tensor as Tensor),
  });
}

function arrayMap(
  entries: Iterable<readonly [string, Tensor]>,
): Map<string, tensorflow.ArrayProto> {
  return new Map(Array.from(entries, ([name, tensor]) => [name, arrayOf(tensor)]));
}

/** Tensors called 0 to n-1, and the others. */
function listAndMap(tensors: ReadonlyMap<string, Tensor>): {
  list: tensorflow.ArrayProto[];
  map: Map<string, tensorflow.ArrayProto>;
} {
  let length = 0;
  while (tensors.has(String(length))) length++;
  const indices = Array.from({ length }, (_, index) => String(index));
  return {
    list: indices.map((name) => arrayOf(tensors.get(name) as Tensor)),
    map: arrayMap([...tensors].filter(([name]) => !indices.includes(name))),
  };
}

function onnxOf(tensors: ReadonlyMap<string, Tensor>): Uint8Array {
  const list = Array.from(tensors, ([name, tensor]) => {
    const { buffer, byteOffset, byteLength } = (tensor as Exclude<Tensor, Tensor<"string">>).data;
    return {
      name,
      dims: tensor.shape.map(BigInt),
      dataType: onnx.TensorProto_DataType[onnxDTypes[tensor.dtype] ?? "UNDEFINED"],
      rawData: new Uint8Array(buffer, byteOffset, byteLength),
    };
  });
  return onnx.DataProto.encode({ tensors: list }).finish();
}

/** A request as the generated encoder writes it. */
export function generatedRequest(dialect: DialectName, request: TensorRequest): Uint8Array {
  const { inputs, fetches, signatureName, debugLevel } = request;
  if (dialect === "onnx") return onnxOf(inputs);
  if (dialect === "tensorflow")
    return tensorflow.PredictRequest.encode({
      signatureName,
      inputs: arrayMap(inputs),
      outputFilter: [...fetches],
    }).finish();
  const { list, map } = listAndMap(inputs);
  return torch.PredictRequest.encode({
    inputs: list,
    mapInputs: map,
    outputFilter: fetches.map(Number),
    debugLevel,
  }).finish();
}

/** An answer with all outputs as the generated encoder writes it. */
export function generatedResponse(
  dialect: DialectName,
  outputs: ReadonlyMap<string, Tensor>,
): Uint8Array {
  if (dialect === "onnx") return onnxOf(outputs);
  if (dialect === "tensorflow")
    return tensorflow.PredictResponse.encode({ outputs: arrayMap(outputs) }).finish();
  const { list, map } = listAndMap(outputs);
  return torch.PredictResponse.encode({ outputs: list, mapOutputs: map }).finish();
}
