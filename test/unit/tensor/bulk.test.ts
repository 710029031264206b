import { describe, expect, it } from "vitest";
import {
  arrayOver,
  copyIntoArray,
  hostIsLittleEndian,
  writeArray,
} from "../../../src/tensor/bulk.js";
import { arrayMakers } from "../../../src/tensor/dtype-table.js";
import { packedInt64 } from "../../../src/tensor/proto-parts.js";
import { ProtoReader } from "../../../src/tensor/proto-reader.js";
import { int64s } from "../../../src/tensor/value-decoder.js";
import { ValueRun } from "../../../src/tensor/value-run.js";
import { packedField } from "../../support/proto-fields.js";

const foreign = !hostIsLittleEndian;
const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

describe("on a host of the other byte order", () => {
  it("numbers are turned round in reading, never viewed", () => {
    const array = arrayOver(bytes, 0, 8, arrayMakers.float32, foreign);
    expect(new Uint8Array(array.buffer)).toEqual(Uint8Array.of(4, 3, 2, 1, 8, 7, 6, 5));
    const wide = arrayOver(bytes, 0, 8, arrayMakers.float64, foreign);
    expect(new Uint8Array(wide.buffer)).toEqual(Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1));
  });

  it("single bytes are viewed all the same", () => {
    expect(arrayOver(bytes, 2, 4, arrayMakers.uint8, foreign).buffer).toBe(bytes.buffer);
  });

  it("numbers are turned round in writing, and the array stays as it is", () => {
    const array = new Uint16Array(Uint8Array.of(1, 2, 3, 4).buffer);
    const out = new Uint8Array(6);
    writeArray(array, out, 1, foreign);
    expect(out).toEqual(Uint8Array.of(0, 2, 1, 4, 3, 0));
    expect(new Uint8Array(array.buffer)).toEqual(Uint8Array.of(1, 2, 3, 4));
  });

  it("a stretch among several is turned round in its place", () => {
    const array = new Uint16Array(3);
    copyIntoArray(Uint8Array.of(1, 2), array, 2, foreign);
    expect(new Uint8Array(array.buffer)).toEqual(Uint8Array.of(0, 0, 2, 1, 0, 0));
  });

  it("the halves of 64-bit integers change places", () => {
    const value = 0x0102030405060708n;
    const swapped = BigInt64Array.of(0x0506070801020304n);
    const reader = new ProtoReader(packedField(7, value));
    reader.next();
    const run = new ValueRun(reader);
    run.see({ number: 7, name: "int64_val", kind: "int64" });
    expect(int64s(run, foreign)).toEqual(swapped);
    const out = Buffer.alloc(11);
    packedInt64(7, swapped, foreign)[0]?.write(out, 0);
    expect(out).toEqual(packedField(7, value));
  });
});
