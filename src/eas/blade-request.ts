import { checkNumber, seen } from "../core/options.js";
import { type BladeDType, type BladeInput, bladeMessages } from "../tensor/blade-messages.js";
import { type TensorValues, tensor } from "../tensor/create-tensor.js";
import type { DType } from "../tensor/dtype.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkFeedDType, type FeedFamily, feedTensor } from "./feed.js";
import { NamedTensors } from "./named-tensors.js";
import type { PredictRequest } from "./predict-request.js";

const bladeDTypes: readonly BladeDType[] = ["float32", "int32", "int64", "string"];
const blade: FeedFamily = { title: "Blade", dtypes: new Set<DType>(bladeDTypes) };

/**
 * What a Blade service is asked.
 *
 * @example
 * ```ts
 * const request = new BladeRequest();
 * request.addFeed("x", 1, [1, 3], BladeRequest.DT_FLOAT, [0.1, 0.2, 0.3]);
 * request.addFetch("y", BladeRequest.DT_FLOAT);
 * const answer = await client.predict(request);
 * console.log(answer.getValues("y"));
 * ```
 */
export class BladeRequest implements PredictRequest<BladeResponse> {
  static readonly DT_FLOAT = "float32";
  static readonly DT_INT32 = "int32";
  static readonly DT_INT64 = "int64";
  static readonly DT_STRING = "string";

  readonly #inputs = new Map<string, BladeInput>();
  readonly #fetches = new Map<string, BladeDType | undefined>();
  #signatureName: string;

  /** @param signatureName - empty for a model that has only one, or none */
  constructor(signatureName = "") {
    this.#signatureName = signatureName;
  }

  /** Says which signature of the model is meant; empty for one that has only one. */
  setSignatureName(signatureName: string): void {
    this.#signatureName = signatureName;
  }

  /**
   * Sets an input; again replaces.
   *
   * @param batchSize - how many samples the input holds, usually `shape[0]`
   * @param shape - outermost dimension first, that of the samples included
   * @param dtype - one of this class's constants; Blade's messages hold no others
   * @param values - in row-major order; a typed array of the dtype's kind is not copied, and is read when the call is made
   * @throws ConfigError `INVALID_OPTION` naming the input and what does not fit, such as a length other than the shape's.
   */
  addFeed<D extends BladeDType>(
    name: string,
    batchSize: number,
    shape: readonly number[],
    dtype: D,
    values: TensorValues<D>,
  ): void {
    checkNumber(batchSize, `batch size of feed "${name}"`, { min: 0, max: 2 ** 31 - 1 });
    checkFeedDType(dtype, `feed ${seen(name)}`, blade);
    this.#inputs.set(name, { name, batchSize, tensor: feedTensor(name, shape, dtype, values) });
  }

  /**
   * Asks for an output.
   *
   * @param dtype - what it is, if that is known
   * @throws ConfigError `INVALID_OPTION` for a dtype that Blade's messages cannot hold.
   */
  addFetch(name: string, dtype?: BladeDType): void {
    if (dtype !== undefined) checkFeedDType(dtype, `fetch ${seen(name)}`, blade);
    this.#fetches.set(name, dtype);
  }

  encode(): Uint8Array {
    return bladeMessages.encodeRequest({
      signatureName: this.#signatureName,
      inputs: [...this.#inputs.values()],
      fetches: Array.from(this.#fetches, ([name, dtype]) => ({ name, dtype })),
    });
  }

  /** @throws FormatError naming the field. */
  decode(body: Uint8Array): BladeResponse {
    const outputs = bladeMessages.decodeResponse(body);
    const tensors = new Map<string, Tensor>();
    for (const [name, { nameInDlModel, tensor: output }] of outputs) {
      tensors.set(name, this.#asFetched(name, output));
      // The other name, where it is another one.
      if (nameInDlModel !== "" && !outputs.has(nameInDlModel)) {
        tensors.set(nameInDlModel, this.#asFetched(nameInDlModel, output));
      }
    }
    return new BladeResponse(tensors);
  }

  /** An output without values does not say what it has none of. */
  #asFetched(name: string, output: Tensor): Tensor {
    const dtype = this.#fetches.get(name);
    return dtype === undefined || output.data.length > 0 ? output : tensor(dtype, output.shape, []);
  }
}

/**
 * The answer to a {@link BladeRequest}. Blade does not say what its outputs are: the dtype is that of the field which holds the
 * values; of an output without values it is what was fetched, or else `float32`.
 */
export class BladeResponse extends NamedTensors {}
