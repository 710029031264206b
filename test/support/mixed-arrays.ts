import type { DescMessage } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Random } from "../../src/core/ports.js";

type AnyArray =
  | Float32Array
  | Float64Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array;

/** The corpus's fields that are typed arrays: how numbers become one, and bytes of a number. */
const makers = {
  floats: { of: (numbers) => new Float32Array(numbers), width: 4 },
  doubles: { of: (numbers) => new Float64Array(numbers), width: 8 },
  fixed32s: { of: (numbers) => new Uint32Array(numbers), width: 4 },
  sfixed32s: { of: (numbers) => new Int32Array(numbers), width: 4 },
  fixed64s: { of: (numbers) => new BigUint64Array(numbers.map(BigInt)), width: 8 },
  sfixed64s: { of: (numbers) => new BigInt64Array(numbers.map(BigInt)), width: 8 },
} as const satisfies Record<string, { of(numbers: number[]): AnyArray; width: number }>;

/**
 * A message with each of its typed arrays in parts, packed and by single values, with other fields between them, and what the
 * arrays are in the end.
 */
export function mixedArrays(
  type: DescMessage,
  random: Random,
): { readonly bytes: Uint8Array; readonly expected: Readonly<Record<string, AnyArray>> } {
  const writer = new BinaryWriter();
  const values = new Map<string, number[]>();
  const names = Object.keys(makers) as (keyof typeof makers)[];
  const partCount = Math.floor(random() * 12);
  for (let part = 0; part < partCount; part++) {
    const name = names[Math.floor(random() * names.length)] ?? "floats";
    const numbers = Array.from({ length: Math.floor(random() * 40) }, () =>
      Math.floor(random() * 1e6),
    );
    values.set(name, [...(values.get(name) ?? []), ...numbers]);
    const no = type.field[name]?.number ?? 0;
    const bytes = bytesOf(makers[name].of(numbers));
    if (random() < 0.5) writer.tag(no, WireType.LengthDelimited).bytes(bytes);
    else writeSingly(writer, no, bytes, makers[name].width);
    if (random() < 0.3) writer.tag(9, WireType.LengthDelimited).string("between");
  }
  const expected = names.map((name) => [name, makers[name].of(values.get(name) ?? [])] as const);
  return { bytes: writer.finish(), expected: Object.fromEntries(expected) };
}

function bytesOf(array: AnyArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function writeSingly(writer: BinaryWriter, no: number, bytes: Uint8Array, width: number): void {
  const wireType = width === 4 ? WireType.Bit32 : WireType.Bit64;
  for (let at = 0; at < bytes.length; at += width) {
    writer.tag(no, wireType).raw(bytes.subarray(at, at + width));
  }
}
