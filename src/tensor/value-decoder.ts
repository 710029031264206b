import { arrayOver, copyIntoArray, hostIsLittleEndian, wordsOf } from "./bulk.js";
import type { DecodeBudget } from "./decode-budget.js";
import type { DType, TensorArrays } from "./dtype.js";
import { type ArrayMaker, arrayMakers, integerRanges, type NumericArray } from "./dtype-table.js";
import { bfloat16FromFloat32, float16FromFloat32 } from "./float16.js";
import { FormatError } from "./format-error.js";
import type { ProtoReader } from "./proto-reader.js";
import type { FieldDType } from "./value-fields.js";
import type { Stretch, ValueRun } from "./value-run.js";

/** Numbers of fixed length: a view where it can be. */
export function fixedNumbers<A extends NumericArray>(
  run: ValueRun,
  maker: ArrayMaker<A>,
  littleEndian: boolean = hostIsLittleEndian,
): A {
  const { bytes, only } = run;
  if (only !== undefined) return arrayOver(bytes, only.start, only.end, maker, littleEndian);
  const array = new maker(run.count);
  let at = 0;
  run.forEach(({ start, end }) => {
    copyIntoArray(bytes.subarray(start, end), array, at, littleEndian);
    at += end - start;
  });
  return array;
}

function eachVarint(run: ValueRun, take: (reader: ProtoReader) => void): void {
  const name = run.field?.name ?? "";
  run.forEach(({ end }: Stretch, reader) => {
    while (reader.pos < end) {
      reader.varintIn(end, name);
      take(reader);
    }
  });
}

function integers<A extends Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array>(
  run: ValueRun,
  dtype: DType,
  array: A,
): A {
  const { least = 0, greatest = 0 } = integerRanges.get(dtype) ?? {};
  let index = 0;
  eachVarint(run, (reader) => {
    const value = reader.low | 0;
    if (value < least || value > greatest)
      throw new FormatError(
        `${run.path}[${index}] is ${value}, expected ${least} to ${greatest} for ${dtype}`,
      );
    array[index++] = value;
  });
  return array;
}

function booleans(run: ValueRun): Uint8Array {
  const array = new Uint8Array(run.count);
  let index = 0;
  eachVarint(run, ({ low, high }) => {
    array[index++] = low === 0 && high === 0 ? 0 : 1;
  });
  return array;
}

/** 64-bit integers, in the order of the host's memory. */
export function int64s(run: ValueRun, littleEndian: boolean = hostIsLittleEndian): BigInt64Array {
  const array = new BigInt64Array(run.count);
  const { words, lowAt } = wordsOf(array, littleEndian);
  let index = 0;
  eachVarint(run, ({ low, high }) => {
    words[index + lowAt] = low;
    words[index + 1 - lowAt] = high;
    index += 2;
  });
  return array;
}

/** The elements of a run, whose number has been checked, as the array of a dtype that has its values in the run's field. */
export function decodeValues<D extends FieldDType>(
  run: ValueRun,
  dtype: D,
  budget: DecodeBudget,
): TensorArrays[D];
export function decodeValues(
  run: ValueRun,
  dtype: FieldDType,
  budget: DecodeBudget,
): TensorArrays[FieldDType] {
  switch (dtype) {
    case "string":
      return run.strings(budget);
    case "bool":
      return booleans(run);
    case "int64":
      budget.takeIntegers(run.count, BigInt64Array.BYTES_PER_ELEMENT, run.path);
      return int64s(run);
    case "float16":
      return float16FromFloat32(fixedNumbers(run, arrayMakers.float32));
    case "bfloat16":
      return bfloat16FromFloat32(fixedNumbers(run, arrayMakers.float32));
    case "float32":
    case "float64":
    case "complex64":
    case "complex128":
      return fixedNumbers<Float32Array | Float64Array>(run, arrayMakers[dtype]);
    default: {
      const maker = arrayMakers[dtype];
      budget.takeIntegers(run.count, maker.BYTES_PER_ELEMENT, run.path);
      return integers(run, dtype, new maker(run.count));
    }
  }
}
