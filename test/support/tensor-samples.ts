import type { DType } from "inferwire/host";
import type { ArrayProto } from "../../gen/eas/tensorflow/predict.js";

/** A tensor of two elements as EAS's array messages have it, and as a processor should see it. */
export interface ArraySample {
  readonly dtype: DType;
  /** What goes into an `ArrayProto`. */
  readonly fields: Partial<ArrayProto>;
  /** Kind of the typed array, or of the list. */
  readonly holds: string;
  readonly values: readonly unknown[];
}

const sample = (
  dtype: DType,
  number: ArrayProto["dtype"],
  values: Partial<ArrayProto>,
  holds: string,
  seen: readonly unknown[],
): ArraySample => ({
  dtype,
  fields: { dtype: number, arrayShape: { dim: [2n, 1n] }, ...values },
  holds: `[object ${holds}]`,
  values: seen,
});

const integers = (
  dtype: DType,
  number: ArrayProto["dtype"],
  holds: string,
  least: number,
  most: number,
) => sample(dtype, number, { intVal: [least, most] }, holds, [least, most]);

/** One of every dtype that EAS's array messages carry; numbers that all of its floats hold exactly. */
export const arraySamples: readonly ArraySample[] = [
  sample("float32", 1, { floatVal: [1.5, -2] }, "Float32Array", [1.5, -2]),
  sample("float64", 2, { doubleVal: [0.1, -2] }, "Float64Array", [0.1, -2]),
  integers("int32", 3, "Int32Array", -(2 ** 31), 2 ** 31 - 1),
  integers("uint8", 4, "Uint8Array", 0, 255),
  integers("int16", 5, "Int16Array", -(2 ** 15), 2 ** 15 - 1),
  integers("int8", 6, "Int8Array", -128, 127),
  sample("string", 7, { stringVal: [Uint8Array.of(97), Uint8Array.of()] }, "Array", ["a", ""]),
  sample("complex64", 8, { floatVal: [1, 2, 3, -4] }, "Float32Array", [1, 2, 3, -4]),
  sample("int64", 9, { int64Val: [-(2n ** 63n), -1n] }, "BigInt64Array", [
    `${-(2n ** 63n)}n`,
    "-1n",
  ]),
  sample("bool", 10, { boolVal: [true, false] }, "Uint8Array", [1, 0]),
  integers("qint8", 11, "Int8Array", -128, 127),
  integers("quint8", 12, "Uint8Array", 0, 255),
  integers("qint32", 13, "Int32Array", -(2 ** 31), 2 ** 31 - 1),
  sample("bfloat16", 14, { floatVal: [1, -2] }, "Uint16Array", [0x3f80, 0xc000]),
  integers("qint16", 15, "Int16Array", -(2 ** 15), 2 ** 15 - 1),
  integers("quint16", 16, "Uint16Array", 0, 65_535),
  integers("uint16", 17, "Uint16Array", 0, 65_535),
  sample("complex128", 18, { doubleVal: [0.1, 2, 3, -4] }, "Float64Array", [0.1, 2, 3, -4]),
  sample("float16", 19, { floatVal: [1, -2] }, "Uint16Array", [0x3c00, 0xc000]),
];

/** A tensor of two elements as EAS's ONNX messages have it, and as a processor should see it. */
export interface RawSample {
  readonly dtype: DType;
  /** Its number there. */
  readonly dataType: number;
  readonly data: ArrayBufferView & Iterable<number | bigint>;
}

/** One of every dtype that EAS's ONNX messages carry. */
export const rawSamples: readonly RawSample[] = [
  { dtype: "float32", dataType: 1, data: Float32Array.of(1.5, -2) },
  { dtype: "uint8", dataType: 2, data: Uint8Array.of(0, 255) },
  { dtype: "int8", dataType: 3, data: Int8Array.of(-128, 127) },
  { dtype: "uint16", dataType: 4, data: Uint16Array.of(0, 65_535) },
  { dtype: "int16", dataType: 5, data: Int16Array.of(-(2 ** 15), 2 ** 15 - 1) },
  { dtype: "int32", dataType: 6, data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1) },
  { dtype: "int64", dataType: 7, data: BigInt64Array.of(-(2n ** 63n), -1n) },
  { dtype: "float16", dataType: 10, data: Uint16Array.of(0x3c00, 0xc000) },
  { dtype: "float64", dataType: 11, data: Float64Array.of(0.1, -2) },
  { dtype: "uint32", dataType: 12, data: Uint32Array.of(0, 2 ** 32 - 1) },
  { dtype: "uint64", dataType: 13, data: BigUint64Array.of(0n, 2n ** 64n - 1n) },
];
