import type { DType, TensorArrays } from "./dtype.js";

/** Numbers (or texts) of one dtype in a shape, as a typed array. */
export interface TensorOf<D extends DType> {
  readonly dtype: D;
  /** Size of each dimension, outermost first; empty for a single value. */
  readonly shape: readonly number[];
  /** The elements in row-major order; may be a view over the message that brought them, which it then keeps in memory. */
  readonly data: TensorArrays[D];
  /** The same tensor with elements of its own. */
  copy(): TensorOf<D>;
}

/** A tensor of one of these dtypes: looking at `dtype` tells the kind of `data`. */
export type Tensor<D extends DType = DType> = { readonly [K in D]: TensorOf<K> }[D];
