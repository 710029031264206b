import { checkNumber } from "../core/options.js";
import { pytorchArrays } from "../tensor/array-family.js";
import type { TensorValues } from "../tensor/create-tensor.js";
import type { DType, TensorArrays } from "../tensor/dtype.js";
import { FormatError } from "../tensor/format-error.js";
import { pytorchMessages } from "../tensor/pytorch-messages.js";
import type { Tensor } from "../tensor/tensor.js";
import { tensorText } from "../tensor/tensor-text.js";
import { ArrayRequest } from "./array-request.js";
import type { PredictRequest } from "./predict-request.js";
import { checkDebugLevel } from "./request-checks.js";
import { printedBy, showList, showName } from "./show.js";
import { elementAt, stringsOf, tensorNamed, valuesOf } from "./tensor-lookup.js";

/** Places of inputs and outputs: far more than a model has, few enough to fill up to. */
const places = { min: 0, max: 2 ** 16 - 1 };

/**
 * What a PyTorch service is asked: inputs by index, or by name. Compression, which the Python SDK has as an argument here, is an option
 * of the client.
 *
 * @example
 * ```ts
 * const request = new TorchRequest();
 * request.addFeed(0, [1, 3], TorchRequest.DT_FLOAT, [0.1, 0.2, 0.3]);
 * request.addFetch(0);
 * const answer = await client.predict(request);
 * console.log(answer.getValues(0));
 * ```
 */
export class TorchRequest extends ArrayRequest implements PredictRequest<TorchResponse> {
  readonly #inputs: (Tensor | undefined)[] = [];
  readonly #fetches: number[] = [];
  #debugLevel = 0;

  constructor() {
    super(pytorchArrays);
  }

  /**
   * Sets the input at an index; again replaces. Indices that are left out before it are sent as empty messages.
   *
   * @param shape - outermost dimension first; empty for a single value
   * @param dtype - one of this class's constants, or the kit's name of a dtype; PyTorch's messages have no bools
   * @param values - in row-major order; a typed array of the dtype's kind is not copied, and is read when the call is made
   * @throws ConfigError `INVALID_OPTION` naming the input and what does not fit, such as a length other than the shape's.
   */
  addFeed<D extends DType>(
    index: number,
    shape: readonly number[],
    dtype: D,
    values: TensorValues<D>,
  ): void {
    const tensor = this.input(checkNumber(index, "index", places), shape, dtype, values);
    while (this.#inputs.length < index) this.#inputs.push(undefined);
    this.#inputs[index] = tensor;
  }

  /** Sets an input of a model whose inputs have names; otherwise as {@link addFeed}. */
  addFeedMap<D extends DType>(
    name: string,
    shape: readonly number[],
    dtype: D,
    values: TensorValues<D>,
  ): void {
    this.namedInputs.set(name, this.input(name, shape, dtype, values));
  }

  /** Asks for an output; without any, all come. The answer has those that were asked for, numbered from 0 in that order. */
  addFetch(index: number): void {
    this.#fetches.push(checkNumber(index, "index", places));
  }

  /** @param level - what the service tells besides; see its documentation */
  setDebugLevel(level: number): void {
    this.#debugLevel = checkDebugLevel(level);
  }

  encode(): Uint8Array {
    return pytorchMessages.encodeRequest({
      list: this.#inputs,
      named: this.namedInputs,
      fetches: this.#fetches,
      debugLevel: this.#debugLevel,
    });
  }

  /** @throws FormatError naming the field. */
  decode(body: Uint8Array): TorchResponse {
    const { list, named } = pytorchMessages.decodeResponse(body);
    const tensors = list.map((tensor, index) => {
      if (tensor !== undefined) return tensor;
      throw new FormatError(`outputs[${index}] is empty, expected an array`);
    });
    return new TorchResponse(tensors, named);
  }
}

/** The answer to a {@link TorchRequest}: outputs by index, and outputs by name. */
export class TorchResponse {
  /** The outputs that have no names. */
  readonly tensors: readonly Tensor[];
  /** The outputs that have names, in the order in which they came. */
  readonly tensorMap: ReadonlyMap<string, Tensor>;

  constructor(tensors: readonly Tensor[], tensorMap: ReadonlyMap<string, Tensor>) {
    this.tensors = tensors;
    this.tensorMap = tensorMap;
  }

  /**
   * The elements of an output, in row-major order: the typed array of its dtype, or a list of bytes for texts. May be a view over
   * the answer's bytes, which it then keeps in memory.
   *
   * @param dtype - what they are expected to be; makes the type of the result known
   * @throws ConfigError `INVALID_OPTION` for an index beyond the outputs, or another dtype.
   */
  getValues<D extends DType = DType>(index: number, dtype?: D): TensorArrays[D] {
    return valuesOf(elementAt(this.tensors, index), dtype, index);
  }

  /** The elements of an output of texts, as texts; else as {@link getValues}. */
  getStrings(index: number): readonly string[] {
    return stringsOf(elementAt(this.tensors, index), index);
  }

  /** The shape of an output, outermost dimension first; throws as {@link getValues}. */
  getTensorShape(index: number): readonly number[] {
    return elementAt(this.tensors, index).shape;
  }

  /**
   * The elements of an output that has a name; else as {@link getValues}.
   *
   * @throws ConfigError `INVALID_OPTION` with the names that there are, for another name; for another dtype.
   */
  getValuesMap<D extends DType = DType>(name: string, dtype?: D): TensorArrays[D] {
    return valuesOf(tensorNamed(this.tensorMap, name), dtype, name);
  }

  /** The elements of an output of texts that has a name, as texts; throws as {@link getValuesMap}. */
  getStringsMap(name: string): readonly string[] {
    return stringsOf(tensorNamed(this.tensorMap, name), name);
  }

  /** The shape of an output that has a name; throws as {@link getValuesMap}. */
  getTensorShapeMap(name: string): readonly number[] {
    return tensorNamed(this.tensorMap, name).shape;
  }

  /** Indices, names, dtypes, shapes and first values. */
  toString(): string {
    return `TorchResponse ${showList([
      ...this.tensors.map((tensor, index) => `${index}: ${tensorText(tensor)}`),
      ...Array.from(this.tensorMap, ([name, tensor]) => `${showName(name)}: ${tensorText(tensor)}`),
    ])}`;
  }

  /** What logs in JSON get: the same text. */
  toJSON(): string {
    return String(this);
  }
}

printedBy(TorchResponse, String);
