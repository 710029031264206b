import type { DType, TensorArrays } from "./dtype.js";

/** A dtype whose elements are in a typed array. */
export type NumericDType = Exclude<DType, "string">;

/** A typed array that holds elements. */
export type NumericArray = TensorArrays[NumericDType];

/** The constructor of a kind of typed array. */
export interface ArrayMaker<A extends NumericArray = NumericArray> {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): A;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
}

/** What makes the array of each dtype. */
export const arrayMakers: { readonly [D in NumericDType]: ArrayMaker<TensorArrays[D]> } = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
  complex64: Float32Array,
  complex128: Float64Array,
  qint8: Int8Array,
  quint8: Uint8Array,
  qint16: Int16Array,
  quint16: Uint16Array,
  qint32: Int32Array,
};

/** Tells whether a text is the name of a dtype. */
export function isDType(name: string): name is DType {
  return name === "string" || Object.hasOwn(arrayMakers, name);
}

/** Names of all dtypes. */
export const dtypeNames: readonly string[] = [...Object.keys(arrayMakers), "string"];

/** Entries of the array that make one element: complex numbers have two parts. */
export function entriesPerElement(dtype: DType): number {
  return dtype === "complex64" || dtype === "complex128" ? 2 : 1;
}

/** Least and greatest whole number of a dtype. */
export interface IntegerRange<N extends number | bigint = number> {
  readonly least: N;
  readonly greatest: N;
}

const signed = (bits: number): IntegerRange => ({
  least: -(2 ** (bits - 1)),
  greatest: 2 ** (bits - 1) - 1,
});
const unsigned = (bits: number): IntegerRange => ({ least: 0, greatest: 2 ** bits - 1 });

/** Of those that a number can hold. */
export const integerRanges: ReadonlyMap<DType, IntegerRange> = new Map<DType, IntegerRange>([
  ["int8", signed(8)],
  ["int16", signed(16)],
  ["int32", signed(32)],
  ["uint8", unsigned(8)],
  ["uint16", unsigned(16)],
  ["uint32", unsigned(32)],
  ["qint8", signed(8)],
  ["quint8", unsigned(8)],
  ["qint16", signed(16)],
  ["quint16", unsigned(16)],
  ["qint32", signed(32)],
]);

/** Of those that take a bigint. */
export const bigRanges: ReadonlyMap<DType, IntegerRange<bigint>> = new Map<
  DType,
  IntegerRange<bigint>
>([
  ["int64", { least: -(2n ** 63n), greatest: 2n ** 63n - 1n }],
  ["uint64", { least: 0n, greatest: 2n ** 64n - 1n }],
]);
