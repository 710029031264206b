import { describe, expect, it } from "vitest";
import { TypedArrayParts, typedArrayBytes } from "../../../src/tensor/typed-array-field.js";

describe("TypedArrayParts", () => {
  it("is empty when nothing came", () => {
    expect(new TypedArrayParts(Float64Array, "a.M.f").array()).toEqual(new Float64Array(0));
  });

  it("gives a view over the only part", () => {
    const message = new Uint8Array(new Float32Array([1, 2]).buffer);
    const parts = new TypedArrayParts(Float32Array, "a.M.f");
    parts.packed(message);
    expect(parts.array().buffer).toBe(message.buffer);
  });

  it("leaves the message alone when more comes behind a view", () => {
    const message = new Uint8Array(new Uint32Array([1, 2, 3]).buffer);
    const parts = new TypedArrayParts(Uint32Array, "a.M.f");
    parts.packed(message.subarray(0, 8));
    parts.single(9);
    expect([...parts.array()]).toEqual([1, 2, 9]);
    expect([...new Uint32Array(message.buffer)]).toEqual([1, 2, 3]);
  });

  it("keeps every bit of a number that came by itself", () => {
    const parts = new TypedArrayParts(Float32Array, "a.M.f");
    parts.single(0x7fa00001);
    const array = parts.array();
    expect(new Uint32Array(array.buffer, 0, 1)[0]).toBe(0x7fa00001);
    const wide = new TypedArrayParts(BigInt64Array, "a.M.f");
    wide.single(0xffff_ffff_ffff_fffen);
    expect([...wide.array()]).toEqual([-2n]);
  });

  it("turns numbers round on a machine of the other byte order, and leaves the message alone", () => {
    const message = Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 2);
    const parts = new TypedArrayParts(Uint32Array, "a.M.f", false);
    parts.packed(message);
    parts.packed(message.subarray(4));
    expect([...parts.array()]).toEqual([1, 2, 2]);
    expect([...message]).toEqual([0, 0, 0, 1, 0, 0, 0, 2]);
  });

  it("refuses a part that is no whole number of values", () => {
    const parts = new TypedArrayParts(Float64Array, "a.M.f");
    expect(() => parts.packed(new Uint8Array(12))).toThrow(
      "a.M.f has 12 bytes, expected a multiple of 8",
    );
  });
});

describe("typedArrayBytes", () => {
  it("gives a view, and on a machine of the other byte order a copy that is turned round", () => {
    const array = Uint32Array.of(1, 2);
    expect(typedArrayBytes(array, Uint32Array, "a.M.f", true).buffer).toBe(array.buffer);
    const turned = typedArrayBytes(array, Uint32Array, "a.M.f", false);
    expect([...turned]).toEqual([0, 0, 0, 1, 0, 0, 0, 2]);
    expect([...array]).toEqual([1, 2]);
  });

  it.each([
    [[1, 2], "an array"],
    [new Float64Array(1), "Float64Array"],
    ["text", "string"],
  ])("refuses %j", (value, seen) => {
    expect(() => typedArrayBytes(value as unknown as Float32Array, Float32Array, "a.M.f")).toThrow(
      `a.M.f is ${seen}, expected a Float32Array`,
    );
  });
});
