import { pytorchArrays } from "./array-family.js";
import { arrayMapParts, readArrayEntry } from "./array-map.js";
import { arrayParts, readArray } from "./array-message.js";
import { DecodeBudget } from "./decode-budget.js";
import { FormatError } from "./format-error.js";
import { encodeParts, int32Field, messageField, type Part, packedNumbers } from "./proto-parts.js";
import { ProtoReader, WireType } from "./proto-reader.js";
import type { Tensor } from "./tensor.js";

/** Tensors as PyTorch's messages have them. */
export interface ListAndMap {
  /** Those without names; undefined is an empty message, with which Python's client fills up to an index. */
  readonly list: readonly (Tensor | undefined)[];
  /** Those with names. */
  readonly named: ReadonlyMap<string, Tensor>;
}

/** What a PyTorch service is asked. */
export interface PytorchRequestParts extends ListAndMap {
  /** Indices of the outputs that are wanted; all of them when empty. */
  readonly fetches: readonly number[];
  readonly debugLevel: number;
}

const LIST = 1;

function listParts(list: ListAndMap["list"], name: string): readonly Part[] {
  return list.map((tensor, index) => {
    const where = (): string => `${name}[${index}]`;
    return messageField(LIST, tensor === undefined ? [] : arrayParts(tensor, pytorchArrays, where));
  });
}

/** The arrays of a message, as they are read. */
class ReadArrays implements ListAndMap {
  readonly list: (Tensor | undefined)[] = [];
  readonly named: Map<string, Tensor> = new Map();
  readonly budget: DecodeBudget = new DecodeBudget();

  readElement(reader: ProtoReader, name: string): void {
    const where = `${name}[${this.list.length}]`;
    const array = reader.message(name, where);
    if (array.start < array.end) this.list.push(readArray(array, pytorchArrays, this.budget));
    else {
      this.budget.takeTensor(where);
      this.list.push(undefined);
    }
  }

  readEntry(reader: ProtoReader, name: string): void {
    readArrayEntry(reader, name, pytorchArrays, this.named, this.budget);
  }
}

function readFetches(reader: ProtoReader, fetches: Set<number>, budget: DecodeBudget): void {
  const end = reader.valuesEnd(WireType.VARINT, "output_filter");
  while (reader.pos < end) {
    reader.varintIn(end, "output_filter");
    const index = reader.low | 0;
    if (index < 0)
      throw new FormatError(`output_filter has ${index}, expected the index of an output`);
    // Each would be answered with the whole output once more.
    if (fetches.has(index)) throw new FormatError(`output_filter has ${index} twice`);
    budget.takeStrings(1, "output_filter");
    fetches.add(index);
  }
}

/** PyTorch's messages: tensors are in a list, those with names in a map. */
export const pytorchMessages: {
  /** @throws ConfigError `INVALID_OPTION` for a dtype that the messages have no field for. */
  encodeRequest(request: PytorchRequestParts): Uint8Array;
  /** @throws FormatError naming the field. */
  decodeRequest(message: Uint8Array): PytorchRequestParts;
  /** @throws ConfigError `INVALID_OPTION` for a dtype that the messages have no field for. */
  encodeResponse(outputs: ListAndMap): Uint8Array;
  /** @throws FormatError naming the field. */
  decodeResponse(message: Uint8Array): ListAndMap;
} = {
  encodeRequest({ list, named, fetches, debugLevel }) {
    return encodeParts([
      ...listParts(list, "inputs"),
      ...packedNumbers(2, fetches),
      ...arrayMapParts(3, "map_inputs", named, pytorchArrays),
      ...int32Field(100, debugLevel),
    ]);
  },

  decodeRequest(message) {
    const reader = new ProtoReader(message);
    const inputs = new ReadArrays();
    const fetches = new Set<number>();
    let debugLevel = 0;
    while (reader.next()) {
      if (reader.field === LIST) inputs.readElement(reader, "inputs");
      else if (reader.field === 2) readFetches(reader, fetches, inputs.budget);
      else if (reader.field === 3) inputs.readEntry(reader, "map_inputs");
      else if (reader.field === 100) debugLevel = reader.int32("debug_level");
      else reader.skip();
    }
    const { list, named } = inputs;
    return { list, named, fetches: [...fetches], debugLevel };
  },

  encodeResponse({ list, named }) {
    return encodeParts([
      ...listParts(list, "outputs"),
      ...arrayMapParts(2, "map_outputs", named, pytorchArrays),
    ]);
  },

  decodeResponse(message) {
    const reader = new ProtoReader(message);
    const outputs = new ReadArrays();
    while (reader.next()) {
      if (reader.field === LIST) outputs.readElement(reader, "outputs");
      else if (reader.field === 2) outputs.readEntry(reader, "map_outputs");
      else reader.skip();
    }
    return outputs;
  },
};
