/** A varint of up to 64 bits; negative numbers as protobuf writes them. */
export function varintBytes(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

const tag = (field: number, wireType: number): Buffer => varintBytes((field << 3) | wireType);

/** A field that is a varint. */
export function numberField(field: number, value: number | bigint): Buffer {
  return Buffer.concat([tag(field, 0), varintBytes(value)]);
}

/** A field of these bytes: a message, a text, packed numbers. */
export function bytesField(field: number, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  return Buffer.concat([tag(field, 2), varintBytes(body.length), body]);
}

/** A field of packed varints. */
export function packedField(field: number, ...values: readonly (number | bigint)[]): Buffer {
  return bytesField(field, ...values.map(varintBytes));
}

/** A field that is one float. */
export function floatField(field: number, value: number): Buffer {
  return Buffer.concat([tag(field, 5), floats(value)]);
}

/** A group of these fields. */
export function groupField(field: number, ...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([tag(field, 3), ...parts, tag(field, 4)]);
}

/** Floats as they are packed. */
export function floats(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes;
}
