import { describe, expect, it } from "vitest";
import * as blade from "../../../gen/eas/blade/predict.js";
import * as caffe from "../../../gen/eas/caffe/predict.js";
import * as easyrec from "../../../gen/eas/easyrec/predict.js";
import * as tensorflow from "../../../gen/eas/tensorflow/predict.js";
import * as torch from "../../../gen/eas/torch/predict.js";
import * as torchrec from "../../../gen/eas/torchrec/predict.js";
import { splitArrayMap } from "../../../src/tensor/array-map.js";
import { bladeMessages } from "../../../src/tensor/blade-messages.js";
import { caffeMessages } from "../../../src/tensor/caffe-messages.js";
import { tensor } from "../../../src/tensor/create-tensor.js";
import { FormatError } from "../../../src/tensor/format-error.js";
import { bytesField, floats, numberField, packedField } from "../../support/proto-fields.js";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("Blade's messages", () => {
  const inputs = [
    { name: "f", batchSize: 2, tensor: tensor("float32", [2, 1], [1, 2]) },
    { name: "i", batchSize: 1, tensor: tensor("int32", [1], [-1]) },
    { name: "l", batchSize: 1, tensor: tensor("int64", [1], [-1]) },
    { name: "s", batchSize: 1, tensor: tensor("string", [1], ["x"]) },
  ];
  const arrays: Partial<blade.Array>[] = [
    { batchsize: 2, shape: { dim: [2n, 1n] }, floatVal: [1, 2] },
    { batchsize: 1, shape: { dim: [1n] }, intVal: [-1] },
    { batchsize: 1, shape: { dim: [1n] }, int64Val: [-1n] },
    { batchsize: 1, shape: { dim: [1n] }, stringVal: [Buffer.from("x")] },
  ];
  const named = arrays.map((array, index) => {
    const name = inputs[index]?.name ?? "";
    return blade.Array.fromPartial({ ...array, bladeBlobName: name, nameInDlModel: name });
  });

  it("are written as the generated code writes them, both names alike", () => {
    const written = bladeMessages.encodeRequest({
      signatureName: "sig",
      inputs,
      fetches: [
        { name: "y", dtype: "int64" },
        { name: "z", dtype: undefined },
      ],
    });
    const expected = blade.Request.encode({
      tfSignatureName: "sig",
      inputs: named,
      outputInfo: [
        { bladeBlobName: "y", nameInDlModel: "y", dataType: blade.DataType.DT_INT64 },
        { bladeBlobName: "z", nameInDlModel: "z", dataType: blade.DataType.DT_UNKNOWN },
      ],
    });
    expect(hex(written)).toBe(hex(expected.finish()));
  });

  it("have a batch size even when it is 0: it is required", () => {
    const written = bladeMessages.encodeRequest({
      signatureName: "",
      inputs: [{ name: "", batchSize: 0, tensor: tensor("float32", [0], []) }],
      fetches: [],
    });
    expect(hex(written)).toBe(
      hex(bytesField(2, numberField(3, 0), bytesField(4, packedField(1, 0)))),
    );
  });

  it("are read, by the first name that there is", () => {
    const outputs = named.map((array, index) =>
      index === 0 ? { ...array, bladeBlobName: "", nameInDlModel: "m" } : array,
    );
    const read = bladeMessages.decodeResponse(blade.Response.encode({ outputs }).finish());
    expect([...read.keys()]).toEqual(["m", "i", "l", "s"]);
    expect(read.get("m")).toMatchObject({
      nameInDlModel: "m",
      batchSize: 2,
      tensor: { dtype: "float32", shape: [2, 1], data: Float32Array.of(1, 2) },
    });
    expect(read.get("i")?.tensor.data).toEqual(Int32Array.of(-1));
    expect(read.get("l")?.tensor.data).toEqual(BigInt64Array.of(-1n));
    expect(hex(read.get("s")?.tensor.data[0] as Uint8Array)).toBe("78");
  });

  it("without a shape have one dimension", () => {
    const message = bytesField(1, numberField(3, 1), bytesField(5, floats(1, 2)));
    expect(bladeMessages.decodeResponse(message).get("")?.tensor.shape).toEqual([2]);
  });

  it.each<[string, Uint8Array]>([
    ["outputs[0].batchsize is missing, which is required", bytesField(1, bytesField(1, "a"))],
    [
      "outputs[0].float_val has 1 values, but outputs[0].shape [2] of float32 has 2",
      bytesField(1, numberField(3, 1), bytesField(4, packedField(1, 2)), bytesField(5, floats(1))),
    ],
    [
      'two outputs are called "a"',
      Buffer.concat(new Array(2).fill(bytesField(1, bytesField(1, "a"), numberField(3, 1)))),
    ],
    [
      "outputs[1].int64_val has values, and float_val has some too",
      Buffer.concat([
        bytesField(1, numberField(3, 1)),
        bytesField(1, numberField(3, 1), bytesField(5, floats(1)), packedField(7, 1)),
      ]),
    ],
  ])("are refused: %s", (text, message) => {
    expect(() => bladeMessages.decodeResponse(message)).toThrow(new FormatError(text));
  });

  it("cannot hold other dtypes", () => {
    const wrong = [{ name: "a", batchSize: 1, tensor: tensor("float64", [1], [1]) }];
    expect(() =>
      bladeMessages.encodeRequest({ signatureName: "", inputs: wrong, fetches: [] }),
    ).toThrow('inputs["a"] is of dtype float64, which Blade messages cannot hold');
  });
});

describe("Caffe's messages", () => {
  const data = { shape: { dim: [1n, 2n] }, data: [1, 2] };

  it("are written as the generated code writes them", () => {
    const inputs = new Map([
      ["a", tensor("float32", [1, 2], [1, 2])],
      ["", tensor("float32", [], [3])],
    ]);
    const expected = caffe.PredictRequest.encode({
      inputName: ["a", ""],
      inputData: [data, { shape: { dim: [] }, data: [3] }],
      outputFilter: ["prob"],
    });
    expect(hex(caffeMessages.encodeRequest({ inputs, fetches: ["prob"] }))).toBe(
      hex(expected.finish()),
    );
  });

  it("are read by position, without a shape as one dimension", () => {
    const message = caffe.PredictResponse.encode({
      outputName: ["x", "y"],
      outputData: [data, { data: [3] }],
    }).finish();
    const read = caffeMessages.decodeResponse(message);
    expect(Array.from(read, ([name, { shape }]) => [name, shape])).toEqual([
      ["x", [1, 2]],
      ["y", [1]],
    ]);
    expect(read.get("x")?.data).toEqual(Float32Array.of(1, 2));
  });

  it.each<[string, Uint8Array]>([
    ["output_data has 0 arrays, but output_name has 1 names", bytesField(1, "a")],
    ['output_name has "a" twice', Buffer.concat([bytesField(1, "a"), bytesField(1, "a")])],
    [
      "output_data[0].data has 3 bytes, expected a multiple of 4",
      bytesField(2, bytesField(2, "abc")),
    ],
  ])("are refused: %s", (text, message) => {
    expect(() => caffeMessages.decodeResponse(message)).toThrow(new FormatError(text));
  });

  it("cannot hold other dtypes", () => {
    const inputs = new Map([["a", tensor("int8", [1], [1])]]);
    expect(() => caffeMessages.encodeRequest({ inputs, fetches: [] })).toThrow(
      'input_data["a"] is of dtype int8, which Caffe messages cannot hold',
    );
  });
});

describe("splitArrayMap", () => {
  const array = { dtype: 1 as const, arrayShape: { dim: [2n] }, floatVal: [1, 2] };
  const torchArray = torch.ArrayProto.fromPartial(array);
  const tensorflowArray = tensorflow.ArrayProto.fromPartial(array);

  it("takes the tensors out of an answer of TorchEasyRec's, and leaves the rest", () => {
    const rest = { itemIds: ["i"], rawFeatures: new Map([["k", "v"]]) };
    const mapOutputs = new Map([["probs", torchArray]]);
    const message = torchrec.PBResponse.encode(
      torchrec.PBResponse.fromPartial({ ...rest, mapOutputs }),
    ).finish();
    const split = splitArrayMap(message, { number: 1, name: "map_outputs", dialect: "pytorch" });
    expect(split.tensors.get("probs")?.data).toEqual(Float32Array.of(1, 2));
    expect(torchrec.PBResponse.decode(split.rest)).toEqual(torchrec.PBResponse.fromPartial(rest));
  });

  it("takes them out of the middle of an answer of EasyRec's", () => {
    const tfOutputs = new Map([["y", tensorflowArray]]);
    const whole = easyrec.PBResponse.encode(
      easyrec.PBResponse.fromPartial({ errorMsg: "e", tfOutputs }),
    ).finish();
    const message = Buffer.concat([whole, bytesField(7, "late")]);
    const split = splitArrayMap(message, { number: 10, name: "tf_outputs", dialect: "tensorflow" });
    expect(split.tensors.get("y")).toMatchObject({ dtype: "float32", shape: [2] });
    expect(easyrec.PBResponse.decode(split.rest)).toEqual(
      easyrec.PBResponse.fromPartial({ errorMsg: "e", itemIds: ["late"] }),
    );
  });

  it("names the field that is wrong", () => {
    const message = bytesField(10, bytesField(1, "y"), bytesField(2, numberField(1, 1)));
    expect(() =>
      splitArrayMap(message, { number: 10, name: "tf_outputs", dialect: "tensorflow" }),
    ).toThrow('tf_outputs["y"].float_val has 0 values');
  });
});
