import {
  BladeRequest,
  CaffeRequest,
  EasyRecRequest,
  JsonRequest,
  OnnxRequest,
  type PredictClient,
  type PredictRequest,
  StringRequest,
  TFRequest,
  TorchRecRequest,
  TorchRequest,
} from "inferwire/eas";
import {
  type DialectName,
  type DType,
  type Tensor,
  type TensorArrays,
  TensorProcessor,
  type TensorRequest,
  tensor,
} from "inferwire/host";
import { afterEach, describe, expect, it } from "vitest";
import * as blade from "../../gen/eas/blade/predict.js";
import * as caffe from "../../gen/eas/caffe/predict.js";
import * as easyRec from "../../gen/eas/easyrec/predict.js";
import * as torchRec from "../../gen/eas/torchrec/predict.js";
import { arrayMessage, arraySamples } from "../support/eas-arrays.js";
import { clientOf } from "../support/eas-clients.js";
import { startTestHost } from "../support/hosts.js";
import { recordingLogger } from "../support/recording-logger.js";
import { rawSamples } from "../support/tensor-samples.js";

const running: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((host) => host.close()));
});

type Tensors = ReadonlyMap<string, Tensor>;

/** Answers with what a test makes of the inputs, and keeps what it was asked. */
class Recorder extends TensorProcessor {
  readonly asked: TensorRequest[] = [];
  readonly #outputsOf: (inputs: Tensors) => Tensors;

  constructor(dialect: DialectName, outputsOf: (inputs: Tensors) => Tensors) {
    const { logger } = recordingLogger();
    super({ dialect, service: "mnist", endpoint: "127.0.0.1:0", logger });
    this.#outputsOf = outputsOf;
  }

  process(inputs: Tensors, _: unknown, request: TensorRequest): Tensors {
    const copies = Array.from(inputs, ([name, input]): [string, Tensor] => [name, input.copy()]);
    this.asked.push({ ...request, inputs: new Map(copies) });
    return this.#outputsOf(inputs);
  }
}

async function tensorHost(
  dialect: DialectName,
  outputsOf: (inputs: Tensors) => Tensors,
): Promise<{ client: PredictClient; asked: readonly TensorRequest[] }> {
  const recorder = new Recorder(dialect, outputsOf);
  const host = await recorder.start();
  running.push({ close: () => host.close({ gracePeriodMs: 0 }) });
  return { client: clientOf(`127.0.0.1:${host.address.port}`), asked: recorder.asked };
}

/** Another tensor than it was, of which every element tells where it came from. */
function turned(input: Tensor | undefined): Tensor {
  if (input === undefined) throw new Error("the input is not there");
  return tensor<DType>(input.dtype, input.shape.toReversed(), input.data.toReversed());
}

/** The shape that every sample of two numbers, or of two pairs, is fed in. */
const shape = [2, 1];

const parts = ({ dtype, shape, data }: Tensor) => ({ dtype, shape, data });
const partsOf = (tensors: Tensors) => Array.from(tensors, ([name, each]) => [name, parts(each)]);

describe("TFRequest, to a tensor processor", () => {
  it.each(arraySamples)("carries $dtype there and back", async ({ dtype, data }) => {
    const { client, asked } = await tensorHost("tensorflow", (inputs) => {
      const y = turned(inputs.get("x"));
      return new Map([
        ["unwanted", y],
        ["y", y],
      ]);
    });
    const request = new TFRequest("predict_images");
    request.addFeed("x", shape, dtype, data);
    request.addFeed("flag", [], TFRequest.DT_BOOL, [true]);
    request.addFetch("y");
    const answer = await client.predict(request);
    expect(asked).toMatchObject([
      { signatureName: "predict_images", fetches: ["y"], debugLevel: 0 },
    ]);
    expect(partsOf(asked[0]?.inputs ?? new Map())).toEqual([
      ["x", { dtype, shape, data }],
      ["flag", { dtype: "bool", shape: [], data: Uint8Array.of(1) }],
    ]);
    expect([...answer.tensors.keys()]).toEqual(["y"]);
    expect(answer.tensors.get("y")?.dtype).toBe(dtype);
    expect(answer.getTensorShape("y")).toEqual([1, 2]);
    expect(answer.getValues("y", dtype)).toEqual(data.toReversed());
  });
});

describe("TorchRequest, to a tensor processor", () => {
  const samples = arraySamples.filter(({ dtype }) => dtype !== "bool");

  it.each(samples)("carries $dtype by index there and back", async ({ dtype, data }) => {
    const { client, asked } = await tensorHost(
      "pytorch",
      (inputs) =>
        new Map([
          ["0", turned(inputs.get("0"))],
          ["1", tensor("int32", [1], [-1])],
          ["2", turned(inputs.get("2"))],
        ]),
    );
    const request = new TorchRequest();
    request.addFeed(0, shape, dtype, data);
    request.addFeed(2, [3, 1], TorchRequest.DT_INT64, [1, 2, -3]);
    request.addFetch(2);
    request.addFetch(0);
    request.setDebugLevel(3);
    const answer = await client.predict(request);
    expect(asked).toMatchObject([{ signatureName: "", fetches: ["2", "0"], debugLevel: 3 }]);
    expect(partsOf(asked[0]?.inputs ?? new Map())).toEqual([
      ["0", { dtype, shape, data }],
      ["2", { dtype: "int64", shape: [3, 1], data: BigInt64Array.of(1n, 2n, -3n) }],
    ]);
    expect(answer.tensors.map((output) => output.dtype)).toEqual(["int64", dtype]);
    expect(answer.getTensorShape(0)).toEqual([1, 3]);
    expect(answer.getValues(0, "int64")).toEqual(BigInt64Array.of(-3n, 2n, 1n));
    expect(answer.getTensorShape(1)).toEqual([1, 2]);
    expect(answer.getValues(1, dtype)).toEqual(data.toReversed());
    expect(answer.tensorMap.size).toBe(0);
  });

  it.each(samples)("carries $dtype by name there and back", async ({ dtype, data }) => {
    const { client, asked } = await tensorHost(
      "pytorch",
      (inputs) => new Map([["y", turned(inputs.get("x"))]]),
    );
    const request = new TorchRequest();
    request.addFeedMap("x", shape, dtype, data);
    const answer = await client.predict(request);
    expect(partsOf(asked[0]?.inputs ?? new Map())).toEqual([["x", { dtype, shape, data }]]);
    expect(asked[0]?.fetches).toEqual([]);
    expect(answer.tensorMap.get("y")?.dtype).toBe(dtype);
    expect(answer.getTensorShapeMap("y")).toEqual([1, 2]);
    expect(answer.getValuesMap("y", dtype)).toEqual(data.toReversed());
    expect(answer.tensors).toEqual([]);
  });
});

describe("OnnxRequest, to a tensor processor", () => {
  it.each(rawSamples)("carries $dtype there and back", async (sample) => {
    const { dtype } = sample;
    const data = sample.data as TensorArrays[DType];
    const { client, asked } = await tensorHost(
      "onnx",
      (inputs) =>
        new Map([
          ["y", turned(inputs.get("x"))],
          ["z", tensor("uint64", [], [7n])],
        ]),
    );
    const request = new OnnxRequest();
    request.addFeed("x", shape, dtype, data);
    expect(request.addTensor("flag", tensor("uint8", [1], [1]))).toBe(1);
    const answer = await client.predict(request);
    expect(partsOf(asked[0]?.inputs ?? new Map())).toEqual([
      ["x", { dtype, shape, data }],
      ["flag", { dtype: "uint8", shape: [1], data: Uint8Array.of(1) }],
    ]);
    expect([answer.getSize(), answer.getName(0), answer.getName(1)]).toEqual([2, "y", "z"]);
    expect(parts(answer.getTensor(0))).toEqual({ dtype, shape: [1, 2], data: data.toReversed() });
    expect(answer.getTensorShape("z")).toEqual([]);
    expect(answer.getValues("z", OnnxRequest.UINT64)).toEqual(BigUint64Array.of(7n));
  });
});

/** Sends a request to a host that reads it with generated code, or another's, and gives a fixed answer. */
async function answered<Arrived, Response>(
  request: PredictRequest<Response>,
  read: (body: Uint8Array) => Arrived,
  answer: Uint8Array,
): Promise<{ arrived: readonly Arrived[]; response: Response }> {
  const arrived: Arrived[] = [];
  const process = (body: Uint8Array): Uint8Array => {
    // Of a Buffer, generated code makes Buffers.
    arrived.push(read(Uint8Array.from(body)));
    return answer;
  };
  const { port } = await startTestHost({ process }, { service: "mnist" });
  const response = await clientOf(`127.0.0.1:${port}`).predict(request);
  return { arrived, response };
}

const textOf = (body: Uint8Array): string => new TextDecoder().decode(body);

describe("requests of other messages, to a processor that reads them by itself", () => {
  it("BladeRequest", async () => {
    const request = new BladeRequest("serving");
    request.addFeed("f", 2, [2, 1], BladeRequest.DT_FLOAT, [0.5, -2]);
    request.addFeed("i", 1, [1, 2], BladeRequest.DT_INT32, [-1, 7]);
    request.addFeed("l", 1, [], BladeRequest.DT_INT64, [2n ** 62n]);
    request.addFeed("s", 1, [1], BladeRequest.DT_STRING, ["é"]);
    request.addFetch("y", BladeRequest.DT_FLOAT);
    request.addFetch("none", BladeRequest.DT_INT64);
    const named = (name: string) => ({ bladeBlobName: name, nameInDlModel: name });
    const e = new TextEncoder().encode("é");
    const answer = blade.Response.fromPartial({
      outputs: [
        { ...named("y"), batchsize: 2, shape: { dim: [2n, 2n] }, floatVal: [1, 2, 3, 0.25] },
        { ...named("ids"), batchsize: 1, shape: { dim: [2n] }, int64Val: [-1n, 2n ** 62n] },
        { ...named("n"), batchsize: 1, shape: { dim: [1n, 1n] }, intVal: [-5] },
        { ...named("s"), batchsize: 1, shape: { dim: [1n] }, stringVal: [e] },
        { ...named("none"), batchsize: 1, shape: { dim: [0n] } },
      ],
    });
    const { arrived, response } = await answered(
      request,
      (body) => blade.Request.decode(body),
      blade.Response.encode(answer).finish(),
    );
    expect(arrived).toEqual([
      blade.Request.fromPartial({
        tfSignatureName: "serving",
        inputs: [
          { ...named("f"), batchsize: 2, shape: { dim: [2n, 1n] }, floatVal: [0.5, -2] },
          { ...named("i"), batchsize: 1, shape: { dim: [1n, 2n] }, intVal: [-1, 7] },
          { ...named("l"), batchsize: 1, shape: { dim: [] }, int64Val: [2n ** 62n] },
          { ...named("s"), batchsize: 1, shape: { dim: [1n] }, stringVal: [e] },
        ],
        outputInfo: [
          { ...named("y"), dataType: blade.DataType.DT_FLOAT },
          { ...named("none"), dataType: blade.DataType.DT_INT64 },
        ],
      }),
    ]);
    expect(partsOf(response.tensors)).toEqual([
      ["y", { dtype: "float32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 0.25) }],
      ["ids", { dtype: "int64", shape: [2], data: BigInt64Array.of(-1n, 2n ** 62n) }],
      ["n", { dtype: "int32", shape: [1, 1], data: Int32Array.of(-5) }],
      ["s", { dtype: "string", shape: [1], data: [e] }],
      ["none", { dtype: "int64", shape: [0], data: new BigInt64Array(0) }],
    ]);
    expect(response.getStrings("s")).toEqual(["é"]);
  });

  it("CaffeRequest", async () => {
    const request = new CaffeRequest();
    request.addFeed("data", [1, 3], [0.5, -2, 4]);
    request.addFeed("scale", [1], Float32Array.of(0.25));
    request.addFetch("prob");
    const answer = caffe.PredictResponse.fromPartial({
      outputName: ["prob", "loss"],
      outputData: [
        { shape: { dim: [2n, 1n] }, data: [0.75, 0.25] },
        { shape: { dim: [1n] }, data: [3] },
      ],
    });
    const { arrived, response } = await answered(
      request,
      (body) => caffe.PredictRequest.decode(body),
      caffe.PredictResponse.encode(answer).finish(),
    );
    expect(arrived).toEqual([
      {
        inputName: ["data", "scale"],
        inputData: [
          { shape: { dim: [1n, 3n] }, data: [0.5, -2, 4] },
          { shape: { dim: [1n] }, data: [0.25] },
        ],
        outputFilter: ["prob"],
      },
    ]);
    expect(partsOf(response.tensors)).toEqual([
      ["prob", { dtype: "float32", shape: [2, 1], data: Float32Array.of(0.75, 0.25) }],
      ["loss", { dtype: "float32", shape: [1], data: Float32Array.of(3) }],
    ]);
  });

  it("EasyRecRequest", async () => {
    const request = new EasyRecRequest();
    request.addUserFeaStr("user_id", "u1");
    request.addUserFeaFlt("price", 9.5);
    request.addUserFeature("seen", 2n ** 40n, "BIGINT");
    request.addItemId("item_1");
    request.addItemId(2);
    request.addContextFeature("position", [1, 2], "INT");
    request.setFaissNeighNum(5);
    request.setDebugLevel(3);
    const answer = easyRec.PBResponse.fromPartial({
      results: new Map([
        ["item_1", { scores: [0.1, 0.9] }],
        ["2", { scores: [0.2, 0.8] }],
      ]),
      itemFeatures: new Map([["item_1", "a:1"]]),
      generateFeatures: new Map([["item_1", "b:2"]]),
      contextFeatures: new Map([
        [
          "position",
          {
            features: [
              { value: { $case: "intFeature", value: 1 } },
              { value: { $case: "longFeature", value: 2n } },
            ],
          },
        ],
      ]),
      statusCode: 0,
      itemIds: ["item_1", "2"],
      outputs: ["probs_ctr", "probs_cvr"],
      rawFeatures: new Map([["item_1", "c:3"]]),
      tfOutputs: new Map([["logits", arrayMessage(1, [2n, 1n], { floatVal: [0.5, -2] })]]),
    });
    const { arrived, response } = await answered(
      request,
      (body) => easyRec.PBRequest.decode(body),
      easyRec.PBResponse.encode(answer).finish(),
    );
    expect(arrived).toEqual([
      easyRec.PBRequest.fromPartial({
        debugLevel: 3,
        userFeatures: new Map([
          ["user_id", { value: { $case: "stringFeature", value: "u1" } }],
          ["price", { value: { $case: "floatFeature", value: 9.5 } }],
          ["seen", { value: { $case: "longFeature", value: 2n ** 40n } }],
        ]),
        itemIds: ["item_1", "2"],
        contextFeatures: new Map([
          [
            "position",
            {
              features: [
                { value: { $case: "intFeature", value: 1 } },
                { value: { $case: "intFeature", value: 2 } },
              ],
            },
          ],
        ]),
        faissNeighNum: 5,
      }),
    ]);
    expect(response).toMatchObject({
      results: new Map([
        ["item_1", Float64Array.of(0.1, 0.9)],
        ["2", Float64Array.of(0.2, 0.8)],
      ]),
      itemFeatures: new Map([["item_1", "a:1"]]),
      generateFeatures: new Map([["item_1", "b:2"]]),
      contextFeatures: new Map([["position", [1, 2n]]]),
      errorMsg: "",
      statusCode: 0,
      status: "OK",
      itemIds: ["item_1", "2"],
      outputs: ["probs_ctr", "probs_cvr"],
      rawFeatures: new Map([["item_1", "c:3"]]),
    });
    expect(partsOf(response.tfOutputs)).toEqual([
      ["logits", { dtype: "float32", shape: [2, 1], data: Float32Array.of(0.5, -2) }],
    ]);
  });

  it("TorchRecRequest", async () => {
    const request = new TorchRecRequest();
    request.addUserFeature("age", 41, "INT");
    request.addUserFeature("clicks", { "17": 0.5 }, "MAP<BIGINT,FLOAT>");
    request.addContextFeature("position", [1, 2], "LIST<INT>");
    request.addItemFeature("tags", [["a"], []], "LIST<LIST<STRING>>");
    request.addItemFeature("tags", null, "LIST<LIST<STRING>>");
    request.addItemId("item_1");
    request.addItemId(2n);
    request.addMetaData("k", "v");
    request.setFaissNeighNum(7);
    request.setDebugLevel(-1);
    const answer = torchRec.PBResponse.fromPartial({
      mapOutputs: new Map([
        ["probs", arrayMessage(1, [2n, 1n], { floatVal: [0.5, -2] })],
        ["ids", arrayMessage(9, [2n], { int64Val: [-1n, 2n ** 62n] })],
      ]),
      generateFeatures: new Map([["g", "1"]]),
      rawFeatures: new Map([["r", "2"]]),
      itemIds: ["item_1", "2"],
      passThroughData: new Map([["p", "3"]]),
    });
    const { arrived, response } = await answered(
      request,
      (body) => torchRec.PBRequest.decode(body),
      torchRec.PBResponse.encode(answer).finish(),
    );
    expect(arrived).toEqual([
      torchRec.PBRequest.fromPartial({
        debugLevel: -1,
        userFeatures: new Map<string, torchRec.PBFeature>([
          ["age", { value: { $case: "intFeature", value: 41 } }],
          [
            "clicks",
            { value: { $case: "longFloatMap", value: { mapField: new Map([[17n, 0.5]]) } } },
          ],
        ]),
        itemIds: ["item_1", "2"],
        contextFeatures: new Map([
          [
            "position",
            { features: [{ value: { $case: "intList", value: { features: [1, 2] } } }] },
          ],
        ]),
        faissNeighNum: 7,
        itemFeatures: new Map([
          [
            "tags",
            {
              features: [
                {
                  value: {
                    $case: "stringLists",
                    value: { lists: [{ features: ["a"] }, { features: [] }] },
                  },
                },
                { value: { $case: "stringFeature", value: "" } },
              ],
            },
          ],
        ]),
        metaData: new Map([["k", "v"]]),
      }),
    ]);
    expect(partsOf(response.mapOutputs)).toEqual([
      ["probs", { dtype: "float32", shape: [2, 1], data: Float32Array.of(0.5, -2) }],
      ["ids", { dtype: "int64", shape: [2], data: BigInt64Array.of(-1n, 2n ** 62n) }],
    ]);
    expect(response).toMatchObject({
      generateFeatures: new Map([["g", "1"]]),
      rawFeatures: new Map([["r", "2"]]),
      itemIds: ["item_1", "2"],
      passThroughData: new Map([["p", "3"]]),
    });
  });

  it("JsonRequest", async () => {
    const request = new JsonRequest();
    request.addRow({ age: JsonRequest.value(JsonRequest.INT32, 41), name: "Änn" });
    request.addRow({ id: 2n ** 53n + 1n, gone: null });
    const outputs = [
      { outputLabel: "1", outputMulti: { "0": 0.25, "1": 0.75 }, outputValue: { p: [1, "a"] } },
      { outputMulti: {}, outputValue: {} },
    ];
    const { arrived, response } = await answered(
      request,
      textOf,
      new TextEncoder().encode(JSON.stringify({ outputs })),
    );
    // Not parsed: what JavaScript reads would lose a digit of the id.
    expect(arrived).toEqual([
      '{"inputs":[{"age":{"dataType":10,"dataValue":41},"name":{"dataType":50,"dataValue":"Änn"}},' +
        '{"id":{"dataType":20,"dataValue":9007199254740993},"gone":{"dataType":0,"dataValue":null}}]}',
    ]);
    expect(response.outputs).toEqual([
      {
        outputLabel: "1",
        outputMulti: new Map([
          ["0", 0.25],
          ["1", 0.75],
        ]),
        outputValue: new Map([["p", [1, "a"]]]),
      },
      { outputLabel: undefined, outputMulti: new Map(), outputValue: new Map() },
    ]);
  });

  it.each<[string, string | Uint8Array, readonly number[]]>([
    ["a text", "né", [0x6e, 0xc3, 0xa9]],
    ["bytes", Uint8Array.of(0, 255, 10), [0, 255, 10]],
    ["nothing", "", []],
  ])("StringRequest of %s", async (_, data, bytes) => {
    const answer = Uint8Array.of(0xc3, 0xa9, 0);
    const { arrived, response } = await answered(
      new StringRequest(data),
      (body) => [...body],
      answer,
    );
    expect(arrived).toEqual([bytes]);
    expect([...response.responseData]).toEqual([...answer]);
    expect(String(response)).toBe("é\0");
  });
});
