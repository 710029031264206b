import { checkOneOf } from "../core/options.js";
import type { Call, TensorAnswer } from "../processor/processor.js";
import type { TensorSide } from "../processor/tensor-side.js";
import type { TensorSignature } from "../processor/tensor-signature.js";
import type { DialectName, TensorRequest } from "../tensor/dialect.js";
import { dialectOf } from "../tensor/dialect-of.js";
import type { Tensor } from "../tensor/tensor.js";
import { Processor } from "./base-processor.js";
import type { HostOptions } from "./host-options.js";
import { checkSignature } from "./published-signature.js";

/** What `dialect` may be. */
const dialectNames: readonly DialectName[] = ["tensorflow", "pytorch", "onnx"];

/** Options of a {@link TensorProcessor}. */
export interface TensorProcessorOptions extends HostOptions {
  /** Messages that callers send and get: those of EAS's TensorFlow, PyTorch or ONNX processor. */
  readonly dialect: DialectName;
  /**
   * What `GET /api/predict/NAME` tells of the inputs and outputs; only with the dialect `tensorflow`. Nothing is checked by
   * it. @defaultValue none: GET is refused
   */
  readonly signature?: TensorSignature | undefined;
}

/**
 * A processor of named tensors, for the callers of EAS's TensorFlow, PyTorch and ONNX processors. What does not decode is
 * refused with a text that names the field, and never gets to `process`.
 *
 * @example
 * class Double extends TensorProcessor {
 *   constructor() {
 *     super({ dialect: "tensorflow" });
 *   }
 *   process(inputs: ReadonlyMap<string, Tensor>) {
 *     const x = inputs.get("x");
 *     if (x?.dtype !== "float32") throw new ServerError(Status.INVALID_ARGUMENT, "x: expected float32");
 *     return new Map([["y", tensor("float32", x.shape, x.data.map((value) => 2 * value))]]);
 *   }
 * }
 */
export abstract class TensorProcessor extends Processor {
  /** For the host. */
  readonly tensorSide: TensorSide;

  /**
   * @param options - the dialect, the signature, and options of the host
   * @throws ConfigError for options that make no sense, a signature among them.
   */
  constructor(options: TensorProcessorOptions) {
    const { dialect, signature, ...hostOptions } = options;
    super(hostOptions);
    checkOneOf(dialect, "options.dialect", dialectNames);
    this.tensorSide = {
      dialect: dialectOf(dialect),
      signature: checkSignature(signature, dialect),
    };
  }

  /**
   * Answers one call; calls overlap when it waits for something.
   *
   * @param inputs - by name; PyTorch's without one are called `"0"`, `"1"`, … Their data may be views over the message, which
   * they keep in memory: `copy()` what outlives the call
   * @param request - besides the inputs, which outputs the caller wants, and under which signature; outputs that it does not
   * want are left out by the host
   * @returns the outputs by name. To be answered with an error, throw a `ServerError`.
   */
  abstract process(
    inputs: ReadonlyMap<string, Tensor>,
    call: Call,
    request: TensorRequest,
  ): TensorAnswer | Promise<TensorAnswer>;
}
