import { type ArrayFamily, dtypeNumberText, unknownDType } from "./array-family.js";
import { arrayTensor } from "./array-tensor.js";
import { checkedTensor } from "./create-tensor.js";
import type { DecodeBudget } from "./decode-budget.js";
import { checkCount, readShape } from "./dims.js";
import { FormatError } from "./format-error.js";
import { messageField, type Part, packedNumbers, requiredInt32Field } from "./proto-parts.js";
import type { ProtoReader } from "./proto-reader.js";
import type { Tensor } from "./tensor.js";
import { decodeValues } from "./value-decoder.js";
import { valueParts } from "./value-encoder.js";
import { hasField } from "./value-fields.js";
import { ValueRun } from "./value-run.js";

const DTYPE = 1;
const SHAPE = 2;

/**
 * The parts of an `ArrayProto` of TensorFlow's or PyTorch's kind.
 *
 * @param where - tells what it is called in errors; only then asked
 */
export function arrayParts(
  given: Tensor,
  family: ArrayFamily,
  where: () => string,
): readonly Part[] {
  const tensor = checkedTensor(given);
  const place = family.dtypes.get(tensor.dtype);
  if (place === undefined || !hasField(tensor))
    throw unknownDType(where(), tensor.dtype, family.title);
  return [
    requiredInt32Field(DTYPE, place.number),
    messageField(SHAPE, packedNumbers(1, tensor.shape)),
    ...valueParts(place.field.number, tensor),
  ];
}

/**
 * Reads an `ArrayProto` of TensorFlow's or PyTorch's kind.
 *
 * @throws FormatError naming the field
 */
export function readArray(reader: ProtoReader, family: ArrayFamily, budget: DecodeBudget): Tensor {
  budget.takeTensor(reader.where);
  let number = 0;
  const shape: number[] = [];
  const run = new ValueRun(reader);
  while (reader.next()) {
    const field = family.fields.get(reader.field);
    if (field !== undefined) run.see(field);
    else if (reader.field === DTYPE) number = reader.int32("dtype");
    else if (reader.field === SHAPE) readShape(reader, "array_shape", shape);
    else reader.skip();
  }
  const dtype = family.numbers.get(number);
  const expected = dtype === undefined ? undefined : family.dtypes.get(dtype)?.field;
  if (dtype === undefined || expected === undefined)
    throw new FormatError(
      `${reader.path("dtype")} is ${dtypeNumberText(number)}, which is no dtype of ${family.title} messages`,
    );
  if (run.field !== undefined && run.field !== expected)
    throw new FormatError(
      `${reader.path(run.field.name)} has values, but those of ${dtype} belong in ${expected.name}`,
    );
  checkCount(shape, dtype, run.count, reader.path("array_shape"), reader.path(expected.name));
  return arrayTensor(dtype, shape, decodeValues(run, dtype, budget));
}
