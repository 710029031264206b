import { caffeMessages } from "../tensor/caffe-messages.js";
import type { TensorValues } from "../tensor/create-tensor.js";
import type { Tensor } from "../tensor/tensor.js";
import { feedTensor } from "./feed.js";
import { NamedTensors } from "./named-tensors.js";
import type { PredictRequest } from "./predict-request.js";

/**
 * What a Caffe service is asked. All its numbers are 32-bit floats.
 *
 * @example
 * ```ts
 * const request = new CaffeRequest();
 * request.addFeed("data", [1, 3], [0.1, 0.2, 0.3]);
 * request.addFetch("prob");
 * const answer = await client.predict(request);
 * console.log(answer.getValues("prob"));
 * ```
 */
export class CaffeRequest implements PredictRequest<CaffeResponse> {
  readonly #inputs = new Map<string, Tensor<"float32">>();
  readonly #fetches = new Set<string>();

  /**
   * Sets an input; again replaces.
   *
   * @param shape - outermost dimension first
   * @param values - in row-major order; a Float32Array is not copied, and is read when the call is made
   * @throws ConfigError `INVALID_OPTION` naming the input and what does not fit, such as a length other than the shape's.
   */
  addFeed(name: string, shape: readonly number[], values: TensorValues<"float32">): void {
    this.#inputs.set(name, feedTensor(name, shape, "float32", values));
  }

  /** Asks for an output. */
  addFetch(name: string): void {
    this.#fetches.add(name);
  }

  encode(): Uint8Array {
    return caffeMessages.encodeRequest({ inputs: this.#inputs, fetches: [...this.#fetches] });
  }

  /** @throws FormatError naming the field, or when there are more names than outputs, or fewer. */
  decode(body: Uint8Array): CaffeResponse {
    return new CaffeResponse(caffeMessages.decodeResponse(body));
  }
}

/** The answer to a {@link CaffeRequest}. */
export class CaffeResponse extends NamedTensors {}
