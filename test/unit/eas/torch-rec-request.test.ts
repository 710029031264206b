import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { PBRequest, PBResponse } from "../../../gen/eas/torchrec/predict.js";
import type { FeatureValue } from "../../../src/eas/feature-value.js";
import { TorchRecRequest } from "../../../src/eas/torch-rec-request.js";
import { FormatError } from "../../../src/tensor/format-error.js";
import { arrayMessage, arraySamples } from "../../support/eas-arrays.js";

/** What arrives of one user feature. */
function sent(value: FeatureValue, dtype: string): unknown {
  const request = new TorchRecRequest();
  request.addUserFeature("f", value, dtype);
  return PBRequest.decode(request.encode()).userFeatures.get("f")?.value;
}

const samples = {
  int: { words: ["INT"], values: [-1, 2 ** 31 - 1], kept: [-1, 2 ** 31 - 1] },
  long: { words: ["BIGINT", "INT64"], values: [-1, 2n ** 63n - 1n], kept: [-1n, 2n ** 63n - 1n] },
  string: { words: ["STRING"], values: ["a", "é"], kept: ["a", "é"] },
  float: { words: ["FLOAT"], values: [0.5, -2], kept: [0.5, -2] },
  double: { words: ["DOUBLE"], values: [0.1, 1e300], kept: [0.1, 1e300] },
} as const;
const kinds = Object.keys(samples) as (keyof typeof samples)[];
const keys = ["int", "long", "string"] as const;
const capitalised = (word: string) => word.slice(0, 1).toUpperCase() + word.slice(1);

const scalars = kinds.flatMap((kind) => samples[kind].words.map((word) => [word, kind] as const));
const maps = keys.flatMap((key) =>
  samples[key].words.flatMap((keyWord) =>
    scalars.map(([word, kind]) => [`MAP<${keyWord},${word}>`, key, kind] as const),
  ),
);

describe("a TorchRec feature", () => {
  it.each(scalars)("of %s goes as %sFeature", (word, kind) => {
    const { values, kept } = samples[kind];
    values.forEach((value, index) => {
      expect(sent(value, word)).toEqual({ $case: `${kind}Feature`, value: kept[index] });
    });
  });

  it.each(scalars)("of LIST<%s> and ARRAY<%s> goes as a list", (word, kind) => {
    const expected = { $case: `${kind}List`, value: { features: samples[kind].kept } };
    expect(sent(samples[kind].values, `LIST<${word}>`)).toEqual(expected);
    expect(sent(samples[kind].values, `ARRAY<${word}>`)).toEqual(expected);
  });

  it.each(scalars)("of LIST<LIST<%s>> goes as a list of lists, empty ones kept", (word, kind) => {
    const { values, kept } = samples[kind];
    const expected = {
      $case: `${kind}Lists`,
      value: { lists: [{ features: kept }, { features: [] }] },
    };
    expect(sent([values, []], `LIST<LIST<${word}>>`)).toEqual(expected);
    expect(sent([values, []], `ARRAY<LIST<${word}>>`)).toEqual(expected);
  });

  it.each(maps)("of %s goes as a map", (dtype, key, kind) => {
    const entries = samples[key].values.map((each, i) => [each, samples[kind].values[i]] as const);
    const kept = samples[key].kept.map((each, i) => [each, samples[kind].kept[i]] as const);
    const name = `${key}${capitalised(kind)}Map`;
    expect(sent(new Map(entries) as FeatureValue, dtype)).toEqual({
      $case: name,
      value: { mapField: new Map(kept as readonly (readonly [unknown, unknown])[]) },
    });
    // A plain object has texts for keys.
    const object = Object.fromEntries(entries.map(([k, v]) => [String(k), v]));
    expect(sent(object as FeatureValue, dtype)).toEqual(
      sent(new Map(entries) as FeatureValue, dtype),
    );
  });

  it("takes typed arrays for lists", () => {
    expect(sent(Float32Array.of(0.5), "LIST<FLOAT>")).toEqual(sent([0.5], "LIST<FLOAT>"));
    expect(sent(BigInt64Array.of(5n), "LIST<BIGINT>")).toEqual(sent([5n], "LIST<BIGINT>"));
    expect(sent([Float32Array.of(0.5)], "LIST<LIST<FLOAT>>")).toEqual(
      sent([[0.5]], "LIST<LIST<FLOAT>>"),
    );
  });

  it.each(["list<int>", " List < Int > ", "array<INT>"])("has its type in %s", (dtype) => {
    expect(sent([1], dtype)).toEqual({ $case: "intList", value: { features: [1] } });
  });

  it.each<[FeatureValue, string]>([
    [null, "INT"],
    [undefined, "FLOAT"],
    [[], "LIST<FLOAT>"],
    [new Float32Array(), "LIST<FLOAT>"],
    [[], "LIST<LIST<FLOAT>>"],
    [{}, "MAP<STRING,DOUBLE>"],
    [new Map(), "MAP<INT,INT>"],
  ])("of nothing (%s as %s) goes as the empty text", (value, dtype) => {
    expect(sent(value, dtype)).toEqual({ $case: "stringFeature", value: "" });
  });

  it.each([
    ["FLAOT", /dtype is "FLAOT": "FLAOT" is no type, did you mean "FLOAT"\?/],
    ["LIST<INTT>", /"INTT" is no type, did you mean "INT"\?/],
    ["", /known: STRING, INT/],
    ["MAP<STRING>", /expected one of STRING/],
    ["MAP<FLOAT,INT>", /expected STRING, INT or BIGINT for the keys/],
    ["LIST<LIST<LIST<INT>>>", /expected one of STRING/],
    ["LIST<INT", /expected one of STRING/],
    ["constructor", /is no type/],
  ])("of the type %s is refused", (dtype, message) => {
    expect(() => sent(1, dtype)).toThrow(
      expect.objectContaining({
        reason: "INVALID_OPTION",
        message: expect.stringMatching(message),
      }),
    );
  });

  it.each<[FeatureValue, string, RegExp]>([
    [1.5, "INT", /user feature "f" is 1.5, expected an integer from -2147483648 to 2147483647/],
    [2 ** 31, "INT", /expected an integer/],
    ["1", "INT", /is "1", expected an integer/],
    [2 ** 53, "BIGINT", /\(as a bigint\)/],
    [2n ** 63n, "BIGINT", /expected an integer/],
    [1e39, "FLOAT", /32-bit float/],
    [5n, "DOUBLE", /expected a number/],
    [5, "STRING", /expected a text/],
    ["ab", "LIST<STRING>", /is "ab", expected a list/],
    [[1, "2"], "LIST<INT>", /user feature "f"\[1\] is "2"/],
    [[[1], 2] as FeatureValue, "LIST<LIST<INT>>", /user feature "f"\[1\] is 2, expected a list/],
    [[[1], [1.5]], "LIST<LIST<INT>>", /user feature "f"\[1\]\[0\] is 1.5/],
    [[1], "MAP<INT,INT>", /expected a Map or a plain object/],
    [3, "MAP<INT,INT>", /expected a Map or a plain object/],
    [new Set([1]) as object as FeatureValue, "LIST<INT>", /is an object, expected a list/],
    [new Set([1]) as object as FeatureValue, "MAP<INT,INT>", /expected a Map or a plain object/],
    [new Date(0) as object as FeatureValue, "INT", /is an object, expected an integer/],
    [new ArrayBuffer(8) as object as FeatureValue, "LIST<INT>", /expected a list/],
    [true as unknown as 1, "INT", /is true, expected an integer/],
    [{ a: 1 }, "MAP<INT,INT>", /key of user feature "f"\["a"\] is "a", expected an integer/],
    [{ "1": "x" }, "MAP<INT,INT>", /user feature "f"\["1"\] is "x"/],
    [[1], "INT", /is a list of 1, expected an integer/],
  ])("of %s as %s is refused, never left out", (value, dtype, message) => {
    expect(() => sent(value, dtype)).toThrow(
      expect.objectContaining({
        reason: "INVALID_OPTION",
        message: expect.stringMatching(message),
      }),
    );
  });
});

describe("TorchRecRequest", () => {
  it("encodes everything that was added as the generated encoder does", () => {
    const request = new TorchRecRequest();
    request.setDebugLevel(903);
    request.addUserFeature("age", 40, "INT");
    request.addUserFeature("age", 41, "INT");
    request.addContextFeature("id_2", [1.5], "LIST<DOUBLE>");
    request.addContextFeature("id_2", null, "LIST<DOUBLE>");
    request.addItemFeature("id_4", "a", "STRING");
    request.addItemFeature("id_4", "b", "STRING");
    request.addItemId("i1");
    request.addItemId(2n);
    request.addMetaData("k", "v");
    request.setFaissNeighNum(7);
    const expected = PBRequest.fromPartial({
      debugLevel: 903,
      userFeatures: new Map([["age", { value: { $case: "intFeature", value: 41 } }]]),
      itemIds: ["i1", "2"],
      contextFeatures: new Map([
        [
          "id_2",
          {
            features: [
              { value: { $case: "doubleList", value: { features: [1.5] } } },
              { value: { $case: "stringFeature", value: "" } },
            ],
          },
        ],
      ]),
      faissNeighNum: 7,
      itemFeatures: new Map([
        [
          "id_4",
          {
            features: [
              { value: { $case: "stringFeature", value: "a" } },
              { value: { $case: "stringFeature", value: "b" } },
            ],
          },
        ],
      ]),
      metaData: new Map([["k", "v"]]),
    });
    expect(request.encode()).toEqual(PBRequest.encode(expected).finish());
  });

  it("takes over a serialised request, and goes on from there", () => {
    const first = new TorchRecRequest();
    first.addItemId("a");
    const second = new TorchRecRequest();
    second.addItemId("dropped");
    second.addFeed(first.encode());
    second.addItemId("b");
    expect(PBRequest.decode(second.encode()).itemIds).toEqual(["a", "b"]);
    expect(() => second.addFeed(Uint8Array.of(0x1a, 9))).toThrow(
      expect.objectContaining({ reason: "INVALID_OPTION" }),
    );
  });

  it("refuses counts and levels that the message cannot hold", () => {
    expect(() => new TorchRecRequest().setFaissNeighNum(-1)).toThrow(/faissNeighNum is -1/);
    expect(() => new TorchRecRequest().setDebugLevel(2 ** 31)).toThrow(/debugLevel/);
  });
});

const answer = (message: Parameters<typeof PBResponse.fromPartial>[0]) =>
  new TorchRecRequest().decode(PBResponse.encode(PBResponse.fromPartial(message)).finish());

describe("TorchRecResponse", () => {
  const samples = arraySamples.filter(({ dtype }) => dtype !== "bool");

  it.each(samples)("reads a tensor of $dtype", ({ dtype, data, message }) => {
    const response = answer({ mapOutputs: new Map([["y", message]]) });
    expect(response.getValues("y", dtype)).toEqual(data);
    expect(response.getTensorShape("y")).toEqual([2]);
    expect(response.mapOutputs.get("y")?.dtype).toBe(dtype);
  });

  it("has every other field of the message", () => {
    const response = answer({
      generateFeatures: new Map([["g", "1"]]),
      rawFeatures: new Map([["r", "2"]]),
      itemIds: ["i1", "i2"],
      passThroughData: new Map([["p", "3"]]),
    });
    expect(response.generateFeatures).toEqual(new Map([["g", "1"]]));
    expect(response.rawFeatures).toEqual(new Map([["r", "2"]]));
    expect(response.itemIds).toEqual(["i1", "i2"]);
    expect(response.passThroughData).toEqual(new Map([["p", "3"]]));
  });

  it("prints tensors and items, and lists the names that it has", () => {
    const probs = arrayMessage(1, [1n], { floatVal: [0.1] });
    const response = answer({ mapOutputs: new Map([["probs", probs]]), itemIds: ["i1"] });
    expect(inspect(response)).toBe(
      'TorchRecResponse {\n  probs: Tensor float32 [1] { 0.1 }\n  itemIds: "i1"\n}',
    );
    expect(() => response.getValues("prob")).toThrow(/it has "probs"$/);
  });

  it.each([
    ["a field that is cut short", [0x22, 5, 1]],
    ["a map entry that is cut short", [0x12, 4, 0x0a, 9, 1, 1]],
    ["a tensor of no dtype", [0x0a, 5, 0x0a, 1, 97, 0x12, 0]],
  ])("refuses %s", (_, bytes) => {
    expect(() => new TorchRecRequest().decode(Uint8Array.from(bytes))).toThrow(FormatError);
  });
});
