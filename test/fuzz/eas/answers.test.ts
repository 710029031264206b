import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Response as BladeAnswer } from "../../../gen/eas/blade/predict.js";
import { PredictResponse as CaffeAnswer } from "../../../gen/eas/caffe/predict.js";
import { PBResponse as EasyRecAnswer } from "../../../gen/eas/easyrec/predict.js";
import { DataProto } from "../../../gen/eas/onnx/predict.js";
import { PredictResponse as TFAnswer } from "../../../gen/eas/tensorflow/predict.js";
import { PredictResponse as TorchAnswer } from "../../../gen/eas/torch/predict.js";
import { PBResponse as TorchRecAnswer } from "../../../gen/eas/torchrec/predict.js";
import {
  BladeRequest,
  CaffeRequest,
  EasyRecRequest,
  JsonRequest,
  OnnxRequest,
  type PredictRequest,
  StringRequest,
  TFRequest,
  TorchRecRequest,
  TorchRequest,
} from "../../../src/eas/index.js";
import { FormatError } from "../../../src/tensor/format-error.js";
import { arraySamples } from "../../support/eas-arrays.js";
import { fuzz } from "../balance/fuzz-settings.js";

const shape = { dim: [2n] };
const arrays = arraySamples.map(({ message }) => message);
const torchArrays = arrays.filter(({ boolVal }) => boolVal.length === 0);
const named = <T>(values: readonly T[]) =>
  new Map(values.map((value, index): [string, T] => [`t${index}`, value]));
const features = { features: [{ value: { $case: "longFeature" as const, value: 5n } }] };
const texts = new Map([["a", "b"]]);

/** A request of every kind, with an answer that it can read. */
const kinds: readonly (readonly [string, PredictRequest<object>, Uint8Array])[] = [
  ["StringRequest", new StringRequest(), new TextEncoder().encode("an answer")],
  [
    "JsonRequest",
    new JsonRequest(),
    new TextEncoder().encode(
      '{"outputs":[{"outputLabel":"1","outputMulti":{"0":0.5},"outputValue":{"p":[1,null]}}]}',
    ),
  ],
  [
    "TFRequest",
    new TFRequest(),
    TFAnswer.encode(TFAnswer.fromPartial({ outputs: named(arrays) })).finish(),
  ],
  [
    "TorchRequest",
    new TorchRequest(),
    TorchAnswer.encode(
      TorchAnswer.fromPartial({ outputs: torchArrays, mapOutputs: named(torchArrays.slice(0, 2)) }),
    ).finish(),
  ],
  [
    "OnnxRequest",
    new OnnxRequest(),
    DataProto.encode(
      DataProto.fromPartial({
        tensors: [
          { name: "x", dims: [2n], dataType: 1, rawData: new Uint8Array(8) },
          { name: "y", dims: [1n, 2n], dataType: 7, rawData: new Uint8Array(16) },
        ],
      }),
    ).finish(),
  ],
  [
    "BladeRequest",
    new BladeRequest(),
    BladeAnswer.encode(
      BladeAnswer.fromPartial({
        outputs: [
          { bladeBlobName: "x", nameInDlModel: "x", batchsize: 2, shape, floatVal: [0.5, 1] },
          { bladeBlobName: "y", nameInDlModel: "y", batchsize: 2, shape, int64Val: [1n, 2n] },
        ],
      }),
    ).finish(),
  ],
  [
    "CaffeRequest",
    new CaffeRequest(),
    CaffeAnswer.encode(
      CaffeAnswer.fromPartial({
        outputName: ["x", "y"],
        outputData: [
          { shape, data: [0.5, 1] },
          { shape, data: [2, 3] },
        ],
      }),
    ).finish(),
  ],
  [
    "EasyRecRequest",
    new EasyRecRequest(),
    EasyRecAnswer.encode(
      EasyRecAnswer.fromPartial({
        results: new Map([["i1", { scores: [0.5, 1] }]]),
        itemFeatures: texts,
        generateFeatures: texts,
        contextFeatures: new Map([["c", features]]),
        errorMsg: "none",
        statusCode: 1,
        itemIds: ["i1"],
        outputs: ["probs"],
        rawFeatures: texts,
        tfOutputs: named(arrays.slice(0, 3)),
      }),
    ).finish(),
  ],
  [
    "TorchRecRequest",
    new TorchRecRequest(),
    TorchRecAnswer.encode(
      TorchRecAnswer.fromPartial({
        mapOutputs: named(torchArrays),
        generateFeatures: texts,
        rawFeatures: texts,
        itemIds: ["i1"],
        passThroughData: texts,
      }),
    ).finish(),
  ],
];

interface Mutation {
  readonly kind: "set" | "flip" | "cut" | "drop" | "insert" | "repeat";
  /** Where, as a part of the whole. */
  readonly at: number;
  readonly byte: number;
}

const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    kind: fc.constantFrom("set", "flip", "cut", "drop", "insert", "repeat"),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    byte: fc.integer({ min: 0, max: 255 }),
  }),
  { minLength: 1, maxLength: 6 },
);

function mutated(body: Uint8Array, changes: readonly Mutation[]): Uint8Array {
  let bytes = [...body];
  for (const { kind, at, byte } of changes) {
    const index = Math.floor(at * bytes.length);
    if (kind === "set") bytes[index] = byte;
    else if (kind === "flip") bytes[index] = (bytes[index] ?? 0) ^ (1 << (byte % 8));
    else if (kind === "cut") bytes = bytes.slice(0, index);
    else if (kind === "drop") bytes.splice(index, 1 + (byte % 4));
    else if (kind === "insert") bytes.splice(index, 0, byte);
    else bytes.splice(index, 0, ...bytes.slice(index, index + (byte % 16)));
  }
  return Uint8Array.from(bytes);
}

/** Reads and prints; what comes back is undefined when the bytes were refused as they should be. */
function read(request: PredictRequest<object>, body: Uint8Array): string | undefined {
  try {
    return String(request.decode(body));
  } catch (error) {
    if (error instanceof FormatError && error.message !== "") return undefined;
    throw error;
  }
}

describe("an answer", () => {
  it.each(kinds)("of %s is read as it was written", (_, request, body) => {
    expect(read(request, body)).toBeTypeOf("string");
  });

  it.each(kinds)(
    "of %s that was changed is read or refused with a FormatError",
    (_, request, body) => {
      fc.assert(
        fc.property(mutations, (changes) => {
          read(request, mutated(body, changes));
        }),
        fuzz(2_000) as fc.Parameters<[Mutation[]]>,
      );
    },
  );

  it.each(kinds)("of %s may be any bytes", (_, request) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        read(request, bytes);
      }),
      fuzz(500) as fc.Parameters<[Uint8Array]>,
    );
  });

  it("of JSON may be any JSON", () => {
    const part = fc.option(fc.jsonValue({ maxDepth: 2 }), { nil: undefined });
    const output = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.record({ outputLabel: part, outputMulti: part, outputValue: part }),
      fc.record({
        outputLabel: fc.string(),
        outputMulti: fc.dictionary(fc.string(), fc.double()),
        outputValue: fc.dictionary(fc.string(), fc.jsonValue()),
      }),
    );
    const answer = fc.oneof(fc.jsonValue(), fc.record({ outputs: fc.array(output) }));
    fc.assert(
      fc.property(answer, (value) => {
        read(new JsonRequest(), new TextEncoder().encode(JSON.stringify(value)));
      }),
      fuzz(1_000) as fc.Parameters<[unknown]>,
    );
  });
});
