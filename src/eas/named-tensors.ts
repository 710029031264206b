import type { DType, TensorArrays } from "../tensor/dtype.js";
import type { Tensor } from "../tensor/tensor.js";
import { tensorText } from "../tensor/tensor-text.js";
import { printedBy, showList, showName } from "./show.js";
import { stringsOf, tensorNamed, valuesOf } from "./tensor-lookup.js";

/** An answer of tensors that have names. */
export abstract class NamedTensors {
  /** The outputs by name, in the order in which they came. */
  readonly tensors: ReadonlyMap<string, Tensor>;

  constructor(tensors: ReadonlyMap<string, Tensor>) {
    this.tensors = tensors;
  }

  /**
   * The elements of an output, in row-major order: the typed array of its dtype, or a list of bytes for texts. May be a view over
   * the answer's bytes, which it then keeps in memory.
   *
   * @param dtype - what they are expected to be; makes the type of the result known
   * @throws ConfigError `INVALID_OPTION` with the names that there are, for another name; for another dtype.
   */
  getValues<D extends DType = DType>(name: string, dtype?: D): TensorArrays[D] {
    return valuesOf(tensorNamed(this.tensors, name), dtype, name);
  }

  /**
   * The elements of an output of texts, as texts; what is not UTF-8 in them becomes U+FFFD.
   *
   * @throws ConfigError `INVALID_OPTION` as for {@link getValues}.
   */
  getStrings(name: string): readonly string[] {
    return stringsOf(tensorNamed(this.tensors, name), name);
  }

  /**
   * The shape of an output, outermost dimension first; empty for a single value.
   *
   * @throws ConfigError `INVALID_OPTION` with the names that there are, for another name.
   */
  getTensorShape(name: string): readonly number[] {
    return tensorNamed(this.tensors, name).shape;
  }

  /** Names, dtypes, shapes and first values. */
  toString(): string {
    return `${this.constructor.name} ${showList(this.shown())}`;
  }

  /** What logs in JSON get: the same text. */
  toJSON(): string {
    return String(this);
  }

  /** The lines that are printed. */
  protected shown(): readonly string[] {
    return [...this.tensors].map(([name, tensor]) => `${showName(name)}: ${tensorText(tensor)}`);
  }
}

printedBy(NamedTensors, String);
