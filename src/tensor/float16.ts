import { hostIsLittleEndian } from "./bulk.js";

/** How the 16 bits are shared out. */
interface Format {
  readonly mantissaBits: number;
  /** Of the least normal number. */
  readonly leastExponent: number;
  readonly infinityBits: number;
  readonly nanBits: number;
}

const half: Format = {
  mantissaBits: 10,
  leastExponent: -14,
  infinityBits: 0x7c00,
  nanBits: 0x7e00,
};
const brain: Format = {
  mantissaBits: 7,
  leastExponent: -126,
  infinityBits: 0x7f80,
  nanBits: 0x7fc0,
};

const number = new Float64Array(1);
const words = new Uint32Array(number.buffer);
const HIGH = hostIsLittleEndian ? 1 : 0;
/** Adding it to a number below leaves no room for a fraction: the machine rounds to nearest, ties to even. */
const ROUNDER = 2 ** 52;

/** 2 to the power of a whole number between -1022 and 1023. */
function powerOfTwo(exponent: number): number {
  words[0] = 0;
  words[1] = 0;
  words[HIGH] = (exponent + 1023) << 20;
  return number[0] ?? 0;
}

function bitsOf(value: number, format: Format): number {
  const { mantissaBits, leastExponent, infinityBits, nanBits } = format;
  if (Number.isNaN(value)) return nanBits;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  number[0] = size;
  const exponent = Math.max(leastExponent, ((words[HIGH] ?? 0) >>> 20) - 1023);
  // The greatest exponent of either format is one below its least one's opposite, plus two.
  if (exponent > 1 - leastExponent) return sign | infinityBits;
  const steps = size * powerOfTwo(mantissaBits - exponent) + ROUNDER - ROUNDER;
  // Rounding up to the next power of two, or to infinity, carries into the exponent by itself.
  return sign | (steps + (exponent - leastExponent) * 2 ** mantissaBits);
}

function narrowed(values: Float32Array | readonly number[], format: Format): Uint16Array {
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) bits[i] = bitsOf(values[i] ?? 0, format);
  return bits;
}

/** Rounds numbers to 16-bit IEEE floats, to nearest with ties to even; beyond 65,504 is infinity. */
export function float16FromFloat32(values: Float32Array | readonly number[]): Uint16Array {
  return narrowed(values, half);
}

/** Reads 16-bit IEEE floats; exact. */
export function float16ToFloat32(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  const wide = new Uint32Array(values.buffer);
  for (let i = 0; i < bits.length; i++) {
    const all = bits[i] ?? 0;
    const sign = (all & 0x8000) << 16;
    const exponent = (all >>> 10) & 0x1f;
    const mantissa = all & 0x3ff;
    if (exponent === 0) values[i] = (sign === 0 ? 1 : -1) * mantissa * 2 ** -24;
    else wide[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (mantissa << 13);
  }
  return values;
}

/** Rounds numbers to the upper 16 bits of 32-bit floats, to nearest with ties to even. */
export function bfloat16FromFloat32(values: Float32Array | readonly number[]): Uint16Array {
  return narrowed(values, brain);
}

/** Reads numbers that are the upper 16 bits of 32-bit floats; exact. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  const wide = new Uint32Array(values.buffer);
  for (let i = 0; i < bits.length; i++) wide[i] = (bits[i] ?? 0) << 16;
  return values;
}
