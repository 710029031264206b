import { type ArrayFamily, pytorchArrays, tensorflowArrays } from "./array-family.js";
import { arrayParts, readArray } from "./array-message.js";
import { DecodeBudget } from "./decode-budget.js";
import { FormatError } from "./format-error.js";
import { messageField, type Part, textField } from "./proto-parts.js";
import { mergedMessage, ProtoReader } from "./proto-reader.js";
import type { Tensor } from "./tensor.js";
import { quoted } from "./texts.js";

const KEY = 1;
const VALUE = 2;

/** Tensors by name, as a map field of messages. */
export function arrayMapParts(
  field: number,
  name: string,
  tensors: Iterable<readonly [string, Tensor]>,
  family: ArrayFamily,
): readonly Part[] {
  const parts: Part[] = [];
  for (const [key, tensor] of tensors) {
    const where = (): string => `${name}[${quoted(key)}]`;
    const value = messageField(VALUE, arrayParts(tensor, family, where));
    parts.push(messageField(field, [...textField(KEY, key), value]));
  }
  return parts;
}

/** Reads one entry of a map field of arrays, which the reader has come to. */
export function readArrayEntry(
  parent: ProtoReader,
  name: string,
  family: ArrayFamily,
  tensors: Map<string, Tensor>,
  budget: DecodeBudget,
): void {
  const entry = parent.message(name, parent.path(name));
  let key = "";
  let value: ProtoReader | undefined;
  let values = 0;
  while (entry.next()) {
    if (entry.field === KEY) key = entry.text("key");
    else if (entry.field === VALUE) {
      value = entry.message("value", "");
      values++;
    } else entry.skip();
  }
  const where = `${parent.path(name)}[${quoted(key)}]`;
  if (tensors.has(key)) throw new FormatError(`${where} is there twice`);
  const array =
    value !== undefined && values === 1
      ? new ProtoReader(value.bytes, value.start, value.end, where)
      : mergedMessage(entry, VALUE, "value", where);
  tensors.set(
    key,
    readArray(array ?? new ProtoReader(new Uint8Array(0), 0, 0, where), family, budget),
  );
}

/** A message taken apart. */
export interface SplitMessage {
  /** By name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** The message without them. */
  readonly rest: Uint8Array;
}

/** A map field of arrays. */
export interface ArrayMapField {
  readonly number: number;
  /** As errors call it. */
  readonly name: string;
  /** Whose `ArrayProto` the values are. */
  readonly dialect: "tensorflow" | "pytorch";
}

/**
 * Takes the arrays out of a message that is otherwise read by generated code, which would make lists of numbers of them.
 *
 * @throws FormatError naming the field
 */
export function splitArrayMap(message: Uint8Array, field: ArrayMapField): SplitMessage {
  const family = field.dialect === "tensorflow" ? tensorflowArrays : pytorchArrays;
  const budget = new DecodeBudget();
  const tensors = new Map<string, Tensor>();
  const rest = new Uint8Array(message.length);
  let length = 0;
  const reader = new ProtoReader(message);
  for (let start = 0; reader.next(); start = reader.pos) {
    if (reader.field === field.number) readArrayEntry(reader, field.name, family, tensors, budget);
    else {
      reader.skip();
      rest.set(message.subarray(start, reader.pos), length);
      length += reader.pos - start;
    }
  }
  return { tensors, rest: rest.subarray(0, length) };
}
