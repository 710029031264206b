import { nearestName } from "../core/nearest.js";
import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import type { DType, TensorArrays } from "../tensor/dtype.js";
import type { Tensor } from "../tensor/tensor.js";

/**
 * The tensor of a name.
 *
 * @throws ConfigError `INVALID_OPTION` with the names that there are, when this is none of them.
 */
export function tensorNamed(tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const found = tensors.get(name);
  if (found !== undefined) return found;
  const known = [...tensors.keys()];
  // A lone one is told anyway.
  const nearest = known.length === 1 ? undefined : nearestName(String(name), known);
  const has = known.length === 0 ? "none" : known.map(seen).join(", ");
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  throw servingError(
    "INVALID_OPTION",
    `the answer has no output ${seen(name)}, it has ${has}${hint}`,
  );
}

/**
 * What an answer has at an index.
 *
 * @throws ConfigError `INVALID_OPTION` with the number of outputs that there are, when the index is beyond it.
 */
export function elementAt<T>(outputs: readonly T[], index: number): T {
  const found = outputs[index];
  if (found !== undefined) return found;
  const range = outputs.length === 0 ? "it has none" : `expected 0 to ${outputs.length - 1}`;
  throw servingError("INVALID_OPTION", `the answer has no output ${seen(index)}, ${range}`);
}

/**
 * The elements of a tensor.
 *
 * @param dtype - what they are expected to be; undefined takes any
 * @throws ConfigError `INVALID_OPTION` when they are something else.
 */
export function valuesOf<D extends DType>(
  tensor: Tensor,
  dtype: D | undefined,
  name: string | number,
): TensorArrays[D] {
  if (dtype === undefined || tensor.dtype === dtype) return tensor.data as TensorArrays[D];
  throw servingError(
    "INVALID_OPTION",
    `output ${seen(name)} is of ${tensor.dtype}, expected ${dtype}`,
  );
}

/**
 * The elements of a string tensor as texts; what is not UTF-8 in them becomes U+FFFD.
 *
 * @throws ConfigError `INVALID_OPTION` when it is of another dtype.
 */
export function stringsOf(tensor: Tensor, name: string | number): readonly string[] {
  const decoder = new TextDecoder();
  return valuesOf(tensor, "string", name).map((bytes) => decoder.decode(bytes));
}
