import { tensorflowArrays } from "./array-family.js";
import { arrayMapParts, readArrayEntry } from "./array-map.js";
import { bulkOffset } from "./bulk-offset.js";
import { DecodeBudget } from "./decode-budget.js";
import type { TensorDialect } from "./dialect.js";
import { fetchedOutputs } from "./fetches.js";
import { encodeParts, textElement, textField } from "./proto-parts.js";
import { ProtoReader } from "./proto-reader.js";
import { refuseParts } from "./request-parts.js";
import type { Tensor } from "./tensor.js";

/** TensorFlow's messages: everything is named. */
export const tensorflowDialect: TensorDialect = {
  name: "tensorflow",

  encodeRequest(request) {
    refuseParts("TensorFlow", request, ["debugLevel"]);
    return encodeParts([
      ...textField(1, request.signatureName),
      ...arrayMapParts(2, "inputs", request.inputs, tensorflowArrays),
      ...request.fetches.map((name) => textElement(3, name)),
    ]);
  },

  decodeRequest(message) {
    const reader = new ProtoReader(message);
    const budget = new DecodeBudget();
    const inputs = new Map<string, Tensor>();
    const fetches: string[] = [];
    let signatureName = "";
    while (reader.next()) {
      if (reader.field === 1) signatureName = reader.text("signature_name");
      else if (reader.field === 2)
        readArrayEntry(reader, "inputs", tensorflowArrays, inputs, budget);
      else if (reader.field === 3) {
        budget.takeStrings(1, "output_filter");
        fetches.push(reader.text("output_filter"));
      } else reader.skip();
    }
    return { inputs, fetches, signatureName, debugLevel: 0 };
  },

  encodeResponse(outputs, fetches) {
    const fetched = new Map(fetchedOutputs(outputs, fetches));
    return encodeParts(arrayMapParts(1, "outputs", fetched, tensorflowArrays));
  },

  decodeResponse(message) {
    const reader = new ProtoReader(message);
    const budget = new DecodeBudget();
    const outputs = new Map<string, Tensor>();
    while (reader.next()) {
      if (reader.field === 1) readArrayEntry(reader, "outputs", tensorflowArrays, outputs, budget);
      else reader.skip();
    }
    return outputs;
  },

  bulkOffset: (head) => bulkOffset(head, ["2.2.3", "2.2.4"]),
};
