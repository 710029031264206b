import type { DType } from "../tensor/dtype.js";

/** An input or output as a service publishes it. */
export interface TensorInfo {
  readonly name: string;
  /** Size of each dimension, outermost first; -1 for any. */
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** What a service of tensors takes and gives. */
export interface TensorSignature {
  readonly signatureName: string;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}
