export { type TensorValues, tensor } from "./create-tensor.js";
export type { DType, TensorArrays } from "./dtype.js";
export {
  bfloat16FromFloat32,
  bfloat16ToFloat32,
  float16FromFloat32,
  float16ToFloat32,
} from "./float16.js";
export { FormatError } from "./format-error.js";
export type { Tensor, TensorOf } from "./tensor.js";
export { textsOf } from "./texts.js";
export { TypedArrayParts, typedArrayBytes } from "./typed-array-field.js";
