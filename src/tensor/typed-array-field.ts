import { arrayOver, bytesOf, copyIntoArray, hostIsLittleEndian, writeArray } from "./bulk.js";
import type { ArrayMaker, NumericArray } from "./dtype-table.js";
import { FormatError } from "./format-error.js";

/** Fewest entries that there is room for once a field comes in more than one part. */
const LEAST_ROOM = 16;

/**
 * Puts together a repeated field of fixed-width numbers while a message is decoded; generated code does. protobuf allows a field
 * to come packed, value by value, or in any mixture. One packed part, which is what everybody sends, is a view over the message
 * where it is aligned; of several, the array is made in memory that grows by doubling.
 */
export class TypedArrayParts<A extends NumericArray> {
  readonly #maker: ArrayMaker<A>;
  readonly #field: string;
  readonly #littleEndian: boolean;
  #array: A | undefined;
  #length = 0;
  /** Memory of our own with room for more, once there is more than one part. */
  #room: DataView<ArrayBuffer> | undefined;

  /**
   * @param maker - the kind of array
   * @param field - full name of the field, for errors
   * @param littleEndian - byte order of this machine
   */
  constructor(maker: ArrayMaker<A>, field: string, littleEndian: boolean = hostIsLittleEndian) {
    this.#maker = maker;
    this.#field = field;
    this.#littleEndian = littleEndian;
  }

  /**
   * Takes a packed part.
   *
   * @param bytes - its little-endian numbers; they are not copied where they are aligned, and must not change
   * @throws FormatError when they are no whole number of values.
   */
  packed(bytes: Uint8Array): void {
    const { BYTES_PER_ELEMENT: size } = this.#maker;
    if (bytes.length % size !== 0) {
      throw new FormatError(
        `${this.#field} has ${bytes.length} bytes, expected a multiple of ${size}`,
      );
    }
    const count = bytes.length / size;
    if (this.#length === 0) {
      this.#array = arrayOver(bytes, 0, bytes.length, this.#maker, this.#littleEndian);
    } else {
      const room = this.#roomFor(count);
      const target = new this.#maker(room.buffer, this.#length * size, count);
      copyIntoArray(bytes, target, 0, this.#littleEndian);
    }
    this.#length += count;
  }

  /**
   * Takes a value that came by itself.
   *
   * @param bits - read as a fixed32 or fixed64, whatever number they are
   */
  single(bits: number | bigint | string): void {
    const { BYTES_PER_ELEMENT: size } = this.#maker;
    const room = this.#roomFor(1);
    const at = this.#length * size;
    if (typeof bits === "number") room.setUint32(at, bits, hostIsLittleEndian);
    else room.setBigUint64(at, BigInt(bits), hostIsLittleEndian);
    this.#length++;
  }

  /** The array of all that came; empty when nothing did. */
  array(): A {
    if (this.#room !== undefined) return new this.#maker(this.#room.buffer, 0, this.#length);
    return this.#array ?? new this.#maker(0);
  }

  #roomFor(count: number): DataView<ArrayBuffer> {
    const { BYTES_PER_ELEMENT: size } = this.#maker;
    const needed = (this.#length + count) * size;
    if (this.#room !== undefined && this.#room.byteLength >= needed) return this.#room;
    const before = this.array();
    const bytes = new Uint8Array(Math.max(needed * 2, LEAST_ROOM * size));
    bytes.set(bytesOf(before));
    this.#room = new DataView(bytes.buffer);
    return this.#room;
  }
}

/**
 * The little-endian bytes of a typed array, for encoding a repeated field of fixed-width numbers; generated code calls it. A view
 * where the machine has that byte order.
 *
 * @param field - full name of the field, for errors
 * @throws TypeError for anything but an array of that kind.
 */
export function typedArrayBytes<A extends NumericArray>(
  array: A,
  maker: ArrayMaker<A>,
  field: string,
  littleEndian: boolean = hostIsLittleEndian,
): Uint8Array {
  // Not instanceof: arrays of other realms are as good.
  const kind: unknown = array[Symbol.toStringTag];
  if (kind !== maker.name) {
    const seen = Array.isArray(array) ? "an array" : String(kind ?? typeof array);
    throw new TypeError(`${field} is ${seen}, expected a ${maker.name}`);
  }
  if (littleEndian) return bytesOf(array);
  const bytes = new Uint8Array(array.byteLength);
  writeArray(array, bytes, 0, littleEndian);
  return bytes;
}
