import fc from "fast-check";
import { tensor } from "../../../src/tensor/create-tensor.js";
import type { TensorRequest } from "../../../src/tensor/dialect.js";
import type { DType } from "../../../src/tensor/dtype.js";
import type { Tensor } from "../../../src/tensor/tensor.js";

const shape = fc.array(fc.nat(4), { maxLength: 3 });

/** The generated encoders write every NaN alike. */
function oneNan(bits: Uint16Array, infinity: number, nan: number): Uint16Array {
  return bits.map((all) => ((all & 0x7fff) > infinity ? nan : all));
}

type Lengths = { readonly minLength: number; readonly maxLength: number };

const arrays: {
  readonly [D in DType]: (lengths: Lengths) => fc.Arbitrary<Tensor<D>["data"]>;
} = {
  float32: (lengths) => fc.float32Array(lengths),
  float64: (lengths) => fc.float64Array(lengths),
  float16: (lengths) => fc.uint16Array(lengths).map((bits) => oneNan(bits, 0x7c00, 0x7e00)),
  bfloat16: (lengths) => fc.uint16Array(lengths).map((bits) => oneNan(bits, 0x7f80, 0x7fc0)),
  int8: (lengths) => fc.int8Array(lengths),
  int16: (lengths) => fc.int16Array(lengths),
  int32: (lengths) => fc.int32Array(lengths),
  int64: (lengths) => fc.bigInt64Array(lengths),
  uint8: (lengths) => fc.uint8Array(lengths),
  uint16: (lengths) => fc.uint16Array(lengths),
  uint32: (lengths) => fc.uint32Array(lengths),
  uint64: (lengths) => fc.bigUint64Array(lengths),
  bool: (lengths) => fc.uint8Array({ ...lengths, max: 1 }),
  complex64: (lengths) => fc.float32Array(lengths),
  complex128: (lengths) => fc.float64Array(lengths),
  qint8: (lengths) => fc.int8Array(lengths),
  quint8: (lengths) => fc.uint8Array(lengths),
  qint16: (lengths) => fc.int16Array(lengths),
  quint16: (lengths) => fc.uint16Array(lengths),
  qint32: (lengths) => fc.int32Array(lengths),
  string: (lengths) => fc.array(fc.uint8Array({ maxLength: 4 }), lengths),
};

function tensorOf<D extends DType>(dtype: D): fc.Arbitrary<Tensor<D>> {
  return shape.chain((dims) => {
    const parts = dtype === "complex64" || dtype === "complex128" ? 2 : 1;
    const length = dims.reduce((product, size) => product * size, parts);
    return arrays[dtype]({ minLength: length, maxLength: length }).map((data) =>
      tensor(dtype, dims, data),
    );
  });
}

/** Tensors of these dtypes, in shapes of up to 64 elements. */
export function tensors(dtypes: readonly DType[]): fc.Arbitrary<Tensor> {
  return fc.oneof(...dtypes.map((dtype) => tensorOf(dtype) as fc.Arbitrary<Tensor>));
}

/** Names: short ones, indices, and any text that has UTF-8. */
export const names: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("", "images", "0", "1", "2", "x"),
  fc.string({ unit: "binary", maxLength: 8 }),
);

/** Requests with up to four tensors; what a dialect has no place for is left out. */
export function requests(
  dtypes: readonly DType[],
  parts: {
    readonly fetches?: fc.Arbitrary<string>;
    readonly signature?: true;
    readonly debug?: true;
  },
): fc.Arbitrary<TensorRequest> {
  return fc.record({
    inputs: namedTensors(dtypes),
    fetches:
      parts.fetches === undefined
        ? fc.constant([])
        : fc.uniqueArray(parts.fetches, { maxLength: 3 }),
    signatureName: parts.signature ? names : fc.constant(""),
    debugLevel: parts.debug ? fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) : fc.constant(0),
  });
}

/** Up to four tensors by name. */
export function namedTensors(dtypes: readonly DType[]): fc.Arbitrary<Map<string, Tensor>> {
  return fc
    .uniqueArray(fc.tuple(names, tensors(dtypes)), { maxLength: 4, selector: ([name]) => name })
    .map((entries) => new Map(entries));
}
