import { servingError } from "../core/serving-error.js";
import { checkedTensor } from "../tensor/create-tensor.js";
import type { TensorDialect, TensorRequest } from "../tensor/dialect.js";
import type { Tensor } from "../tensor/tensor.js";
import { badAnswer, kindOf, textOf } from "./answer-errors.js";
import type { Call, TensorAnswer, TensorProcessorShape } from "./processor.js";

/**
 * Runs the `process` of a processor of tensors: a message of its dialect in, one out.
 *
 * @throws HostError `MALFORMED_REQUEST` naming the field, before `process` is called, or naming a wanted output that it did
 * not give; ProcessorError `PROCESSOR_BAD_ANSWER` naming the output; what `process` throws.
 */
export async function askTensors(
  processor: TensorProcessorShape,
  message: Uint8Array,
  call: Call,
): Promise<Uint8Array> {
  const { dialect } = processor.tensorSide;
  const request = decodeRequest(dialect, message);
  const outputs = checkOutputs(await processor.process(request.inputs, call, request));
  try {
    return dialect.encodeResponse(outputs, request.fetches);
  } catch (thrown) {
    // Of the request: it wants what there is not.
    if (isFormatError(thrown)) {
      throw servingError("MALFORMED_REQUEST", thrown.message, { cause: thrown });
    }
    const what = "process() returned what no answer can be made of";
    throw badAnswer(`${what}: ${textOf(thrown)}`, thrown);
  }
}

function decodeRequest(dialect: TensorDialect, message: Uint8Array): TensorRequest {
  try {
    return dialect.decodeRequest(message);
  } catch (cause) {
    if (!isFormatError(cause)) throw cause;
    const text = `the message is no ${dialect.name} request: ${cause.message}`;
    throw servingError("MALFORMED_REQUEST", text, { cause });
  }
}

// By its name and not its class: the module of a lane may have brought a second copy of the package.
function isFormatError(thrown: unknown): thrown is Error {
  return thrown instanceof Error && thrown.name === "FormatError";
}

function checkOutputs(answer: unknown): TensorAnswer {
  if (!(answer instanceof Map)) {
    throw badAnswer(`process() returned ${kindOf(answer)}, expected a Map of tensors by name`);
  }
  for (const [name, output] of answer as ReadonlyMap<unknown, unknown>) {
    if (typeof name !== "string") {
      throw badAnswer(`process() named an output with ${kindOf(name)}, expected a text`);
    }
    checkOutput(name, output);
  }
  return answer;
}

function checkOutput(name: string, output: unknown): void {
  const where = `process() returned ${kindOf(output)} as output ${JSON.stringify(name.slice(0, 80))}`;
  if (typeof output !== "object" || output === null || Array.isArray(output)) {
    throw badAnswer(`${where}, expected a tensor`);
  }
  try {
    // What it lacks of a tensor is what this looks for.
    checkedTensor(output as Tensor);
  } catch (thrown) {
    throw badAnswer(`${where}, expected a tensor: ${textOf(thrown)}`, thrown);
  }
}
