import type { DecodeBudget } from "./decode-budget.js";
import { FormatError } from "./format-error.js";
import { ProtoReader, unitBytes, WireType } from "./proto-reader.js";
import { type ValueField, wireTypes } from "./value-fields.js";

/** A stretch of a message's bytes that holds numbers. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/**
 * The elements of one array as they lie in the message: usually one packed stretch, but protobuf allows several, and elements one by
 * one. They are counted before anything is allocated for them.
 */
export class ValueRun {
  /** The field that they are in; undefined when there are none. */
  field: ValueField | undefined;
  /** Numbers, or strings. */
  count = 0;
  /** The stretch that holds all of them, when there is only one. */
  only: Stretch | undefined;
  #stretches = 0;
  readonly #reader: ProtoReader;

  /** @param reader - of the array's message */
  constructor(reader: ProtoReader) {
    this.#reader = reader;
  }

  /** The message that the stretches are in. */
  get bytes(): Uint8Array {
    return this.#reader.bytes;
  }

  /** What the field is called in errors; without one, the array. */
  get path(): string {
    const { where } = this.#reader;
    return this.field === undefined ? where : this.#reader.path(this.field.name);
  }

  /** Takes note of an occurrence of a field of values, which the reader has come to, and goes behind it. */
  see(field: ValueField): void {
    const reader = this.#reader;
    const wireType = wireTypes[field.kind];
    const end = reader.valuesEnd(wireType, field.name);
    const { bytes, pos: start } = reader;
    reader.pos = end;
    if (field.kind === "string") this.#add(field, 1);
    else if (end > start) {
      const isVarint = wireType === WireType.VARINT;
      this.#add(
        field,
        isVarint ? varintsIn(bytes, start, end) : (end - start) / unitBytes(wireType),
      );
      this.only = this.#stretches === 1 ? { start, end } : undefined;
    }
  }

  #add(field: ValueField, count: number): void {
    if (this.field !== undefined && this.field !== field)
      throw new FormatError(
        `${this.#reader.path(field.name)} has values, and ${this.field.name} has some too`,
      );
    this.field = field;
    this.count += count;
    this.#stretches++;
  }

  /** Goes through the stretches in order. */
  forEach(take: (stretch: Stretch, reader: ProtoReader) => void): void {
    const { field } = this;
    if (field === undefined) return;
    const { bytes, start, end, where } = this.#reader;
    const reader = new ProtoReader(bytes, start, end, where);
    while (reader.next()) {
      if (reader.field !== field.number) reader.skip();
      else {
        const stretchEnd = reader.valuesEnd(wireTypes[field.kind], field.name);
        take({ start: reader.pos, end: stretchEnd }, reader);
        reader.pos = stretchEnd;
      }
    }
  }

  /** All strings, as views over the message. */
  strings(budget: DecodeBudget): Uint8Array[] {
    budget.takeStrings(this.count, this.path);
    const { buffer, byteOffset, length } = this.#reader.bytes;
    // Parts of a Buffer would be Buffers, which numbers are not either.
    const bytes = new Uint8Array(buffer, byteOffset, length);
    const empty = bytes.subarray(0, 0);
    const strings: Uint8Array[] = [];
    this.forEach(({ start, end }) => {
      strings.push(start === end ? empty : bytes.subarray(start, end));
    });
    return strings;
  }
}

/** How many varints a stretch has room for: their last bytes are below 128. */
function varintsIn(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let pos = start; pos < end; pos++) if ((bytes[pos] ?? 0) < 0x80) count++;
  return count;
}
