import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { PredictRequest, PredictResponse } from "../../../gen/eas/caffe/predict.js";
import { CaffeRequest } from "../../../src/eas/caffe-request.js";
import { FormatError } from "../../../src/tensor/format-error.js";

const refused = (message: RegExp) =>
  expect.objectContaining({ reason: "INVALID_OPTION", message: expect.stringMatching(message) });

const answer = (message: Parameters<typeof PredictResponse.fromPartial>[0]) =>
  new CaffeRequest().decode(PredictResponse.encode(PredictResponse.fromPartial(message)).finish());

describe("CaffeRequest", () => {
  it("encodes as the generated encoder does; a name again replaces", () => {
    const request = new CaffeRequest();
    request.addFeed("a", [3], [7, 8, 9]);
    request.addFeed("b", [1], Float32Array.of(3));
    request.addFeed("a", [1, 2], [0.5, 1]);
    request.addFetch("prob");
    request.addFetch("prob");
    const expected = PredictRequest.fromPartial({
      inputName: ["a", "b"],
      inputData: [
        { shape: { dim: [1n, 2n] }, data: [0.5, 1] },
        { shape: { dim: [1n] }, data: [3] },
      ],
      outputFilter: ["prob"],
    });
    expect(Buffer.from(request.encode())).toEqual(
      Buffer.from(PredictRequest.encode(expected).finish()),
    );
  });

  it("refuses a length that is not the shape's", () => {
    expect(() => new CaffeRequest().addFeed("a", [2], [1])).toThrow(
      refused(/feed "a": 1 values, but shape \[2\]/),
    );
  });
});

describe("CaffeResponse", () => {
  const response = answer({
    outputName: ["x", "prob"],
    outputData: [{ shape: { dim: [1n, 2n] }, data: [0.5, 1] }, { data: [3] }],
  });

  it("matches names and arrays by position", () => {
    expect(response.getValues("x")).toEqual(Float32Array.of(0.5, 1));
    expect(response.getTensorShape("x")).toEqual([1, 2]);
    expect(response.getValues("prob", "float32")).toEqual(Float32Array.of(3));
    expect(() => response.getValues("y")).toThrow(refused(/it has "x", "prob"/));
  });

  it("prints names, dtypes, shapes and first values", () => {
    expect(inspect(response)).toBe(
      "CaffeResponse {\n  x: Tensor float32 [1, 2] { 0.5, 1 }\n  prob: Tensor float32 [1] { 3 }\n}",
    );
  });

  it.each([
    ["more names than arrays", { outputName: ["a", "b"], outputData: [{ data: [1] }] }],
    ["more arrays than names", { outputData: [{ data: [1] }] }],
    ["a name twice", { outputName: ["a", "a"], outputData: [{ data: [1] }, { data: [1] }] }],
    [
      "data that does not fit",
      { outputName: ["a"], outputData: [{ shape: { dim: [2n] }, data: [1] }] },
    ],
  ])("refuses %s", (_, message) => {
    expect(() => answer(message)).toThrow(FormatError);
  });
});
