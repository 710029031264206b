import { servingError } from "../core/serving-error.js";
import { bulkOffset } from "./bulk-offset.js";
import type { TensorDialect } from "./dialect.js";
import { fetchedOutputs } from "./fetches.js";
import { FormatError } from "./format-error.js";
import { type ListAndMap, pytorchMessages } from "./pytorch-messages.js";
import { refuseParts } from "./request-parts.js";
import type { Tensor } from "./tensor.js";
import { quoted } from "./texts.js";

const MAX_INT32 = 2 ** 31 - 1;

/** Lists the tensors called 0 to n-1, in that order; the others keep their names. */
function listed(tensors: ReadonlyMap<string, Tensor>): ListAndMap {
  const list: Tensor[] = [];
  for (let next = tensors.get("0"); next !== undefined; next = tensors.get(String(list.length)))
    list.push(next);
  const named = new Map(tensors);
  for (const index of list.keys()) named.delete(String(index));
  return { list, named };
}

/** Calls what is listed by its index; what is empty there is left out. */
function called({ list, named }: ListAndMap, name: string): ReadonlyMap<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [index, tensor] of list.entries())
    if (tensor !== undefined) tensors.set(String(index), tensor);
  for (const [key, tensor] of named) {
    if (tensors.has(key))
      throw new FormatError(`${name}[${key}] and a named one are both called ${quoted(key)}`);
    tensors.set(key, tensor);
  }
  return tensors;
}

function fetchNumber(name: string): number {
  const index = Number(name);
  if (String(index) === name && Number.isInteger(index) && index >= 0 && index <= MAX_INT32)
    return index;
  throw servingError(
    "INVALID_OPTION",
    `fetch ${quoted(name)}: PyTorch outputs are fetched by index`,
  );
}

/** PyTorch's messages; tensors in a list are called by their index. */
export const pytorchDialect: TensorDialect = {
  name: "pytorch",

  encodeRequest(request) {
    refuseParts("PyTorch", request, ["signatureName"]);
    const { inputs, fetches, debugLevel } = request;
    return pytorchMessages.encodeRequest({
      ...listed(inputs),
      fetches: fetches.map(fetchNumber),
      debugLevel,
    });
  },

  decodeRequest(message) {
    const { fetches, debugLevel, ...inputs } = pytorchMessages.decodeRequest(message);
    return {
      inputs: called(inputs, "inputs"),
      fetches: fetches.map(String),
      signatureName: "",
      debugLevel,
    };
  },

  encodeResponse(outputs, fetches) {
    if (fetches.length === 0) return pytorchMessages.encodeResponse(listed(outputs));
    const list = fetchedOutputs(outputs, fetches).map(([, tensor]) => tensor);
    return pytorchMessages.encodeResponse({ list, named: new Map() });
  },

  decodeResponse: (message) => called(pytorchMessages.decodeResponse(message), "outputs"),

  bulkOffset: (head) => bulkOffset(head, ["1.3", "1.4", "3.2.3", "3.2.4"]),
};
