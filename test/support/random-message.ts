import {
  create,
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescOneof,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { type ReflectMessage, reflect, type ScalarValue } from "@bufbuild/protobuf/reflect";
import { Edition, FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import type { Random } from "../../src/core/ports.js";

const MAX_DEPTH = 3;
const texts = ["", "a", "ß漢🙂", "\u0000\n", "__proto__", "constructor"];

/**
 * A message of a type with random values, often those at the ends of their ranges. Left out is what ts-proto is known to change:
 * -0, which it takes for 0, NaN, of which there are many, a `google.protobuf.Value` that has none, the key
 * `__proto__` of a `google.protobuf.Struct`, which it makes an object of, and fields of proto2 and of
 * editions that are set to their default, which it does not send.
 */
export function randomMessage(type: DescMessage, random: Random, depth = 0): Message {
  const message = create(type);
  const target = reflect(type, message);
  for (const member of type.members) {
    const field = member.kind === "oneof" ? oneOf(member, random) : member;
    if (field !== undefined) fill(target, field, random, depth);
  }
  return message;
}

function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)] as T;
}

function oneOf(oneof: DescOneof, random: Random): DescField | undefined {
  const isValue = oneof.parent.typeName === "google.protobuf.Value";
  return isValue || random() < 0.8 ? pick(oneof.fields, random) : undefined;
}

function fill(target: ReflectMessage, field: DescField, random: Random, depth: number) {
  const isRequired = field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED;
  const isNeeded = isRequired || field.oneof !== undefined;
  const isDeep = depth >= MAX_DEPTH && field.message !== undefined && !isNeeded;
  if (isDeep || (!isNeeded && random() < 0.3)) return;
  const count = Math.floor(random() * 4);
  switch (field.fieldKind) {
    case "list":
      for (let i = 0; i < count; i++) target.get(field).add(anyValue(field, random, depth));
      return;
    case "map":
      for (let i = 0; i < count; i++) setEntry(target, field, random, depth);
      return;
    default: {
      const value = anyValue(field, random, depth);
      if (!isDefault(field, value)) target.set(field, value);
      else if (isRequired) target.set(field, field.scalar === ScalarType.STRING ? "a" : 1);
    }
  }
}

type MapField = Extract<DescField, { readonly fieldKind: "map" }>;

function setEntry(target: ReflectMessage, field: MapField, random: Random, depth: number): void {
  const key = scalarOf(field.mapKey, random);
  if (key === "__proto__" && field.parent.typeName === "google.protobuf.Struct") return;
  if (key instanceof Uint8Array) throw new TypeError("a key is no bytes");
  target.get(field).set(key, anyValue(field, random, depth));
}

function isDefault(field: DescField, value: unknown): boolean {
  const { edition } = field.parent.file;
  if (edition === Edition.EDITION_PROTO3 || field.message !== undefined || field.oneof)
    return false;
  const size = value instanceof Uint8Array ? value.length : value;
  return !size || ("getDefaultValue" in field && value === field.getDefaultValue());
}

function anyValue(field: DescField, random: Random, depth: number) {
  if (field.message !== undefined) {
    return reflect(field.message, randomMessage(field.message, random, depth + 1));
  }
  if (field.enum !== undefined) return enumOf(field.enum, random);
  return scalarOf(field.scalar, random);
}

function enumOf(type: DescEnum, random: Random): number {
  const numbers = type.values.map(({ number }) => number);
  const isNull = type.typeName === "google.protobuf.NullValue";
  return pick(type.open && !isNull ? [...numbers, 12345] : numbers, random);
}

function scalarOf(type: ScalarType, random: Random): ScalarValue {
  const whole = (least: number, greatest: number): number =>
    pick([0, 1, least, greatest, Math.floor(least + random() * (greatest - least))], random);
  const big = (least: bigint, greatest: bigint): bigint =>
    pick([0n, 1n, least, greatest, BigInt(Math.floor(random() * 2 ** 53))], random);
  switch (type) {
    case ScalarType.DOUBLE:
      return pick([0, 1.5, -Number.MAX_VALUE, Infinity, -Infinity, random()], random);
    case ScalarType.FLOAT:
      return Math.fround(pick([0, 1.5, -3.4e38, Infinity, -Infinity, random()], random));
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return whole(-(2 ** 31), 2 ** 31 - 1);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return whole(0, 2 ** 32 - 1);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return big(-(2n ** 63n), 2n ** 63n - 1n);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return big(0n, 2n ** 64n - 1n);
    case ScalarType.BOOL:
      return random() < 0.5;
    case ScalarType.STRING:
      return pick(texts, random);
    case ScalarType.BYTES:
      return Uint8Array.from({ length: Math.floor(random() * 5) }, () => random() * 256);
  }
}
