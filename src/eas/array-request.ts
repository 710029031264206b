import { seen } from "../core/options.js";
import type { ArrayFamily } from "../tensor/array-family.js";
import type { TensorValues } from "../tensor/create-tensor.js";
import type { DType } from "../tensor/dtype.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkFeedDType, feedTensor } from "./feed.js";

/** What TensorFlow's and PyTorch's requests have in common: inputs by name, and dtypes by the names that the EAS SDKs give them. */
export abstract class ArrayRequest {
  static readonly DT_FLOAT = "float32";
  static readonly DT_DOUBLE = "float64";
  static readonly DT_INT32 = "int32";
  static readonly DT_UINT8 = "uint8";
  static readonly DT_INT16 = "int16";
  static readonly DT_INT8 = "int8";
  static readonly DT_STRING = "string";
  static readonly DT_COMPLEX64 = "complex64";
  static readonly DT_INT64 = "int64";
  static readonly DT_BOOL = "bool";
  static readonly DT_QINT8 = "qint8";
  static readonly DT_QUINT8 = "quint8";
  static readonly DT_QINT32 = "qint32";
  static readonly DT_BFLOAT16 = "bfloat16";
  static readonly DT_QINT16 = "qint16";
  static readonly DT_QUINT16 = "quint16";
  static readonly DT_UINT16 = "uint16";
  static readonly DT_COMPLEX128 = "complex128";
  static readonly DT_HALF = "float16";

  protected readonly namedInputs: Map<string, Tensor> = new Map();
  readonly #family: ArrayFamily;

  /** @param family - the messages that the inputs go into */
  constructor(family: ArrayFamily) {
    this.#family = family;
  }

  /** The tensor of an input, checked. */
  protected input<D extends DType>(
    name: string | number,
    shape: readonly number[],
    dtype: D,
    values: TensorValues<D>,
  ): Tensor {
    checkFeedDType(dtype, `feed ${seen(name)}`, this.#family);
    return feedTensor(name, shape, dtype, values);
  }
}
