import { didYouMean } from "../core/nearest.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import { arrayTensor, isArrayTensor } from "./array-tensor.js";
import type { DType, TensorArrays } from "./dtype.js";
import {
  arrayMakers,
  bigRanges,
  dtypeNames,
  entriesPerElement,
  integerRanges,
  isDType,
  type NumericArray,
  type NumericDType,
} from "./dtype-table.js";
import { bfloat16FromFloat32, float16FromFloat32 } from "./float16.js";
import { elementCount, MAX_DIMENSIONS, shapeText } from "./shape.js";
import type { Tensor } from "./tensor.js";
import { textToBytes } from "./texts.js";

/** What the elements of a tensor may be given as. An array of the dtype's own kind is kept, not copied. */
export type TensorValues<D extends DType = DType> =
  | TensorArrays[D]
  | (D extends "string"
      ? readonly (string | Uint8Array)[]
      : D extends "bool"
        ? readonly boolean[]
        : D extends "int64" | "uint64"
          ? readonly bigint[] | readonly number[]
          : D extends "float16" | "bfloat16"
            ? Float32Array | readonly number[]
            : readonly number[]);

function invalid(text: string): ServingError {
  return servingError("INVALID_OPTION", text);
}

function seen(value: unknown): string {
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name}`;
  if (typeof value === "string") return "a string";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" || typeof value === "function" ? typeof value : String(value);
}

function notAsExpected(where: string, value: unknown, expected: string): ServingError {
  return invalid(`${where} is ${seen(value)}, expected ${expected}`);
}

/** Checks each value and puts it where it belongs. */
function filled<A extends NumericArray, V extends A[number]>(
  array: A,
  values: readonly unknown[],
  convert: (value: unknown) => V | undefined,
  expected: string,
): A {
  for (let i = 0; i < array.length; i++) {
    const value = convert(values[i]);
    if (value === undefined) throw notAsExpected(`values[${i}]`, values[i], expected);
    array[i] = value;
  }
  return array;
}

const asNumber = (value: unknown): number | undefined =>
  typeof value === "number" ? value : undefined;

const asBit = (value: unknown): number | undefined => {
  if (value === true || value === 1) return 1;
  return value === false || value === 0 ? 0 : undefined;
};

function bigIntegers(dtype: "int64" | "uint64", values: readonly unknown[]): NumericArray {
  const { least = 0n, greatest = 0n } = bigRanges.get(dtype) ?? {};
  const convert = (value: unknown): bigint | undefined => {
    const big = Number.isSafeInteger(value) ? BigInt(Number(value)) : value;
    return typeof big === "bigint" && big >= least && big <= greatest ? big : undefined;
  };
  const expected = `a bigint or a safe integer from ${least} to ${greatest}`;
  return filled(new arrayMakers[dtype](values.length), values, convert, expected);
}

function numbers(dtype: NumericDType, values: readonly unknown[]): NumericArray {
  if (dtype === "int64" || dtype === "uint64") return bigIntegers(dtype, values);
  const array = new arrayMakers[dtype](values.length);
  if (dtype === "bool") return filled(array, values, asBit, "true or false");
  const range = integerRanges.get(dtype);
  if (range !== undefined) {
    const { least, greatest } = range;
    const inRange = (value: unknown): number | undefined =>
      typeof value === "number" && Number.isInteger(value) && value >= least && value <= greatest
        ? value
        : undefined;
    return filled(array, values, inRange, `a whole number from ${least} to ${greatest}`);
  }
  if (dtype !== "float16" && dtype !== "bfloat16")
    return filled(array, values, asNumber, "a number");
  const wide = new Float64Array(values.length);
  return rounded(dtype, Array.from(filled(wide, values, asNumber, "a number")));
}

function rounded(
  dtype: "float16" | "bfloat16",
  values: Float32Array | readonly number[],
): Uint16Array {
  return dtype === "float16" ? float16FromFloat32(values) : bfloat16FromFloat32(values);
}

function strings(values: readonly unknown[]): Uint8Array[] {
  return Array.from(values, (value, index) => {
    if (typeof value === "string") return textToBytes(value);
    if (value instanceof Uint8Array) return value;
    throw notAsExpected(`values[${index}]`, value, "a string or a Uint8Array");
  });
}

function isKind<D extends NumericDType>(dtype: D, values: unknown): values is TensorArrays[D] {
  // Not instanceof: arrays of other realms are as good, and a Buffer is a Uint8Array.
  return (
    ArrayBuffer.isView(values) &&
    Reflect.get(values, Symbol.toStringTag) === arrayMakers[dtype].name
  );
}

function elementsOf(dtype: DType, values: unknown): TensorArrays[DType] {
  if (dtype === "string") {
    if (Array.isArray(values)) return strings(values);
    throw notAsExpected("values", values, "an array of strings or Uint8Arrays");
  }
  if (isKind(dtype, values)) {
    if (dtype === "bool") {
      const wrong = values.findIndex((value) => value > 1);
      if (wrong >= 0) throw invalid(`values[${wrong}] is ${values[wrong]}, expected 0 or 1`);
    }
    return values;
  }
  if ((dtype === "float16" || dtype === "bfloat16") && values instanceof Float32Array)
    return rounded(dtype, values);
  if (Array.isArray(values)) return numbers(dtype, values);
  const kind = arrayMakers[dtype].name;
  throw notAsExpected(`values of ${dtype}`, values, `${kind} or a plain array`);
}

/** Before their number is looked at: that of the lists in a list would not tell what is wrong. */
function refuseNested(dtype: DType, values: unknown): void {
  const first: unknown = Array.isArray(values) ? values[0] : undefined;
  if (Array.isArray(first) || (dtype !== "string" && ArrayBuffer.isView(first)))
    throw notAsExpected("values[0]", first, "flat values, in row-major order");
}

function checkedCount(shape: readonly number[]): number {
  if (!Array.isArray(shape)) throw notAsExpected("shape", shape, "an array of dimensions");
  if (shape.length > MAX_DIMENSIONS)
    throw invalid(`shape has ${shape.length} dimensions, expected at most ${MAX_DIMENSIONS}`);
  for (const [index, size] of shape.entries()) {
    if (!Number.isSafeInteger(size) || size < 0)
      throw notAsExpected(`shape[${index}]`, size, "a whole number, not negative");
  }
  const count = elementCount(shape);
  if (count === undefined)
    throw invalid(`shape ${shapeText(shape)} has more elements than can be counted`);
  return count;
}

/**
 * Puts numbers or texts in a shape.
 *
 * A typed array of the dtype's own kind is kept, not copied: who changes it changes the tensor. Plain arrays are converted, and
 * each value is checked against the dtype's range. `float16` and `bfloat16` take a Float32Array or numbers, rounded to nearest with
 * ties to even, or a Uint16Array of their bits. Complex numbers take real and imaginary part in turn.
 *
 * @param shape - size of each dimension, outermost first; empty for a single value
 * @param values - the elements in row-major order; as many as the shape has, twice as many for complex numbers
 * @throws ConfigError `INVALID_OPTION` saying what does not fit
 * @example
 * ```ts
 * const images = tensor("float32", [1, 784], new Float32Array(784));
 * const words = tensor("string", [2], ["good", "bad"]);
 * ```
 */
export function tensor<D extends DType>(
  dtype: D,
  shape: readonly number[],
  values: TensorValues<D>,
): Tensor<D>;
export function tensor(dtype: DType, shape: readonly number[], values: TensorValues): Tensor {
  if (!isDType(dtype))
    throw invalid(`dtype is ${String(dtype)}${didYouMean(String(dtype), dtypeNames)}`);
  const count = checkedCount(shape);
  refuseNested(dtype, values);
  const wanted = count * entriesPerElement(dtype);
  if (values?.length !== undefined && values.length !== wanted) {
    const parts = wanted === count ? "" : ` (${count} pairs)`;
    throw invalid(
      `${values.length} values, but shape ${shapeText(shape)} of ${dtype} has ${wanted}${parts}`,
    );
  }
  return arrayTensor(dtype, [...shape], elementsOf(dtype, values));
}

/** Checks that what somebody gives for a tensor is one; a tensor that the kit made is not looked at again. */
export function checkedTensor(given: Tensor): Tensor {
  return isArrayTensor(given) ? given : tensor(given.dtype, given.shape, given.data);
}
