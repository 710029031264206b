import { describe, expect, it } from "vitest";
import {
  bfloat16FromFloat32,
  bfloat16ToFloat32,
  float16FromFloat32,
  float16ToFloat32,
} from "../../../src/tensor/float16.js";

interface Format {
  readonly name: string;
  readonly from: typeof float16FromFloat32;
  readonly to: typeof float16ToFloat32;
  readonly infinity: number;
  readonly known: readonly [bits: number, value: number][];
  readonly tooLarge: number;
  readonly stillFinite: number;
}

/** Indices at which two arrays differ: a fraction of the time that `toEqual` takes for so many. */
function differences(a: Uint16Array, b: Uint16Array): number[] {
  expect(a).toHaveLength(b.length);
  return Array.from(a.keys()).filter((index) => a[index] !== b[index]);
}

const formats: readonly Format[] = [
  {
    name: "float16",
    from: float16FromFloat32,
    to: float16ToFloat32,
    infinity: 0x7c00,
    known: [
      [0x0000, 0],
      [0x8000, -0],
      [0x3c00, 1],
      [0xc000, -2],
      [0x7bff, 65_504],
      [0x0400, 2 ** -14],
      [0x03ff, 1023 * 2 ** -24],
      [0x0001, 2 ** -24],
      [0x3555, 0.333251953125],
    ],
    tooLarge: 65_520,
    stillFinite: 65_519.99,
  },
  {
    name: "bfloat16",
    from: bfloat16FromFloat32,
    to: bfloat16ToFloat32,
    infinity: 0x7f80,
    known: [
      [0x0000, 0],
      [0x8000, -0],
      [0x3f80, 1],
      [0xc000, -2],
      [0x0080, 2 ** -126],
      [0x0001, 2 ** -133],
      [0x4049, 3.140625],
    ],
    tooLarge: 2 ** 128 * (1 - 2 ** -9),
    stillFinite: 3.39e38,
  },
];

describe.each(formats)("$name", ({ from, to, infinity, known, tooLarge, stillFinite }) => {
  const all = Uint16Array.from({ length: 65_536 }, (_, index) => index);
  const isNumber = (bits: number): boolean => (bits & 0x7fff) <= infinity;

  it.each(known)("holds %i as %d", (bits, value) => {
    expect(from([value])).toEqual(Uint16Array.of(bits));
    expect(to(Uint16Array.of(bits))).toEqual(Float32Array.of(value));
  });

  it("gives every number back", () => {
    const numbers = all.filter(isNumber);
    expect(differences(from(to(numbers)), numbers)).toEqual([]);
  });

  it("has infinities, and one NaN for all", () => {
    expect(to(Uint16Array.of(infinity, infinity | 0x8000, infinity + 1))).toEqual(
      Float32Array.of(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN),
    );
    expect(from([Number.NEGATIVE_INFINITY, 1e300, -tooLarge])).toEqual(
      Uint16Array.of(infinity | 0x8000, infinity, infinity | 0x8000),
    );
    expect(from([stillFinite])).toEqual(Uint16Array.of(infinity - 1));
    expect(isNumber(from([Number.NaN])[0] ?? 0)).toBe(false);
  });

  it("rounds to the nearest, halves to the even one, also what a float32 would have rounded first", () => {
    const finite = all.filter((bits) => bits < infinity - 1);
    const values = to(finite);
    const next = to(finite.map((bits) => bits + 1));
    const halves = Array.from(values, (value, index) => (value + (next[index] ?? 0)) / 2);
    const even = finite.map((bits) => bits + (bits & 1));
    expect(differences(from(halves), even)).toEqual([]);
    const nudge = (value: number, sign: number): number => value * (1 + sign * 2 ** -40);
    const below = from(halves.map((value) => nudge(value, -1)));
    const above = from(halves.map((value) => nudge(value, 1)));
    expect(differences(below, finite)).toEqual([]);
    expect(
      differences(
        above,
        finite.map((bits) => bits + 1),
      ),
    ).toEqual([]);
  });
});
