import { BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { bladeMessages } from "../../../src/tensor/blade-messages.js";
import { caffeMessages } from "../../../src/tensor/caffe-messages.js";
import type { DialectName } from "../../../src/tensor/dialect.js";
import { namedTensors } from "./arbitrary-tensors.js";
import { dialectDTypes, generatedRequest, generatedResponse } from "./generated-messages.js";
import { requestsOf } from "./messages.js";

const dialects: readonly DialectName[] = ["tensorflow", "pytorch", "onnx"];

/** Requests and answers of all dialects; requests of Blade and Caffe, whose answers have the same arrays at other numbers. */
const validMessages: fc.Arbitrary<Uint8Array> = fc.oneof(
  ...dialects.flatMap((name) => [
    requestsOf(name).map((request) => generatedRequest(name, request)),
    namedTensors(dialectDTypes[name]).map((outputs) => generatedResponse(name, outputs)),
  ]),
  namedTensors(["float32", "int32", "int64", "string"]).map((inputs) =>
    bladeMessages.encodeRequest({
      signatureName: "",
      inputs: Array.from(inputs, ([name, tensor]) => ({ name, batchSize: 1, tensor })),
      fetches: [],
    }),
  ),
  namedTensors(["float32"]).map((inputs) => caffeMessages.encodeRequest({ inputs, fetches: [] })),
);

/** One field, whatever the message's definition says about its number. */
type Field =
  | { readonly kind: "number"; readonly field: number; readonly value: bigint }
  | { readonly kind: "fixed32" | "fixed64"; readonly field: number }
  | { readonly kind: "bytes"; readonly field: number; readonly bytes: Uint8Array }
  | { readonly kind: "message" | "group"; readonly field: number; readonly fields: Field[] };

function writeField(writer: BinaryWriter, item: Field): void {
  const { field } = item;
  switch (item.kind) {
    case "number":
      writer.tag(field, 0).uint64(BigInt.asUintN(64, item.value));
      break;
    case "fixed32":
      writer.tag(field, 5).float(1.5);
      break;
    case "fixed64":
      writer.tag(field, 1).double(1.5);
      break;
    case "bytes":
      writer.tag(field, 2).bytes(item.bytes);
      break;
    case "group":
      writer.tag(field, 3);
      for (const inner of item.fields) writeField(writer, inner);
      writer.tag(field, 4);
      break;
    case "message":
      writer.tag(field, 2).fork();
      for (const inner of item.fields) writeField(writer, inner);
      writer.join();
      break;
  }
}

const fieldNumbers = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 3 }) },
  { weight: 3, arbitrary: fc.integer({ min: 4, max: 8 }) },
  { weight: 1, arbitrary: fc.constantFrom(100, 2 ** 29 - 1) },
);
const values = fc.oneof(
  fc.bigInt({ min: 0n, max: 20n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
);

/** Messages of the right shape by chance: fields with small numbers in fields with small numbers, every length true. */
const wildMessages: fc.Arbitrary<Uint8Array> = fc
  .letrec<{ field: Field; fields: Field[] }>((tie) => ({
    fields: fc.array(tie("field"), { maxLength: 6, depthIdentifier: "message" }),
    field: fc.oneof(
      { depthSize: "small", maxDepth: 4, depthIdentifier: "message" },
      fc.record({ kind: fc.constant("number" as const), field: fieldNumbers, value: values }),
      fc.record({
        kind: fc.constant("bytes" as const),
        field: fieldNumbers,
        bytes: fc.uint8Array({ maxLength: 16 }),
      }),
      fc.record({
        kind: fc.constantFrom("message" as const, "message" as const, "group" as const),
        field: fieldNumbers,
        fields: tie("fields"),
      }),
      fc.record({
        kind: fc.constantFrom("fixed32" as const, "fixed64" as const),
        field: fieldNumbers,
      }),
    ),
  }))
  .fields.map((fields) => {
    const writer = new BinaryWriter();
    for (const field of fields) writeField(writer, field);
    return writer.finish();
  });

/** One change to bytes; places count modulo their number. */
interface Change {
  readonly kind: "set" | "cut" | "insert" | "remove" | "repeat" | "splice";
  readonly at: number;
  readonly length: number;
  readonly byte: number;
  readonly bytes: Uint8Array;
}

const tellingBytes = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 18, 26, 0x7f, 0x80, 0xff),
  fc.nat(255),
);

const changes = fc.array(
  fc.record<Change>({
    kind: fc.constantFrom("set", "set", "cut", "insert", "remove", "repeat", "splice"),
    at: fc.nat(),
    length: fc.integer({ min: 1, max: 12 }),
    byte: tellingBytes,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
  }),
  { maxLength: 4 },
);

function changed(message: Buffer, other: Uint8Array, change: Change): Buffer {
  const at = change.at % (message.length + 1);
  const before = message.subarray(0, at);
  const after = message.subarray(at);
  const piece = after.subarray(0, change.length);
  switch (change.kind) {
    case "set":
      return Buffer.concat([before, Buffer.of(change.byte), after.subarray(1)]);
    case "cut":
      return before;
    case "insert":
      return Buffer.concat([before, change.bytes, after]);
    case "remove":
      return Buffer.concat([before, after.subarray(change.length)]);
    case "repeat":
      return Buffer.concat([before, piece, after]);
    case "splice":
      return Buffer.concat([before, other.subarray(at % (other.length + 1)), after]);
  }
}

const messages = fc.oneof(
  { weight: 3, arbitrary: validMessages },
  { weight: 2, arbitrary: wildMessages },
);

/** Messages that are nearly right, at any alignment. */
export const brokenMessages: fc.Arbitrary<Uint8Array> = fc
  .tuple(messages, messages, changes, fc.nat(7))
  .map(([message, other, steps, offset]) => {
    const bytes = steps.reduce<Buffer>(
      (now, step) => changed(now, other, step),
      Buffer.from(message),
    );
    const moved = new Uint8Array(offset + bytes.length).subarray(offset);
    moved.set(bytes);
    return moved;
  });
