import type { DType } from "./dtype.js";
import type { FieldDType } from "./value-fields.js";

/** What EAS calls the dtypes that have a field of values in its messages. */
export const fieldDTypeNames: Readonly<Partial<Record<DType, string>>> = {
  float32: "DT_FLOAT",
  float64: "DT_DOUBLE",
  float16: "DT_HALF",
  bfloat16: "DT_BFLOAT16",
  int8: "DT_INT8",
  int16: "DT_INT16",
  int32: "DT_INT32",
  int64: "DT_INT64",
  uint8: "DT_UINT8",
  uint16: "DT_UINT16",
  bool: "DT_BOOL",
  complex64: "DT_COMPLEX64",
  complex128: "DT_COMPLEX128",
  qint8: "DT_QINT8",
  quint8: "DT_QUINT8",
  qint16: "DT_QINT16",
  quint16: "DT_QUINT16",
  qint32: "DT_QINT32",
  string: "DT_STRING",
} satisfies Record<FieldDType, string>;
