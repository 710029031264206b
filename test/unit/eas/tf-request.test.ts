import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import {
  ArrayDataType,
  type ArrayProto,
  PredictRequest,
  PredictResponse,
} from "../../../gen/eas/tensorflow/predict.js";
import { TFRequest } from "../../../src/eas/tf-request.js";
import { FormatError } from "../../../src/tensor/format-error.js";
import { arrayMessage, arraySamples } from "../../support/eas-arrays.js";

const refused = (message: RegExp) =>
  expect.objectContaining({ reason: "INVALID_OPTION", message: expect.stringMatching(message) });

const golden =
  "0a0e707265646963745f696d61676573121c0a06696d616765731212080112040a0201021a080000803f000000401a0673636f726573";

function answer(outputs: Map<string, ArrayProto>) {
  return new TFRequest().decode(PredictResponse.encode({ outputs }).finish());
}

describe("TFRequest", () => {
  it("writes the bytes that the Python SDK writes", () => {
    const request = new TFRequest("predict_images");
    request.addFeed("images", [1, 2], TFRequest.DT_FLOAT, [1, 2]);
    request.addFetch("scores");
    expect(Buffer.from(request.encode()).toString("hex")).toBe(golden);
  });

  it.each(arraySamples)(
    "feeds $dtype as the generated encoder does",
    ({ dtype, data, message }) => {
      const request = new TFRequest();
      request.setSignatureName("s");
      request.addFeed("x", [2], dtype, data);
      const expected = PredictRequest.fromPartial({
        signatureName: "s",
        inputs: new Map([["x", message]]),
      });
      expect(Buffer.from(request.encode())).toEqual(
        Buffer.from(PredictRequest.encode(expected).finish()),
      );
    },
  );

  it("has a constant for every dtype that the message can hold", () => {
    for (const { dtype, message } of arraySamples) {
      const name = Object.entries(ArrayDataType).find(
        ([, number]) => number === message.dtype,
      )?.[0];
      expect(Reflect.get(TFRequest, name ?? "")).toBe(dtype);
    }
    expect(arraySamples).toHaveLength(19);
    const request = new TFRequest();
    request.addFeed("x", [1], TFRequest.DT_HALF, [0.5]);
    expect(PredictRequest.decode(request.encode()).inputs.get("x")?.dtype).toBe(19);
  });

  it("replaces a feed of the same name, where the Python SDK appends to it", () => {
    const request = new TFRequest();
    request.addFeed("x", [2], "float32", [1, 2]);
    request.addFeed("x", [1], "int64", [3n]);
    const sent = PredictRequest.decode(request.encode()).inputs;
    expect([...sent.keys()]).toEqual(["x"]);
    expect(sent.get("x")).toMatchObject({
      arrayShape: { dim: [1n] },
      int64Val: [3n],
      floatVal: [],
    });
  });

  it("needs no signature name, and asks for an output once", () => {
    const request = new TFRequest();
    request.addFetch("a");
    request.addFetch("b");
    request.addFetch("a");
    expect(PredictRequest.decode(request.encode())).toMatchObject({
      signatureName: "",
      outputFilter: ["a", "b"],
    });
  });

  it.each<[unknown, string]>([
    ["flaot32", '"flaot32"'],
    ["DT_FLOAT", '"DT_FLOAT"'],
    ["uint32", '"uint32"'],
    ["toString", '"toString"'],
    [Reflect.get(TFRequest, "DT_UINT32"), "undefined"],
    [1, "1"],
  ])("refuses the dtype %s, naming its own", (dtype, shown) => {
    const request = new TFRequest();
    expect(() => request.addFeed("x", [9], dtype as "float32", [1])).toThrow(
      refused(
        new RegExp(`^dtype of feed "x" is ${shown}, TensorFlow messages hold float32, .*float16$`),
      ),
    );
  });

  it("refuses a list of lists, whatever the shape", () => {
    const request = new TFRequest();
    const nested: unknown = [[1, 2, 3]];
    expect(() => request.addFeed("x", [1, 3], "float32", nested as number[])).toThrow(
      refused(/feed "x": values\[0\] is a list, expected flat values/),
    );
  });

  it("refuses a feed whose length is not its shape's, or with a value out of range", () => {
    const request = new TFRequest();
    expect(() => request.addFeed("images", [1, 3], "float32", new Float32Array(2))).toThrow(
      refused(/feed "images": 2 values, but shape \[1, 3\] of float32 has 3/),
    );
    expect(() => request.addFeed("images", [1], "uint8", [256])).toThrow(refused(/values\[0\]/));
  });
});

describe("TFResponse", () => {
  it.each(arraySamples)("reads $dtype", ({ dtype, data, message }) => {
    const response = answer(new Map([["y", message]]));
    expect(response.getValues("y", dtype)).toEqual(data);
    expect(response.getTensorShape("y")).toEqual([2]);
    expect(response.tensors.get("y")?.dtype).toBe(dtype);
  });

  it("refuses names that it has no output for, and lists those that it has", () => {
    const response = answer(
      new Map([
        ["scores", arrayMessage(1, [1n], { floatVal: [1] })],
        ["labels", arrayMessage(3, [1n], { intVal: [1] })],
      ]),
    );
    const unknown = refused(
      /no output "score", it has "scores", "labels"; did you mean "scores"\?/,
    );
    expect(() => response.getValues("score")).toThrow(unknown);
    expect(() => response.getTensorShape("score")).toThrow(unknown);
    expect(() => response.getStrings("score")).toThrow(unknown);
    expect(() => response.getValues("toString")).toThrow(refused(/no output "toString"/));
    expect([...response.tensors.keys()]).toEqual(["scores", "labels"]);
    expect(() => answer(new Map()).getValues("x")).toThrow(refused(/no output "x", it has none$/));
  });

  it("has texts of a string output, and bytes", () => {
    const bytes = new TextEncoder().encode("é");
    const response = answer(
      new Map([
        ["s", arrayMessage(7, [2n], { stringVal: [bytes, Uint8Array.of(0xff)] })],
        ["n", arrayMessage(3, [1n], { intVal: [1] })],
      ]),
    );
    expect(response.getStrings("s")).toEqual(["é", "\ufffd"]);
    expect(response.getValues("s", "string")[0]).toEqual(bytes);
    expect(() => response.getStrings("n")).toThrow(
      refused(/output "n" is of int32, expected string/),
    );
    expect(() => response.getValues("n", "float32")).toThrow(
      refused(/is of int32, expected float32/),
    );
  });

  it("prints names, dtypes, shapes and first values; many outputs shortened", () => {
    const floats = arrayMessage(1, [1n, 10n], { floatVal: Array(10).fill(0.1) });
    expect(inspect(answer(new Map([["scores", floats]])))).toBe(
      "TFResponse {\n  scores: Tensor float32 [1, 10] { 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, ... }\n}",
    );
    const many = answer(new Map(Array.from({ length: 30 }, (_, i) => [`t${i}`, floats])));
    expect(String(many).split("\n")).toHaveLength(23);
    expect(String(many)).toContain("  ... 10 more\n");
    expect(String(answer(new Map()))).toBe("TFResponse {}");
    expect(String(answer(new Map([["a\nb", floats]])))).toContain('"a\\nb": Tensor');
  });

  it("is its text in JSON", () => {
    const response = answer(new Map([["y", arrayMessage(1, [1n], { floatVal: [0.5] })]]));
    expect(JSON.parse(JSON.stringify({ response }))).toEqual({
      response: "TFResponse {\n  y: Tensor float32 [1] { 0.5 }\n}",
    });
  });

  it.each([
    ["what is cut short", Uint8Array.of(0x0a, 5, 1)],
    ["a text", new TextEncoder().encode("<html>not found</html>")],
    [
      "data that does not fit its shape",
      PredictResponse.encode(
        PredictResponse.fromPartial({
          outputs: new Map([["y", arrayMessage(1, [3n], { floatVal: [1] })]]),
        }),
      ).finish(),
    ],
  ])("refuses %s", (_, body) => {
    expect(() => new TFRequest().decode(body)).toThrow(FormatError);
  });
});
