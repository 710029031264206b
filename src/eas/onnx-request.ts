import { seen } from "../core/options.js";
import type { TensorValues } from "../tensor/create-tensor.js";
import type { DType } from "../tensor/dtype.js";
import { onnxDialect } from "../tensor/onnx-dialect.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkFeedDType, type FeedFamily, feedTensor } from "./feed.js";
import { NamedTensors } from "./named-tensors.js";
import type { PredictRequest } from "./predict-request.js";
import { elementAt } from "./tensor-lookup.js";

/**
 * What an ONNX service is asked.
 *
 * @example
 * ```ts
 * const request = new OnnxRequest();
 * request.addFeed("x", [1, 3], OnnxRequest.FLOAT, [0.1, 0.2, 0.3]);
 * const answer = await client.predict(request);
 * console.log(answer.getValues("y"));
 * ```
 */
export class OnnxRequest implements PredictRequest<OnnxResponse> {
  static readonly FLOAT = "float32";
  static readonly UINT8 = "uint8";
  static readonly INT8 = "int8";
  static readonly UINT16 = "uint16";
  static readonly INT16 = "int16";
  static readonly INT32 = "int32";
  static readonly INT64 = "int64";
  static readonly FLOAT16 = "float16";
  static readonly DOUBLE = "float64";
  static readonly UINT32 = "uint32";
  static readonly UINT64 = "uint64";

  readonly #inputs = new Map<string, Tensor>();

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
    checkFeedDType(dtype, `feed ${seen(name)}`, onnx);
    this.addTensor(name, feedTensor(name, shape, dtype, values));
  }

  /**
   * Sets an input; again replaces.
   *
   * @returns its place among the inputs, from 0
   * @throws ConfigError `INVALID_OPTION` for a dtype that this class has no constant for.
   */
  addTensor(name: string, tensor: Tensor): number {
    checkFeedDType(tensor.dtype, `feed ${seen(name)}`, onnx);
    this.#inputs.set(name, tensor);
    return [...this.#inputs.keys()].indexOf(name);
  }

  encode(): Uint8Array {
    return onnxDialect.encodeRequest({
      inputs: this.#inputs,
      fetches: [],
      signatureName: "",
      debugLevel: 0,
    });
  }

  /** @throws FormatError naming the field. */
  decode(body: Uint8Array): OnnxResponse {
    return new OnnxResponse(onnxDialect.decodeResponse(body));
  }
}

/** What the class's constants stand for. */
const onnx: FeedFamily = { title: "ONNX", dtypes: new Set<DType>(Object.values(OnnxRequest)) };

/** The answer to an {@link OnnxRequest}: outputs by name, and by their place. */
export class OnnxResponse extends NamedTensors {
  /** How many outputs there are. */
  getSize(): number {
    return this.tensors.size;
  }

  /** @throws ConfigError `INVALID_OPTION` for an index beyond the outputs. */
  getName(index: number): string {
    return elementAt([...this.tensors.keys()], index);
  }

  /** @throws ConfigError `INVALID_OPTION` for an index beyond the outputs. */
  getTensor(index: number): Tensor {
    return elementAt([...this.tensors.values()], index);
  }
}
