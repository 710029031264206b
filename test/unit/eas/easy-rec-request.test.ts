import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { PBRequest, PBResponse } from "../../../gen/eas/easyrec/predict.js";
import { EasyRecRequest } from "../../../src/eas/easy-rec-request.js";
import { FormatError } from "../../../src/tensor/format-error.js";
import { arrayMessage, arraySamples } from "../../support/eas-arrays.js";

const refused = (message: RegExp) =>
  expect.objectContaining({ reason: "INVALID_OPTION", message: expect.stringMatching(message) });

describe("EasyRecRequest", () => {
  it("encodes everything that was added as the generated encoder does", () => {
    const request = new EasyRecRequest();
    request.setDebugLevel(3);
    request.addUserFeaStr("user_id", "old");
    request.addUserFeaStr("user_id", "u1");
    request.addUserFeaFlt("price", 9.5);
    request.addUserFeaInt("age", -41);
    request.addUserFeature("seen", 2n ** 40n, "bigint");
    request.addItemId("i1");
    request.addItemId(2);
    request.addContextFeature("position", Int32Array.of(1, 2), "INT");
    request.setFaissNeighNum(5);
    const expected = PBRequest.fromPartial({
      debugLevel: 3,
      userFeatures: new Map([
        ["user_id", { value: { $case: "stringFeature", value: "u1" } }],
        ["price", { value: { $case: "floatFeature", value: 9.5 } }],
        ["age", { value: { $case: "intFeature", value: -41 } }],
        ["seen", { value: { $case: "longFeature", value: 2n ** 40n } }],
      ]),
      itemIds: ["i1", "2"],
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
    });
    expect(request.encode()).toEqual(PBRequest.encode(expected).finish());
  });

  it("keeps one item, or none when there is none", () => {
    const request = new EasyRecRequest();
    request.keepOneItemIds();
    request.addItemId("a");
    request.addItemId("b");
    request.keepOneItemIds();
    expect(PBRequest.decode(request.encode()).itemIds).toEqual(["a"]);
  });

  it("takes over a serialised request, but for its debug level", () => {
    const first = new EasyRecRequest();
    first.addItemId("a");
    first.setDebugLevel(9);
    const second = new EasyRecRequest();
    second.addItemId("dropped");
    second.addFeed(first.encode(), 2);
    expect(PBRequest.decode(second.encode())).toMatchObject({ itemIds: ["a"], debugLevel: 2 });
    expect(() => second.addFeed(Uint8Array.of(0x1a, 9))).toThrow(refused(/no serialised request/));
  });

  it("refuses values and types that the message cannot hold", () => {
    const request = new EasyRecRequest();
    expect(() => request.addUserFeaInt("age", 1.5)).toThrow(refused(/user feature "age" is 1.5/));
    expect(() => request.addUserFeature("x", 1, "DOUBLE")).toThrow(refused(/dtype of user fea/));
    expect(() => request.addUserFeature("x", 1, "LIST<INT>")).toThrow(refused(/dtype of user fea/));
    expect(() => request.addUserFeature("x", 1, "FLAOT")).toThrow(refused(/did you mean "FLOAT"/));
    expect(() => request.addContextFeature("x", [1, 0.5], "INT")).toThrow(
      refused(/context feature "x"\[1\] is 0.5/),
    );
    expect(() => request.addContextFeature("x", "ab", "STRING")).toThrow(
      refused(/expected a list/),
    );
    expect(() => request.setFaissNeighNum(0.5)).toThrow(refused(/faissNeighNum/));
  });
});

const answer = (message: Parameters<typeof PBResponse.fromPartial>[0]) =>
  new EasyRecRequest().decode(PBResponse.encode(PBResponse.fromPartial(message)).finish());

describe("EasyRecResponse", () => {
  it("has every field of the message", () => {
    const response = answer({
      results: new Map([["i1", { scores: [0.1, 2] }]]),
      itemFeatures: new Map([["i1", "a"]]),
      generateFeatures: new Map([["i1", "b"]]),
      contextFeatures: new Map([
        [
          "c",
          {
            features: [
              { value: { $case: "longFeature", value: 2n ** 60n } },
              { value: { $case: "stringFeature", value: "x" } },
              { value: undefined },
            ],
          },
        ],
      ]),
      errorMsg: "m",
      statusCode: 2,
      itemIds: ["i1"],
      outputs: ["ctr", "cvr"],
      rawFeatures: new Map([["i1", "c"]]),
    });
    expect(response.results).toEqual(new Map([["i1", Float64Array.of(0.1, 2)]]));
    expect(response.itemFeatures).toEqual(new Map([["i1", "a"]]));
    expect(response.generateFeatures).toEqual(new Map([["i1", "b"]]));
    expect(response.contextFeatures).toEqual(new Map([["c", [2n ** 60n, "x", undefined]]]));
    expect(response.errorMsg).toBe("m");
    expect([response.statusCode, response.status]).toEqual([2, "EXCEPTION"]);
    expect(response.itemIds).toEqual(["i1"]);
    expect(response.outputs).toEqual(["ctr", "cvr"]);
    expect(response.rawFeatures).toEqual(new Map([["i1", "c"]]));
  });

  it.each(arraySamples)("reads a tensor of $dtype", ({ dtype, data, message }) => {
    const response = answer({ tfOutputs: new Map([["y", message]]) });
    expect(response.getValues("y", dtype)).toEqual(data);
    expect(response.tfOutputs.get("y")?.shape).toEqual([2]);
    expect(response.status).toBe("OK");
  });

  it("shows a status that it does not know as its number", () => {
    expect(answer({ statusCode: 7 as 0 })).toMatchObject({ statusCode: 7, status: "7" });
  });

  it("lists the names that it has", () => {
    const probs = arrayMessage(1, [1n], { floatVal: [0.1] });
    const response = answer({ tfOutputs: new Map([["probs", probs]]) });
    expect(() => response.getValues("prob")).toThrow(refused(/it has "probs"$/));
  });

  it("prints status, scores and tensors", () => {
    const response = answer({
      results: new Map([["i1", { scores: Array.from({ length: 9 }, () => 0.5) }]]),
      errorMsg: "m",
      statusCode: 1,
      outputs: ["ctr"],
    });
    expect(inspect(response)).toBe(
      'EasyRecResponse {\n  status: INPUT_EMPTY\n  errorMsg: "m"\n  outputs: "ctr"\n' +
        "  i1: 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, ... 1 more\n}",
    );
  });

  it.each([
    ["a field that is cut short", [0x2a, 5, 1]],
    ["an item that is cut short", [0x0a, 4, 0x0a, 9, 1, 1]],
    ["a tensor of no dtype", [0x52, 5, 0x0a, 1, 97, 0x12, 0]],
  ])("refuses %s", (_, bytes) => {
    expect(() => new EasyRecRequest().decode(Uint8Array.from(bytes))).toThrow(FormatError);
  });
});
