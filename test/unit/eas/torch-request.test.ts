import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { PredictRequest, PredictResponse } from "../../../gen/eas/torch/predict.js";
import { TorchRequest } from "../../../src/eas/torch-request.js";
import { FormatError } from "../../../src/tensor/format-error.js";
import { arrayMessage, arraySamples } from "../../support/eas-arrays.js";

const refused = (message: RegExp) =>
  expect.objectContaining({ reason: "INVALID_OPTION", message: expect.stringMatching(message) });

/** Of all that PyTorch's messages can hold. */
const samples = arraySamples.filter(({ dtype }) => dtype !== "bool");

const answer = (message: Parameters<typeof PredictResponse.fromPartial>[0]) =>
  new TorchRequest().decode(PredictResponse.encode(PredictResponse.fromPartial(message)).finish());

describe("TorchRequest", () => {
  it("writes the bytes that the Python SDK writes", () => {
    const request = new TorchRequest();
    request.addFeed(0, [1, 2], TorchRequest.DT_FLOAT, [1, 2]);
    request.addFeed(1, [1], TorchRequest.DT_INT64, [-1]);
    request.addFetch(0);
    expect(Buffer.from(request.encode()).toString("hex")).toBe(
      "0a12080112040a0201021a080000803f000000400a13080912030a01013a0affffffffffffffffff01120100",
    );
  });

  it.each(samples)("feeds $dtype as the generated encoder does", ({ dtype, data, message }) => {
    const request = new TorchRequest();
    request.addFeed(0, [2], dtype, data);
    request.addFeedMap("x", [2], dtype, data);
    request.addFetch(3);
    request.addFetch(1);
    request.setDebugLevel(-2);
    const expected = PredictRequest.fromPartial({
      inputs: [message],
      outputFilter: [3, 1],
      mapInputs: new Map([["x", message]]),
      debugLevel: -2,
    });
    expect(Buffer.from(request.encode())).toEqual(
      Buffer.from(PredictRequest.encode(expected).finish()),
    );
  });

  it("fills up with empty inputs before an index, and replaces at one", () => {
    const request = new TorchRequest();
    request.addFeed(2, [1], "int32", [5]);
    request.addFeed(2, [1], "int32", [6]);
    request.addFeed(0, [1], "int32", [4]);
    const { inputs } = PredictRequest.decode(request.encode());
    expect(inputs.map(({ dtype, intVal }) => [dtype, ...intVal])).toEqual([[3, 4], [0], [3, 6]]);
  });

  it("replaces a feed of the same name, and keeps names that look like an index apart", () => {
    const request = new TorchRequest();
    request.addFeedMap("0", [2], "float32", [1, 2]);
    request.addFeedMap("0", [1], "float32", [3]);
    const { inputs, mapInputs } = PredictRequest.decode(request.encode());
    expect(inputs).toEqual([]);
    expect(mapInputs.get("0")).toMatchObject({ floatVal: [3], arrayShape: { dim: [1n] } });
  });

  it.each<[string, (request: TorchRequest) => void, RegExp]>([
    ["a negative index", (r) => r.addFeed(-1, [0], "int32", []), /index is -1/],
    ["half an index", (r) => r.addFetch(0.5), /index is 0.5/],
    ["an index that nobody means", (r) => r.addFeed(1e9, [0], "int32", []), /from 0 to 65535/],
    ["another length", (r) => r.addFeed(3, [2], "int32", [1]), /feed 3: 1 values, but shape \[2\]/],
    [
      "bools",
      (r) => r.addFeed(0, [1], "bool", [true]),
      /dtype of feed 0 is "bool", PyTorch messages hold float32/,
    ],
    ["a level beyond int32", (r) => r.setDebugLevel(2 ** 40), /debugLevel/],
  ])("refuses %s", (_, use, message) => {
    expect(() => use(new TorchRequest())).toThrow(refused(message));
  });
});

describe("TorchResponse", () => {
  it.each(samples)("reads $dtype by index and by name", ({ dtype, data, message }) => {
    const response = answer({ outputs: [message], mapOutputs: new Map([["y", message]]) });
    expect(response.getValues(0, dtype)).toEqual(data);
    expect(response.getTensorShape(0)).toEqual([2]);
    expect(response.getValuesMap("y", dtype)).toEqual(data);
    expect(response.getTensorShapeMap("y")).toEqual([2]);
    expect(response.tensors[0]?.dtype).toBe(dtype);
    expect(response.tensorMap.get("y")?.dtype).toBe(dtype);
  });

  it("keeps a named output called 0 apart from the first", () => {
    const response = answer({
      outputs: [arrayMessage(3, [1n], { intVal: [1] })],
      mapOutputs: new Map([["0", arrayMessage(3, [1n], { intVal: [2] })]]),
    });
    expect(response.getValues(0)).toEqual(Int32Array.of(1));
    expect(response.getValuesMap("0")).toEqual(Int32Array.of(2));
  });

  it("refuses indices beyond the outputs and unknown names, saying what there is", () => {
    const response = answer({
      outputs: [arrayMessage(3, [1n], { intVal: [1] })],
      mapOutputs: new Map([["probs", arrayMessage(3, [1n], { intVal: [2] })]]),
    });
    expect(() => response.getValues(1)).toThrow(refused(/no output 1, expected 0 to 0/));
    expect(() => response.getTensorShape(-1)).toThrow(refused(/no output -1/));
    expect(() => response.getValuesMap("prob")).toThrow(refused(/it has "probs"$/));
    expect(() => response.getTensorShapeMap("0")).toThrow(refused(/no output "0", it has "probs"/));
    expect(() => answer({}).getValues(0)).toThrow(refused(/no output 0, it has none/));
  });

  it("has texts of string outputs", () => {
    const message = arrayMessage(7, [1n], { stringVal: [new TextEncoder().encode("é")] });
    const response = answer({ outputs: [message], mapOutputs: new Map([["s", message]]) });
    expect(response.getStrings(0)).toEqual(["é"]);
    expect(response.getStringsMap("s")).toEqual(["é"]);
  });

  it("prints indices and names, dtypes, shapes and first values", () => {
    const message = arrayMessage(1, [1n, 2n], { floatVal: [0.1, 2] });
    const response = answer({ outputs: [message], mapOutputs: new Map([["y", message]]) });
    expect(inspect(response)).toBe(
      "TorchResponse {\n  0: Tensor float32 [1, 2] { 0.1, 2 }\n  y: Tensor float32 [1, 2] { 0.1, 2 }\n}",
    );
  });

  it("is its text in JSON", () => {
    const response = answer({ outputs: [arrayMessage(3, [1n], { intVal: [1] })] });
    expect(JSON.stringify([response])).toBe(JSON.stringify([String(response)]));
  });

  it("refuses what is no such answer", () => {
    expect(() => new TorchRequest().decode(Uint8Array.of(0x0a, 5, 1))).toThrow(FormatError);
    expect(() => answer({ outputs: [{}] })).toThrow(
      new FormatError("outputs[0] is empty, expected an array"),
    );
  });
});
