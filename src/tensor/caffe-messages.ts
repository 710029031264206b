import { unknownDType } from "./array-family.js";
import { arrayTensor } from "./array-tensor.js";
import { checkedTensor } from "./create-tensor.js";
import { DecodeBudget } from "./decode-budget.js";
import { checkCount, readShape } from "./dims.js";
import { FormatError } from "./format-error.js";
import {
  encodeParts,
  messageField,
  type Part,
  packedFixed,
  packedNumbers,
  textElement,
} from "./proto-parts.js";
import { ProtoReader } from "./proto-reader.js";
import type { Tensor } from "./tensor.js";
import { quoted } from "./texts.js";
import { decodeValues } from "./value-decoder.js";
import type { ValueField } from "./value-fields.js";
import { ValueRun } from "./value-run.js";

/** What a Caffe service is asked. */
export interface CaffeRequestParts {
  /** Of dtype `float32`; there is no other. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Outputs that are wanted. */
  readonly fetches: readonly string[];
}

const dataField: ValueField = { number: 2, name: "data", kind: "float" };

function inputPart([name, given]: readonly [string, Tensor]): Part {
  const tensor = checkedTensor(given);
  if (tensor.dtype !== "float32")
    throw unknownDType(`input_data[${quoted(name)}]`, tensor.dtype, "Caffe");
  return messageField(2, [
    messageField(1, packedNumbers(1, tensor.shape)),
    ...packedFixed(dataField.number, tensor.data),
  ]);
}

function readArray(reader: ProtoReader, budget: DecodeBudget): Tensor {
  budget.takeTensor(reader.where);
  let hasShape = false;
  const shape: number[] = [];
  const run = new ValueRun(reader);
  while (reader.next()) {
    if (reader.field === dataField.number) run.see(dataField);
    else if (reader.field === 1) {
      readShape(reader, "shape", shape);
      hasShape = true;
    } else reader.skip();
  }
  if (!hasShape) shape.push(run.count);
  checkCount(shape, "float32", run.count, reader.path("shape"), reader.path(dataField.name));
  return arrayTensor("float32", shape, decodeValues(run, "float32", budget));
}

/** Caffe's messages, as its clients need them; names and arrays are two lists. */
export const caffeMessages: {
  /** @throws ConfigError `INVALID_OPTION` for another dtype than `float32`. */
  encodeRequest(request: CaffeRequestParts): Uint8Array;
  /** @throws FormatError naming the field. */
  decodeResponse(message: Uint8Array): ReadonlyMap<string, Tensor>;
} = {
  encodeRequest({ inputs, fetches }) {
    return encodeParts([
      ...Array.from(inputs.keys(), (name) => textElement(1, name)),
      ...Array.from(inputs, inputPart),
      ...fetches.map((name) => textElement(3, name)),
    ]);
  },

  decodeResponse(message) {
    const reader = new ProtoReader(message);
    const budget = new DecodeBudget();
    const names = new Set<string>();
    const arrays: Tensor[] = [];
    while (reader.next()) {
      if (reader.field === 1) {
        const name = reader.text("output_name");
        budget.takeStrings(1, "output_name");
        if (names.has(name)) throw new FormatError(`output_name has ${quoted(name)} twice`);
        names.add(name);
      } else if (reader.field === 2)
        arrays.push(
          readArray(reader.message("output_data", `output_data[${arrays.length}]`), budget),
        );
      else reader.skip();
    }
    if (names.size !== arrays.length)
      throw new FormatError(
        `output_data has ${arrays.length} arrays, but output_name has ${names.size} names`,
      );
    return new Map(Array.from(names, (name, index) => [name, arrays[index] as Tensor]));
  },
};
