import { tensorflowArrays } from "../tensor/array-family.js";
import type { TensorValues } from "../tensor/create-tensor.js";
import type { DType } from "../tensor/dtype.js";
import { tensorflowDialect } from "../tensor/tensorflow-dialect.js";
import { ArrayRequest } from "./array-request.js";
import { NamedTensors } from "./named-tensors.js";
import type { PredictRequest } from "./predict-request.js";

/**
 * What a TensorFlow service is asked.
 *
 * @example
 * ```ts
 * const request = new TFRequest("predict_images");
 * request.addFeed("images", [1, 784], TFRequest.DT_FLOAT, new Float32Array(784));
 * request.addFetch("scores");
 * const answer = await client.predict(request);
 * console.log(answer.getValues("scores"));
 * ```
 */
export class TFRequest extends ArrayRequest implements PredictRequest<TFResponse> {
  readonly #fetches = new Set<string>();
  #signatureName: string;

  /** @param signatureName - empty for a model that has only one */
  constructor(signatureName = "") {
    super(tensorflowArrays);
    this.#signatureName = signatureName;
  }

  /** Says which signature of the model is meant; empty for one that has only one. */
  setSignatureName(signatureName: string): void {
    this.#signatureName = signatureName;
  }

  /**
   * Sets an input; again replaces.
   *
   * @param shape - outermost dimension first; empty for a single value
   * @param dtype - one of this class's constants, or the kit's name of a dtype
   * @param values - in row-major order; a typed array of the dtype's kind is not copied, and is read when the call is made
   * @throws ConfigError `INVALID_OPTION` naming the input and what does not fit, such as a length other than the shape's.
   */
  addFeed<D extends DType>(
    name: string,
    shape: readonly number[],
    dtype: D,
    values: TensorValues<D>,
  ): void {
    this.namedInputs.set(name, this.input(name, shape, dtype, values));
  }

  /** Asks for an output; without any, all come. Frozen graphs need at least one. */
  addFetch(name: string): void {
    this.#fetches.add(name);
  }

  encode(): Uint8Array {
    return tensorflowDialect.encodeRequest({
      inputs: this.namedInputs,
      fetches: [...this.#fetches],
      signatureName: this.#signatureName,
      debugLevel: 0,
    });
  }

  /** @throws FormatError naming the field. */
  decode(body: Uint8Array): TFResponse {
    return new TFResponse(tensorflowDialect.decodeResponse(body));
  }
}

/** The answer to a {@link TFRequest}. */
export class TFResponse extends NamedTensors {}
