import { servingError } from "../core/serving-error.js";
import type { DType } from "./dtype.js";
import { type FieldDType, type ValueField, type ValueKind, valueKinds } from "./value-fields.js";

/** Numbers of the dtypes in the messages of TensorFlow and PyTorch. */
const dtypeNumbers: Readonly<Record<FieldDType, number>> = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  int16: 5,
  int8: 6,
  string: 7,
  complex64: 8,
  int64: 9,
  bool: 10,
  qint8: 11,
  quint8: 12,
  qint32: 13,
  bfloat16: 14,
  qint16: 15,
  quint16: 16,
  uint16: 17,
  complex128: 18,
  float16: 19,
};

/** Messages that have their arrays alike. */
export interface ArrayFamily {
  /** As errors call it. */
  readonly title: string;
  /** By dtype: its number, and the field of its values. */
  readonly dtypes: ReadonlyMap<DType, { readonly number: number; readonly field: ValueField }>;
  /** By number. */
  readonly numbers: ReadonlyMap<number, FieldDType>;
  /** By field number. */
  readonly fields: ReadonlyMap<number, ValueField>;
}

function familyOf(title: string, kinds: Partial<Readonly<Record<ValueKind, number>>>): ArrayFamily {
  const dtypes = new Map<DType, { number: number; field: ValueField }>();
  const numbers = new Map<number, FieldDType>();
  const fields = new Map<number, ValueField>();
  for (const [kind, number] of Object.entries(kinds) as [ValueKind, number][])
    fields.set(number, { number, kind, name: `${kind}_val` });
  for (const [dtype, number] of Object.entries(dtypeNumbers) as [FieldDType, number][]) {
    const field = fields.get(kinds[valueKinds[dtype]] ?? 0);
    if (field === undefined) continue;
    dtypes.set(dtype, { number, field });
    numbers.set(number, dtype);
  }
  return { title, dtypes, numbers, fields };
}

const shared = { float: 3, double: 4, int: 5, string: 6, int64: 7 };

/** The arrays of TensorFlow's messages, and of EasyRec's. */
export const tensorflowArrays: ArrayFamily = familyOf("TensorFlow", { ...shared, bool: 8 });

/** The arrays of PyTorch's messages, and of TorchEasyRec's: without bools. */
export const pytorchArrays: ArrayFamily = familyOf("PyTorch", shared);

/** A number of a dtype as errors show it. */
export function dtypeNumberText(number: number): string {
  const known = Object.entries(dtypeNumbers).find(([, other]) => other === number);
  return known === undefined ? String(number) : `${number} (${known[0]})`;
}

/** Refuses a tensor of a dtype that some messages have no place for. */
export function unknownDType(where: string, dtype: DType, title: string): Error {
  return servingError(
    "INVALID_OPTION",
    `${where} is of dtype ${dtype}, which ${title} messages cannot hold`,
  );
}
