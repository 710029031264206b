import { ScalarType } from "@bufbuild/protobuf";

/** Kind of typed array for each kind of number that has a fixed width on the wire. */
export const typedArrayNames: ReadonlyMap<ScalarType, string> = new Map([
  [ScalarType.FLOAT, "Float32Array"],
  [ScalarType.DOUBLE, "Float64Array"],
  [ScalarType.FIXED32, "Uint32Array"],
  [ScalarType.SFIXED32, "Int32Array"],
  [ScalarType.FIXED64, "BigUint64Array"],
  [ScalarType.SFIXED64, "BigInt64Array"],
]);

/** What generated code needs of `inferwire/tensor`. */
export const typedArrayAids = ["TypedArrayParts", "typedArrayBytes"] as const;

/** A field that is a typed array in generated code. */
export interface TypedArrayField {
  /** `package.Message.field`. */
  readonly fullName: string;
  /** What ts-proto calls its message: `Outer_Inner`. */
  readonly message: string;
  /** What ts-proto calls the property. */
  readonly property: string;
  /** Number of the field. */
  readonly number: number;
  /** Kind of array: `Float32Array`. */
  readonly array: string;
  /** Bytes of one number: 4 or 8. */
  readonly width: 4 | 8;
}
