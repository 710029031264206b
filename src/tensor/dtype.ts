/** What the elements of a tensor are, by its name. */
export type DType = keyof TensorArrays;

/**
 * What holds the elements of each dtype, in row-major order.
 *
 * `float16` and `bfloat16` are held as their 16 bits (`float16.ts` converts); complex numbers as pairs of real and imaginary part;
 * `bool` as bytes of 0 and 1; `string` as the bytes of each element. Quantised integers are integers: what they mean is between
 * caller and model.
 */
export interface TensorArrays {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly float16: Uint16Array;
  readonly bfloat16: Uint16Array;
  readonly int8: Int8Array;
  readonly int16: Int16Array;
  readonly int32: Int32Array;
  readonly int64: BigInt64Array;
  readonly uint8: Uint8Array;
  readonly uint16: Uint16Array;
  readonly uint32: Uint32Array;
  readonly uint64: BigUint64Array;
  readonly bool: Uint8Array;
  readonly complex64: Float32Array;
  readonly complex128: Float64Array;
  readonly qint8: Int8Array;
  readonly quint8: Uint8Array;
  readonly qint16: Int16Array;
  readonly quint16: Uint16Array;
  readonly qint32: Int32Array;
  readonly string: readonly Uint8Array[];
}
