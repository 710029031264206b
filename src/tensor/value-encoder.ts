import { bfloat16ToFloat32, float16ToFloat32 } from "./float16.js";
import { bytesField, type Part, packedFixed, packedInt64, packedNumbers } from "./proto-parts.js";
import type { FieldTensor } from "./value-fields.js";

/** The elements of a tensor in the field that belongs to its dtype. */
export function valueParts(field: number, tensor: FieldTensor): readonly Part[] {
  switch (tensor.dtype) {
    case "string":
      return tensor.data.map((bytes) => bytesField(field, bytes));
    case "int64":
      return packedInt64(field, tensor.data);
    case "float16":
      return packedFixed(field, float16ToFloat32(tensor.data));
    case "bfloat16":
      return packedFixed(field, bfloat16ToFloat32(tensor.data));
    case "float32":
    case "float64":
    case "complex64":
    case "complex128":
      return packedFixed(field, tensor.data);
    default:
      return packedNumbers(field, tensor.data);
  }
}
