import type { ArrayProto } from "../../gen/eas/tensorflow/predict.js";
import type { TensorArrays } from "../../src/tensor/dtype.js";

/** Two elements of a dtype: the kit's array of them, and what the generated messages hold. */
export interface ArraySample<D extends keyof TensorArrays = keyof TensorArrays> {
  readonly dtype: D;
  readonly data: TensorArrays[D];
  readonly message: ArrayProto;
}

type Values = Partial<Omit<ArrayProto, "dtype" | "arrayShape">>;

/** A message of an array. */
export function arrayMessage(
  dtype: ArrayProto["dtype"],
  shape: readonly bigint[],
  values: Values,
): ArrayProto {
  return {
    floatVal: [],
    doubleVal: [],
    intVal: [],
    stringVal: [],
    int64Val: [],
    boolVal: [],
    ...values,
    dtype,
    arrayShape: { dim: [...shape] },
  };
}

function sample<D extends keyof TensorArrays>(
  dtype: D,
  number: ArrayProto["dtype"],
  data: TensorArrays[D],
  values: Values,
): ArraySample<D> {
  return { dtype, data, message: arrayMessage(number, [2n], values) };
}

/** A sample of every dtype of the messages that TensorFlow, PyTorch, EasyRec and TorchEasyRec share. */
export const arraySamples: readonly ArraySample[] = [
  sample("float32", 1, Float32Array.of(0.5, -2), { floatVal: [0.5, -2] }),
  sample("float64", 2, Float64Array.of(0.1, -2), { doubleVal: [0.1, -2] }),
  sample("int32", 3, Int32Array.of(-1, 7), { intVal: [-1, 7] }),
  sample("uint8", 4, Uint8Array.of(0, 255), { intVal: [0, 255] }),
  sample("int16", 5, Int16Array.of(-300, 300), { intVal: [-300, 300] }),
  sample("int8", 6, Int8Array.of(-128, 127), { intVal: [-128, 127] }),
  sample("string", 7, [Uint8Array.of(0xc3, 0xa9), Uint8Array.of()], {
    stringVal: [Uint8Array.of(0xc3, 0xa9), Uint8Array.of()],
  }),
  sample("complex64", 8, Float32Array.of(1, 2, 3, 4), { floatVal: [1, 2, 3, 4] }),
  sample("int64", 9, BigInt64Array.of(-1n, 2n ** 62n), { int64Val: [-1n, 2n ** 62n] }),
  sample("bool", 10, Uint8Array.of(0, 1), { boolVal: [false, true] }),
  sample("qint8", 11, Int8Array.of(-128, 127), { intVal: [-128, 127] }),
  sample("quint8", 12, Uint8Array.of(0, 255), { intVal: [0, 255] }),
  sample("qint32", 13, Int32Array.of(-1, 7), { intVal: [-1, 7] }),
  sample("bfloat16", 14, Uint16Array.of(0x3f80, 0xc000), { floatVal: [1, -2] }),
  sample("qint16", 15, Int16Array.of(-300, 300), { intVal: [-300, 300] }),
  sample("quint16", 16, Uint16Array.of(0, 65_535), { intVal: [0, 65_535] }),
  sample("uint16", 17, Uint16Array.of(0, 65_535), { intVal: [0, 65_535] }),
  sample("complex128", 18, Float64Array.of(1, 2, 3, 4), { doubleVal: [1, 2, 3, 4] }),
  sample("float16", 19, Uint16Array.of(0x3c00, 0xc000), { floatVal: [1, -2] }),
];
