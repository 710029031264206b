import { unknownDType } from "./array-family.js";
import { arrayTensor } from "./array-tensor.js";
import { checkedTensor } from "./create-tensor.js";
import { DecodeBudget } from "./decode-budget.js";
import { checkCount, readShape } from "./dims.js";
import { FormatError } from "./format-error.js";
import {
  encodeParts,
  int32Field,
  messageField,
  type Part,
  packedNumbers,
  requiredInt32Field,
  textField,
} from "./proto-parts.js";
import { ProtoReader } from "./proto-reader.js";
import type { Tensor } from "./tensor.js";
import { quoted } from "./texts.js";
import { decodeValues } from "./value-decoder.js";
import { valueParts } from "./value-encoder.js";
import type { ValueField } from "./value-fields.js";
import { ValueRun } from "./value-run.js";

/** A dtype that Blade's messages have a field for. */
export type BladeDType = "float32" | "int32" | "int64" | "string";

/** A tensor in a Blade request. */
export interface BladeInput {
  /** Goes into both of the message's names. */
  readonly name: string;
  readonly batchSize: number;
  readonly tensor: Tensor;
}

/** An output that is wanted of a Blade service. */
export interface BladeFetch {
  /** Goes into both of the message's names. */
  readonly name: string;
  /** Undefined when the caller does not know. */
  readonly dtype: BladeDType | undefined;
}

/** What a Blade service is asked. */
export interface BladeRequestParts {
  readonly signatureName: string;
  readonly inputs: readonly BladeInput[];
  readonly fetches: readonly BladeFetch[];
}

/** A tensor in a Blade answer. */
export interface BladeOutput {
  readonly nameInDlModel: string;
  readonly batchSize: number;
  readonly tensor: Tensor;
}

interface Place {
  readonly number: number;
  readonly field: ValueField;
}

const places: Readonly<Record<BladeDType, Place>> = {
  float32: { number: 1, field: { number: 5, name: "float_val", kind: "float" } },
  int32: { number: 2, field: { number: 6, name: "int_val", kind: "int" } },
  int64: { number: 3, field: { number: 7, name: "int64_val", kind: "int64" } },
  string: { number: 4, field: { number: 8, name: "string_val", kind: "string" } },
};

const dtypeOfField: ReadonlyMap<number, BladeDType> = new Map([
  [5, "float32"],
  [6, "int32"],
  [7, "int64"],
  [8, "string"],
]);

function inputPart({ name, batchSize, tensor: given }: BladeInput): Part {
  const tensor = checkedTensor(given);
  const { dtype } = tensor;
  if (dtype !== "float32" && dtype !== "int32" && dtype !== "int64" && dtype !== "string")
    throw unknownDType(`inputs[${quoted(name)}]`, dtype, "Blade");
  return messageField(2, [
    ...textField(1, name),
    ...textField(2, name),
    requiredInt32Field(3, batchSize),
    messageField(4, packedNumbers(1, tensor.shape)),
    ...valueParts(places[dtype].field.number, tensor),
  ]);
}

function readOutput(
  reader: ProtoReader,
  outputs: Map<string, BladeOutput>,
  budget: DecodeBudget,
): void {
  budget.takeTensor(reader.where);
  let blobName = "";
  let nameInDlModel = "";
  let batchSize: number | undefined;
  let hasShape = false;
  const shape: number[] = [];
  const run = new ValueRun(reader);
  while (reader.next()) {
    const dtype = dtypeOfField.get(reader.field);
    if (dtype !== undefined) run.see(places[dtype].field);
    else if (reader.field === 1) blobName = reader.text("blade_blob_name");
    else if (reader.field === 2) nameInDlModel = reader.text("name_in_dl_model");
    else if (reader.field === 3) batchSize = reader.int32("batchsize");
    else if (reader.field === 4) {
      readShape(reader, "shape", shape);
      hasShape = true;
    } else reader.skip();
  }
  if (batchSize === undefined)
    throw new FormatError(`${reader.path("batchsize")} is missing, which is required`);
  const name = blobName === "" ? nameInDlModel : blobName;
  if (outputs.has(name)) throw new FormatError(`two outputs are called ${quoted(name)}`);
  // An array without elements does not say of what it has none.
  const dtype = dtypeOfField.get(run.field?.number ?? 0) ?? "float32";
  if (!hasShape) shape.push(run.count);
  checkCount(shape, dtype, run.count, reader.path("shape"), run.path);
  const tensor = arrayTensor(dtype, shape, decodeValues(run, dtype, budget));
  outputs.set(name, { nameInDlModel, batchSize, tensor });
}

/** Blade's messages, as its clients need them. */
export const bladeMessages: {
  /** @throws ConfigError `INVALID_OPTION` for a dtype that the messages have no field for. */
  encodeRequest(request: BladeRequestParts): Uint8Array;
  /**
   * By `blade_blob_name`, or by the other name where that is empty.
   *
   * @throws FormatError naming the field.
   */
  decodeResponse(message: Uint8Array): ReadonlyMap<string, BladeOutput>;
} = {
  encodeRequest({ signatureName, inputs, fetches }) {
    return encodeParts([
      ...textField(1, signatureName),
      ...inputs.map(inputPart),
      ...fetches.map(({ name, dtype }) =>
        messageField(3, [
          ...textField(1, name),
          ...textField(2, name),
          ...int32Field(3, dtype === undefined ? 0 : places[dtype].number),
        ]),
      ),
    ]);
  },

  decodeResponse(message) {
    const reader = new ProtoReader(message);
    const budget = new DecodeBudget();
    const outputs = new Map<string, BladeOutput>();
    for (let index = 0; reader.next(); ) {
      if (reader.field === 1)
        readOutput(reader.message("outputs", `outputs[${index++}]`), outputs, budget);
      else reader.skip();
    }
    return outputs;
  },
};
