import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { type JsonFeature, JsonRequest } from "../../../src/eas/json-request.js";
import { FormatError } from "../../../src/tensor/format-error.js";

function encoded(value: JsonFeature): string {
  const request = new JsonRequest();
  request.addRow({ x: value });
  return new TextDecoder().decode(request.encode());
}

function decoded(text: string) {
  return new JsonRequest().decode(new TextEncoder().encode(text));
}

describe("JsonRequest", () => {
  it.each<[string, JsonFeature, string]>([
    ["null", null, '{"dataType":0,"dataValue":null}'],
    ["a boolean", true, '{"dataType":1,"dataValue":true}'],
    ["a number", 1.5, '{"dataType":40,"dataValue":1.5}'],
    ["a bigint", 2n ** 63n - 1n, '{"dataType":20,"dataValue":9223372036854775807}'],
    ["a text", 'a"b', '{"dataType":50,"dataValue":"a\\"b"}'],
    ["an int32", JsonRequest.value(JsonRequest.INT32, -7), '{"dataType":10,"dataValue":-7}'],
    ["an int64", JsonRequest.value(JsonRequest.INT64, 7), '{"dataType":20,"dataValue":7}'],
    ["a float", JsonRequest.value(JsonRequest.FLOAT, 0.5), '{"dataType":30,"dataValue":0.5}'],
  ])("sends %s with its type", (_, value, json) => {
    expect(encoded(value)).toBe(`{"inputs":[{"x":${json}}]}`);
  });

  it("sends rows in order, and none as an empty list", () => {
    const request = new JsonRequest();
    expect(new TextDecoder().decode(request.encode())).toBe('{"inputs":[]}');
    request.addRow({ a: 1 });
    request.addRow({});
    expect(JSON.parse(new TextDecoder().decode(request.encode()))).toEqual({
      inputs: [{ a: { dataType: 40, dataValue: 1 } }, {}],
    });
  });

  it.each<[unknown, string]>([
    [[1, 2], "a list of 2"],
    [new Map([["a", 1]]), "an object"],
    [null, "null"],
    ["a", '"a"'],
  ])("refuses a row that is no plain object: %j", (row, shown) => {
    const request = new JsonRequest();
    expect(() => request.addRow(row as Record<string, JsonFeature>)).toThrow(
      expect.objectContaining({
        reason: "INVALID_OPTION",
        message: `row is ${shown}, expected a plain object of features`,
      }),
    );
    expect(new TextDecoder().decode(request.encode())).toBe('{"inputs":[]}');
  });

  it.each<[string, JsonFeature, RegExp]>([
    ["NaN", Number.NaN, /feature "x" is NaN, expected a finite number/],
    ["an int32 out of range", JsonRequest.value(10, 2 ** 31), /expected a 32-bit integer/],
    ["an int64 that lost digits", JsonRequest.value(20, 2 ** 53), /a bigint from 2\^53 on/],
    ["a text for a bool", JsonRequest.value(1, "true"), /expected true or false/],
    ["an unknown type", JsonRequest.value(2, 1), /data type 2, known: 0, 1, 10, 20/],
  ])("refuses %s", (_, value, message) => {
    expect(() => encoded(value)).toThrow(
      expect.objectContaining({
        reason: "INVALID_OPTION",
        message: expect.stringMatching(message),
      }),
    );
  });
});

describe("JsonResponse", () => {
  it("is its text in JSON", () => {
    const response = decoded('{"outputs":[{"outputLabel":"1","outputMulti":{"0":0.25}}]}');
    expect(JSON.stringify([response])).toBe(JSON.stringify([String(response)]));
  });

  const answer =
    '{"outputs":[{"outputLabel":"1","outputMulti":{"0":0.25,"1":0.75},"outputValue":{"p":[1]}},{}]}';

  it("has label, numbers by label and values by name", () => {
    const [first, second] = decoded(answer).outputs;
    expect(first?.outputLabel).toBe("1");
    expect(first?.outputMulti).toEqual(
      new Map([
        ["0", 0.25],
        ["1", 0.75],
      ]),
    );
    expect(first?.outputValue).toEqual(new Map([["p", [1]]]));
    // The Java SDK drops an answer that lacks one of the three.
    expect(second).toEqual({
      outputLabel: undefined,
      outputMulti: new Map(),
      outputValue: new Map(),
    });
  });

  it.each([
    ["{", /no JSON/],
    ["[]", /no list named outputs/],
    ['{"outputs":{}}', /no list named outputs/],
    ['{"outputs":[3]}', /outputs\[0\] is 3, expected an object/],
    ['{"outputs":[{"outputLabel":1}]}', /outputs\[0\].outputLabel is 1, expected a text/],
    ['{"outputs":[{"outputMulti":[]}]}', /outputMulti is a list of 0, expected an object/],
    ['{"outputs":[{"outputMulti":{"a":"b"}}]}', /outputMulti\["a"\] is "b", expected a number/],
    ['{"outputs":[{"outputValue":1}]}', /outputValue is 1, expected an object/],
  ])("refuses %s", (text, message) => {
    expect(() => decoded(text)).toThrow(FormatError);
    expect(() => decoded(text)).toThrow(message);
  });

  it("refuses bytes that are no UTF-8", () => {
    expect(() => new JsonRequest().decode(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(FormatError);
  });

  it("prints labels, numbers and values", () => {
    expect(inspect(decoded(answer))).toBe(
      'JsonResponse {\n  "1" {\n    0: 0.25\n    1: 0.75\n    p: [1]\n  }\n  undefined {}\n}',
    );
  });

  it("prints a value that is too deep to be written", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const response = decoded(`{"outputs":[{"outputValue":{"deep":${deep}}}]}`);
    expect(String(response)).toContain("deep: ...");
  });
});
