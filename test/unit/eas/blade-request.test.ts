import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Request, Response } from "../../../gen/eas/blade/predict.js";
import { BladeRequest } from "../../../src/eas/blade-request.js";
import { FormatError } from "../../../src/tensor/format-error.js";

const refused = (message: RegExp) =>
  expect.objectContaining({ reason: "INVALID_OPTION", message: expect.stringMatching(message) });

const samples = [
  ["DT_FLOAT", 1, Float32Array.of(0.5, -2), { floatVal: [0.5, -2] }],
  ["DT_INT32", 2, Int32Array.of(-1, 7), { intVal: [-1, 7] }],
  ["DT_INT64", 3, BigInt64Array.of(-1n, 2n ** 62n), { int64Val: [-1n, 2n ** 62n] }],
  [
    "DT_STRING",
    4,
    [Uint8Array.of(97), Uint8Array.of()],
    { stringVal: [Uint8Array.of(97), Uint8Array.of()] },
  ],
] as const;

type Output = NonNullable<Parameters<typeof Response.fromPartial>[0]["outputs"]>[number];

function answer(outputs: readonly Output[], request = new BladeRequest()) {
  return request.decode(Response.encode(Response.fromPartial({ outputs: [...outputs] })).finish());
}

describe("BladeRequest", () => {
  it.each(samples)(
    "feeds and fetches %s as the generated encoder does",
    (name, number, data, values) => {
      const dtype = BladeRequest[name];
      const request = new BladeRequest("s");
      request.addFeed("x", 2, [2, 1], dtype as "float32", data as Float32Array);
      request.addFetch("y", dtype);
      request.addFetch("z");
      const expected = Request.fromPartial({
        tfSignatureName: "s",
        inputs: [
          {
            bladeBlobName: "x",
            nameInDlModel: "x",
            batchsize: 2,
            shape: { dim: [2n, 1n] },
            ...(values as object),
          },
        ],
        outputInfo: [
          { bladeBlobName: "y", nameInDlModel: "y", dataType: number },
          { bladeBlobName: "z", nameInDlModel: "z" },
        ],
      });
      expect(Buffer.from(request.encode())).toEqual(Buffer.from(Request.encode(expected).finish()));
    },
  );

  it("writes a batch size of 0, without which proto2 readers refuse the message", () => {
    const request = new BladeRequest();
    request.addFeed("x", 0, [0], BladeRequest.DT_FLOAT, []);
    expect(Buffer.from(request.encode()).toString("hex")).toBe("120d0a0178120178180022030a0100");
  });

  it("takes a lone int64, no signature name, and replaces a feed of the same name", () => {
    const request = new BladeRequest();
    request.setSignatureName("");
    request.addFeed("x", 1, [1], BladeRequest.DT_FLOAT, [1]);
    request.addFeed("x", 1, [1], BladeRequest.DT_INT64, [5]);
    const { inputs } = Request.decode(request.encode());
    expect(inputs).toHaveLength(1);
    expect(inputs[0]).toMatchObject({ int64Val: [5n], floatVal: [] });
  });

  it("refuses what the message cannot hold", () => {
    const request = new BladeRequest();
    expect(() => request.addFeed("x", 1, [2], "float32", [1])).toThrow(
      refused(/feed "x": 1 values/),
    );
    expect(() => request.addFeed("x", -1, [1], "float32", [1])).toThrow(
      refused(/batch size of feed "x"/),
    );
    expect(() => request.addFeed("x", 1, [1], "float64" as "float32", [1])).toThrow(
      refused(
        /^dtype of feed "x" is "float64", Blade messages hold float32, int32, int64, string$/,
      ),
    );
    expect(() => request.addFetch("y", "double" as "float32")).toThrow(
      refused(
        /^dtype of fetch "y" is "double", Blade messages hold float32, int32, int64, string$/,
      ),
    );
  });
});

describe("BladeResponse", () => {
  it.each(samples)("reads %s from the field that has values", (name, _, data, values) => {
    const response = answer([
      {
        bladeBlobName: "y",
        nameInDlModel: "y",
        batchsize: 2,
        shape: { dim: [2n] },
        ...(values as object),
      },
    ]);
    expect(response.getValues("y", BladeRequest[name])).toEqual(data);
    expect(response.getTensorShape("y")).toEqual([2]);
  });

  it("has an output under each of its names, and without a shape as many as there are values", () => {
    const response = answer([
      { bladeBlobName: "blob", nameInDlModel: "model", batchsize: 1, floatVal: [1, 2] },
      { nameInDlModel: "only", batchsize: 1, floatVal: [3] },
    ]);
    expect(response.getValues("blob")).toBe(response.getValues("model"));
    expect(response.getTensorShape("blob")).toEqual([2]);
    expect(response.getValues("only")).toEqual(Float32Array.of(3));
  });

  it("gives an output without values the dtype that was fetched", () => {
    const request = new BladeRequest();
    request.addFetch("y", BladeRequest.DT_INT64);
    const empty = { bladeBlobName: "y", batchsize: 1, shape: { dim: [0n, 3n] } };
    const output = answer([empty], request).tensors.get("y");
    expect(output).toMatchObject({ dtype: "int64", shape: [0, 3] });
    expect(answer([empty]).tensors.get("y")?.dtype).toBe("float32");
  });

  it("lists the names that it has, and prints them", () => {
    const response = answer([
      { bladeBlobName: "y", nameInDlModel: "y", batchsize: 1, floatVal: [0.5] },
    ]);
    expect(() => response.getValues("x")).toThrow(refused(/it has "y"/));
    expect(inspect(response)).toBe("BladeResponse {\n  y: Tensor float32 [1] { 0.5 }\n}");
  });

  it("refuses what is no such answer", () => {
    expect(() => new BladeRequest().decode(Uint8Array.of(0x0a, 5, 1))).toThrow(FormatError);
    expect(() => answer([{ batchsize: 1, shape: { dim: [3n] }, floatVal: [1] }])).toThrow(
      FormatError,
    );
  });
});
