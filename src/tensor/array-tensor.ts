import { copyOf } from "./bulk.js";
import type { DType, TensorArrays } from "./dtype.js";
import { arrayMakers } from "./dtype-table.js";
import type { Tensor, TensorOf } from "./tensor.js";
import { tensorText } from "./tensor-text.js";

function copiedData<D extends DType>(dtype: D, data: TensorArrays[D]): TensorArrays[D];
function copiedData(dtype: DType, data: TensorArrays[DType]): TensorArrays[DType] {
  if (ArrayBuffer.isView(data)) return dtype === "string" ? [] : copyOf(data, arrayMakers[dtype]);
  // Not slice(): a Buffer's shares its memory.
  return data.map((element) => new Uint8Array(element));
}

class ArrayTensor<D extends DType> implements TensorOf<D> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: TensorArrays[D];

  constructor(dtype: D, shape: readonly number[], data: TensorArrays[D]) {
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
  }

  copy(): TensorOf<D> {
    return new ArrayTensor(this.dtype, this.shape, copiedData(this.dtype, this.data));
  }

  toString(): string {
    return tensorText(this as TensorOf<DType> as Tensor);
  }
}

// What console.log and util.inspect ask for.
Object.defineProperty(ArrayTensor.prototype, Symbol.for("nodejs.util.inspect.custom"), {
  value(this: ArrayTensor<DType>): string {
    return tensorText(this as TensorOf<DType> as Tensor);
  },
});

/** A tensor of parts that have been checked against each other. */
export function arrayTensor<D extends DType>(
  dtype: D,
  shape: readonly number[],
  data: TensorArrays[D],
): Tensor<D>;
export function arrayTensor(
  dtype: DType,
  shape: readonly number[],
  data: TensorArrays[DType],
): TensorOf<DType> {
  return new ArrayTensor(dtype, shape, data);
}

/** Tells whether a tensor was made here, so that its parts need not be checked again. */
export function isArrayTensor(given: unknown): boolean {
  return given instanceof ArrayTensor;
}
