import type { DType, TensorArrays } from "./dtype.js";
import { bfloat16ToFloat32, float16ToFloat32 } from "./float16.js";
import { shapeText } from "./shape.js";
import type { Tensor } from "./tensor.js";
import { quoted, textFrom } from "./texts.js";

const SHOWN = 8;

function stringText(bytes: Uint8Array): string {
  const text = textFrom(bytes);
  if (text !== undefined) return quoted(text);
  const hex = Array.from(bytes.subarray(0, SHOWN), (byte) => byte.toString(16).padStart(2, "0"));
  return `<${hex.join(" ")}${bytes.length > SHOWN ? " ..." : ""}>`;
}

function numberText(value: number | bigint, single: boolean): string {
  // A float32 has about seven digits; the rest is how a double writes it.
  return single ? String(Number(Number(value).toPrecision(7))) : String(value);
}

function pairs(parts: ArrayLike<number>, single: boolean): string[] {
  const texts: string[] = [];
  for (let i = 0; i + 1 < parts.length; i += 2) {
    const [real = 0, imaginary = 0] = [parts[i], parts[i + 1]];
    const sign = imaginary < 0 || Object.is(imaginary, -0) ? "-" : "+";
    texts.push(`${numberText(real, single)}${sign}${numberText(Math.abs(imaginary), single)}i`);
  }
  return texts;
}

/** The first elements, as a reader knows them. */
const firstElements: { readonly [D in DType]?: (data: TensorArrays[D]) => string[] } = {
  float16: (data) => Array.from(float16ToFloat32(data.subarray(0, SHOWN)), String),
  bfloat16: (data) =>
    Array.from(bfloat16ToFloat32(data.subarray(0, SHOWN)), (value) => numberText(value, true)),
  float32: (data) => Array.from(data.subarray(0, SHOWN), (value) => numberText(value, true)),
  bool: (data) => Array.from(data.subarray(0, SHOWN), (value) => String(value !== 0)),
  complex64: (data) => pairs(data.subarray(0, 2 * SHOWN), true),
  complex128: (data) => pairs(data.subarray(0, 2 * SHOWN), false),
  string: (data) => data.slice(0, SHOWN).map(stringText),
};

/** A tensor for people: dtype, shape, first elements. */
export function tensorText<D extends DType>({ dtype, shape, data }: Tensor<D>): string {
  const show = firstElements[dtype];
  const texts = show === undefined ? Array.from(data.slice(0, SHOWN), String) : show(data);
  const count = dtype === "complex64" || dtype === "complex128" ? data.length / 2 : data.length;
  const rest = count > texts.length ? ", ..." : "";
  return `Tensor ${dtype} ${shapeText(shape)} { ${texts.join(", ")}${rest} }`;
}
