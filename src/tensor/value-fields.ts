import type { DType } from "./dtype.js";
import { WireType } from "./proto-reader.js";
import type { Tensor } from "./tensor.js";

/** How a field of values has its numbers on the wire. */
export type ValueKind = "float" | "double" | "int" | "int64" | "bool" | "string";

/** A field that holds the elements of an array. */
export interface ValueField {
  readonly number: number;
  readonly name: string;
  readonly kind: ValueKind;
}

/** A dtype that has a field of values in messages with such fields. */
export type FieldDType = Exclude<DType, "uint32" | "uint64">;

/** A tensor of such a dtype. */
export type FieldTensor = { [D in FieldDType]: Tensor<D> }[FieldDType];

/** Where the elements of each dtype are. */
export const valueKinds: { readonly [D in FieldDType]: ValueKind } = {
  float32: "float",
  float16: "float",
  bfloat16: "float",
  complex64: "float",
  float64: "double",
  complex128: "double",
  int8: "int",
  int16: "int",
  int32: "int",
  uint8: "int",
  uint16: "int",
  qint8: "int",
  quint8: "int",
  qint16: "int",
  quint16: "int",
  qint32: "int",
  int64: "int64",
  bool: "bool",
  string: "string",
};

/** Of one element that is not packed with others. */
export const wireTypes: Readonly<Record<ValueKind, WireType>> = {
  float: WireType.FIXED32,
  double: WireType.FIXED64,
  int: WireType.VARINT,
  int64: WireType.VARINT,
  bool: WireType.VARINT,
  string: WireType.LENGTH,
};

/** Tells whether there is a field for a tensor's dtype in any messages with such fields. */
export function hasField(tensor: Tensor): tensor is FieldTensor {
  return tensor.dtype !== "uint32" && tensor.dtype !== "uint64";
}
