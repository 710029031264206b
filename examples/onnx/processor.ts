import {
  BaseProcessor,
  type HostOptions,
  type ProcessorContext,
  ServerError,
  Status,
} from "inferwire/host";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { bytesOf, floatsOf } from "./floats.js";

/** A float32 tensor of a model. */
export interface TensorShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** What a call carries into a model and out of it. */
export interface ModelSignature {
  /** The request: these tensors one after the other. */
  readonly inputs: readonly TensorShape[];
  /** Inputs that are the same in every call: int64 numbers without a shape. */
  readonly constants?: Readonly<Record<string, bigint>>;
  /** The answer: these tensors one after the other. */
  readonly outputs: readonly string[];
}

type Runtime = typeof import("onnxruntime-node");
type Loaded = { readonly runtime: Runtime; readonly session: InferenceSession };

/** Runs any .onnx file (option `modelPath`) whose inputs and outputs are float32. */
export class OnnxProcessor extends BaseProcessor {
  readonly #signature: ModelSignature;
  readonly #requestBytes: number;
  #loaded: Loaded | undefined;

  /**
   * @param signature - What a call carries; names and shapes are those of the .onnx file.
   * @param options - Options of the host, `modelPath` among them.
   */
  constructor(signature: ModelSignature, options: HostOptions) {
    super(options);
    this.#signature = signature;
    this.#requestBytes = 4 * signature.inputs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  }

  /**
   * Loads runtime and model; in each lane.
   *
   * @throws Error when there is no such model, or when its inputs or outputs have other names.
   */
  override async initialize({ modelPath, logger }: ProcessorContext): Promise<void> {
    if (modelPath === undefined) throw new Error("modelPath is missing, expected an .onnx file");
    // Not at the top: the host's own process loads this file too, and needs no runtime when lanes do the work.
    const runtime = await import("onnxruntime-node");
    const session = await runtime.InferenceSession.create(modelPath, {
      // A lane is one call at a time on one core; several lanes are what uses several cores.
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: "sequential",
    });
    const { inputs, constants = {}, outputs } = this.#signature;
    checkNames("inputs", session.inputNames, [
      ...inputs.map(({ name }) => name),
      ...Object.keys(constants),
    ]);
    checkNames("outputs", session.outputNames, outputs);
    this.#loaded = { runtime, session };
    logger.info({ modelPath }, "model loaded");
  }

  override async process(data: Uint8Array): Promise<Uint8Array> {
    return this.postProcess(await this.#model().session.run(this.preProcess(data)));
  }

  /**
   * Cuts a request into the model's inputs. Your own scaling or tokenising goes here.
   *
   * @throws ServerError `INVALID_ARGUMENT` for a request of another length.
   */
  override preProcess(data: Uint8Array): Record<string, Tensor> {
    if (data.byteLength !== this.#requestBytes) {
      const parts = this.#signature.inputs.map(({ name, shape }) => `${name} [${shape}]`);
      throw new ServerError(
        Status.INVALID_ARGUMENT,
        `request has ${data.byteLength} bytes, expected ${this.#requestBytes}: float32 ${parts.join(", ")}`,
      );
    }
    const { runtime } = this.#model();
    const floats = floatsOf(data);
    const feeds: Record<string, Tensor> = {};
    let start = 0;
    for (const { name, shape } of this.#signature.inputs) {
      const end = start + sizeOf(shape);
      feeds[name] = new runtime.Tensor("float32", floats.subarray(start, end), shape);
      start = end;
    }
    for (const [name, value] of Object.entries(this.#signature.constants ?? {})) {
      feeds[name] = new runtime.Tensor("int64", BigInt64Array.of(value), []);
    }
    return feeds;
  }

  /** Joins the model's outputs to an answer. Your own choosing and sorting goes here. */
  override postProcess(results: InferenceSession.OnnxValueMapType): Uint8Array {
    const parts = this.#signature.outputs.map((name) => {
      const data = results[name]?.data;
      if (!(data instanceof Float32Array)) throw new Error(`output ${name} is not float32`);
      return bytesOf(data);
    });
    return Buffer.concat(parts);
  }

  override async dispose(): Promise<void> {
    await this.#loaded?.session.release();
    this.#loaded = undefined;
  }

  #model(): Loaded {
    if (this.#loaded === undefined) throw new Error("the model is not loaded");
    return this.#loaded;
  }
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function checkNames(what: string, seen: readonly string[], expected: readonly string[]): void {
  if (seen.toSorted().join() === expected.toSorted().join()) return;
  throw new Error(`the model's ${what} are ${seen.join(", ")}, expected ${expected.join(", ")}`);
}
