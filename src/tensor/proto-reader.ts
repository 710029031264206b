import { FormatError } from "./format-error.js";
import { textFrom } from "./texts.js";

/** How a field's bytes end, from its tag. */
export const WireType = {
  VARINT: 0,
  FIXED64: 1,
  LENGTH: 2,
  GROUP: 3,
  END_GROUP: 4,
  FIXED32: 5,
} as const;
export type WireType = (typeof WireType)[keyof typeof WireType];

const MAX_GROUP_DEPTH = 100;
const MAX_ASCII = 64;

/**
 * Goes through the fields of one protobuf message, or of a part of it. The messages that are read with it nest to a fixed depth:
 * nothing here calls itself.
 */
export class ProtoReader {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** What the message is called in errors: `inputs["images"]`; empty for the whole. */
  readonly where: string;
  /** Where the next byte is read. */
  pos: number;
  /** Number and wire type of the field that {@link next} came to. */
  field = 0;
  wireType = 0;
  /** The two halves of the last varint. */
  low = 0;
  high = 0;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length, where = "") {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.where = where;
    this.pos = start;
  }

  /** The name of a field of this message in errors. */
  path(name: string): string {
    return this.where === "" ? name : `${this.where}.${name}`;
  }

  #malformed(text: string): FormatError {
    return new FormatError(`${this.where === "" ? "message" : this.where}: ${text}`);
  }

  /** Reads the tag of the next field; false at the end of the message. */
  next(): boolean {
    if (this.pos >= this.end) return false;
    this.varint();
    this.field = this.low >>> 3;
    this.wireType = this.low & 7;
    if (this.high !== 0 || this.field === 0)
      throw this.#malformed(`no field can have the tag before byte ${this.pos}`);
    return true;
  }

  /** Reads a varint into `low` and `high`; both without sign. */
  varint(): void {
    const { bytes, end } = this;
    let pos = this.pos;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (pos >= end) throw this.#malformed(`cut short in a number at byte ${end}`);
      const byte = bytes[pos++] ?? 0;
      const part = byte & 0x7f;
      if (shift < 28) low |= part << shift;
      else if (shift === 28) {
        low |= part << 28;
        high = part >>> 4;
      } else high |= part << (shift - 32);
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        this.pos = pos;
        return;
      }
    }
    throw this.#malformed(`a number longer than 10 bytes before byte ${pos}`);
  }

  /** Reads a varint of a packed field, which ends where the field does or before. */
  varintIn(end: number, name: string): void {
    this.varint();
    if (this.pos > end) throw new FormatError(`${this.path(name)} is cut short in a number`);
  }

  /** Reads the field as an int32, as protobuf does: the lower half of the varint. */
  int32(name: string): number {
    this.expect(WireType.VARINT, name);
    this.varint();
    return this.low | 0;
  }

  /** Throws unless the field has this wire type. */
  expect(wireType: WireType, name: string): void {
    if (this.wireType !== wireType)
      throw new FormatError(
        `${this.path(name)} has wire type ${this.wireType}, expected ${wireType}`,
      );
  }

  /** Reads how long the field is; its bytes are there. */
  length(name: string): number {
    this.expect(WireType.LENGTH, name);
    this.varint();
    if (this.high !== 0 || this.low > this.end - this.pos)
      throw new FormatError(
        `${this.path(name)} is cut short: ${this.high * 2 ** 32 + this.low} bytes long, ${this.end - this.pos} are left`,
      );
    return this.low;
  }

  /** The field as a message, to be read by a reader of its own; this one goes on behind it. */
  message(name: string, where: string): ProtoReader {
    const length = this.length(name);
    const start = this.pos;
    this.pos += length;
    return new ProtoReader(this.bytes, start, this.pos, where);
  }

  /** The field's bytes; not a copy. */
  view(name: string): Uint8Array {
    const length = this.length(name);
    this.pos += length;
    return this.bytes.subarray(this.pos - length, this.pos);
  }

  /** The field as text. */
  text(name: string): string {
    const view = this.view(name);
    const text = asciiText(view) ?? textFrom(view);
    if (text === undefined) throw new FormatError(`${this.path(name)} is not UTF-8`);
    return text;
  }

  /**
   * Where this occurrence of a repeated field ends, packed or not; `pos` is at its first value.
   *
   * @param wireType - of one value that is not packed
   */
  valuesEnd(wireType: WireType, name: string): number {
    if (this.wireType === WireType.LENGTH) return this.#packedEnd(wireType, name);
    this.expect(wireType, name);
    const start = this.pos;
    this.skip();
    const end = this.pos;
    this.pos = start;
    return end;
  }

  #packedEnd(wireType: WireType, name: string): number {
    const length = this.length(name);
    const size = unitBytes(wireType);
    if (length % size !== 0)
      throw new FormatError(
        `${this.path(name)} has ${length} bytes, expected a multiple of ${size}`,
      );
    return this.pos + length;
  }

  /** Goes behind a field that nobody wants. */
  skip(): void {
    if (this.wireType === WireType.GROUP) this.#skipGroup();
    else this.#skipPlain();
  }

  #skipPlain(): void {
    switch (this.wireType) {
      case WireType.VARINT:
        this.varint();
        return;
      case WireType.LENGTH:
        this.varint();
        if (this.high !== 0 || this.low > this.end - this.pos)
          throw this.#malformed(`field ${this.field} is cut short at byte ${this.end}`);
        this.pos += this.low;
        return;
      case WireType.FIXED32:
      case WireType.FIXED64: {
        const size = unitBytes(this.wireType);
        if (this.end - this.pos < size)
          throw this.#malformed(`field ${this.field} is cut short at byte ${this.end}`);
        this.pos += size;
        return;
      }
      case WireType.END_GROUP:
        throw this.#malformed(`field ${this.field} ends a group that did not begin`);
      default:
        throw this.#malformed(`field ${this.field} has wire type ${this.wireType}, which is none`);
    }
  }

  #skipGroup(): void {
    const open = [this.field];
    while (open.length > 0) {
      if (!this.next()) throw this.#malformed(`group ${open.at(-1)} has no end`);
      if (this.wireType === WireType.GROUP) {
        if (open.length === MAX_GROUP_DEPTH)
          throw this.#malformed(`groups in more than ${MAX_GROUP_DEPTH} groups`);
        open.push(this.field);
      } else if (this.wireType === WireType.END_GROUP) {
        const began = open.pop();
        if (began !== this.field)
          throw this.#malformed(`group ${began} ends as group ${this.field}`);
      } else this.#skipPlain();
    }
  }
}

/** What the length of packed values is a multiple of. */
export function unitBytes(wireType: WireType): 1 | 4 | 8 {
  if (wireType === WireType.FIXED32) return 4;
  return wireType === WireType.FIXED64 ? 8 : 1;
}

/** Short names in a fraction of the time that a TextDecoder takes. */
function asciiText(bytes: Uint8Array): string | undefined {
  if (bytes.length > MAX_ASCII) return undefined;
  let text = "";
  for (const byte of bytes) {
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/**
 * A submessage that is there several times as one that says the same: protobuf merges them, which is what reading their bytes one
 * behind the other does.
 *
 * @param parent - read from its start
 * @returns undefined when it is not there at all
 */
export function mergedMessage(
  parent: ProtoReader,
  field: number,
  name: string,
  where: string,
): ProtoReader | undefined {
  let only: ProtoReader | undefined;
  let total = 0;
  let count = 0;
  const first = new ProtoReader(parent.bytes, parent.start, parent.end, parent.where);
  while (first.next()) {
    if (first.field !== field) first.skip();
    else {
      only = first.message(name, where);
      total += only.end - only.start;
      count++;
    }
  }
  if (count < 2) return only;
  const merged = new Uint8Array(total);
  const second = new ProtoReader(parent.bytes, parent.start, parent.end, parent.where);
  let at = 0;
  while (second.next()) {
    if (second.field !== field) second.skip();
    else {
      const part = second.view(name);
      merged.set(part, at);
      at += part.length;
    }
  }
  return new ProtoReader(merged, 0, total, where);
}
