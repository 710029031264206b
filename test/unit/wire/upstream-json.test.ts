import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Instance, instanceOf } from "../../../src/core/instance.js";
import {
  listWarnings,
  listWarningsFrom,
  saysNoInstance,
  upstreamAnswerFromJson,
  upstreamAnswerToJson,
} from "../../../src/wire/upstream-json.js";

function read(items: readonly unknown[]): readonly string[] {
  const text = JSON.stringify({ endpoints: { items } });
  return upstreamAnswerFromJson(text).instances.map(({ key, weight }) => `${key}=${weight}`);
}

const good = { ip: "10.0.0.1", port: 50_000, weight: 100 };

describe("upstreamAnswerFromJson", () => {
  it("reads the documented form", () => {
    const text =
      '{"correlative":["mnist_saved_model_example"],"endpoints":{"items":[' +
      '{"app":"mnist-saved-model-example","ip":"172.16.3.4","port":50000,"weight":100},' +
      '{"app":"mnist-saved-model-example","ip":"172.16.3.5","port":50001,"weight":50}]}}';
    expect(upstreamAnswerFromJson(text)).toEqual({
      correlative: ["mnist_saved_model_example"],
      rejected: 0,
      firstProblem: undefined,
      instances: [
        instanceOf({
          host: "172.16.3.4",
          port: 50_000,
          weight: 100,
          app: "mnist-saved-model-example",
        }),
        instanceOf({
          host: "172.16.3.5",
          port: 50_001,
          weight: 50,
          app: "mnist-saved-model-example",
        }),
      ],
    });
  });

  it.each([
    ["a missing weight as 100", [{ ip: "10.0.0.1", port: 1 }], ["10.0.0.1:1=100"]],
    ["weight null as 100", [{ ...good, weight: null }], ["10.0.0.1:50000=100"]],
    ["weight 0", [{ ...good, weight: 0 }], ["10.0.0.1:50000=0"]],
    ["a fractional weight", [{ ...good, weight: 0.5 }], ["10.0.0.1:50000=0.5"]],
    ["IPv6", [{ ...good, ip: "fd00::1" }], ["[fd00::1]:50000=100"]],
    ["valid: true", [{ ...good, valid: true }], ["10.0.0.1:50000=100"]],
    ["nothing of valid: false", [{ ...good, valid: false }], []],
    ["no items", [], []],
    ["unknown members", [{ ...good, zone: "a", cacheMillis: 1 }], ["10.0.0.1:50000=100"]],
    [
      "duplicates as the greater weight",
      [good, { ...good, weight: 300 }, { ...good, weight: 200 }],
      ["10.0.0.1:50000=300"],
    ],
  ])("takes %s", (_, items, expected) => {
    expect(read(items)).toEqual(expected);
  });

  it.each([
    [{ ...good, ip: "example.com" }, "ip"],
    [{ ...good, ip: undefined }, "ip"],
    [{ ...good, ip: "[::1]" }, "ip"],
    [{ ...good, port: 0 }, "port"],
    [{ ...good, port: 65_536 }, "port"],
    [{ ...good, port: "50000" }, "port"],
    [{ ...good, port: 1.5 }, "port"],
    [{ ...good, weight: -1 }, "weight"],
    [{ ...good, weight: 1_000_001 }, "weight"],
    [{ ...good, weight: "100" }, "weight"],
    [null, "ip"],
    ["10.0.0.1:80", "ip"],
    [[], "ip"],
  ])("leaves out and counts %j", (bad, field) => {
    const text = JSON.stringify({ endpoints: { items: [bad, { ...good, ip: "10.0.0.2" }] } });
    const answer = upstreamAnswerFromJson(text);
    expect(answer.instances.map(({ key }) => key)).toEqual(["10.0.0.2:50000"]);
    expect(answer.rejected).toBe(1);
    expect(answer.firstProblem).toMatch(new RegExp(`^${field} is .*expected`));
  });

  it.each([
    ["missing items", "{}"],
    ["null items", '{"items":null}'],
  ])("takes %s for none", (_, endpoints) => {
    expect(upstreamAnswerFromJson(`{"endpoints":${endpoints}}`).instances).toEqual([]);
  });

  it("takes what is usable of name, app and correlative", () => {
    const items = [
      { ...good, name: "worker-1", app: 7 },
      { ...good, port: 1, name: "\n", app: "x" },
    ];
    const answer = upstreamAnswerFromJson(
      JSON.stringify({ endpoints: { items }, correlative: ["a", 1, "b"] }),
    );
    expect(answer.correlative).toEqual(["a", "b"]);
    expect(answer.instances).toMatchObject([
      { name: "worker-1", app: "" },
      { name: "10.0.0.1:1", app: "x" },
    ]);
  });

  it.each([
    "",
    "<html>",
    "null",
    "[]",
    '"text"',
    "{}",
    '{"endpoints":null}',
    '{"endpoints":[]}',
    '{"endpoints":{"items":{}}}',
    '{"endpoints":{"items":[{"ip":"nowhere","port":1}]}}',
  ])("refuses %s", (text) => {
    expect(() => upstreamAnswerFromJson(text)).toThrow(
      expect.objectContaining({ reason: "UPSTREAM_MALFORMED", code: 13 }),
    );
  });
});

describe("upstreamAnswerToJson", () => {
  const instances = [
    instanceOf({ host: "10.0.0.2", port: 50_001, weight: 50, app: "mnist" }),
    instanceOf({ host: "10.0.0.1", port: 50_000, weight: 100, app: "mnist" }),
    instanceOf({ host: "10.0.0.3", port: 50_002, weight: 0, app: "mnist" }),
  ];

  it("writes the golden bytes: one line, in order, without weight 0", () => {
    const fields = { service: "mnist", instances, correlative: ["mnist"] };
    expect(upstreamAnswerToJson(fields, { reduceWeights: false })).toBe(
      '{"correlative":["mnist"],"endpoints":{"items":[' +
        '{"app":"mnist","ip":"10.0.0.1","port":50000,"weight":100},' +
        '{"app":"mnist","ip":"10.0.0.2","port":50001,"weight":50}]},"name":"mnist"}',
    );
    expect(upstreamAnswerToJson(fields, { reduceWeights: true })).toContain('"weight":2}');
  });

  it("escapes what is not ASCII", () => {
    const odd = [instanceOf({ host: "::1", port: 1, app: "é😀\u007f\n" })];
    const text = upstreamAnswerToJson(
      { service: "x", instances: odd, correlative: [] },
      { reduceWeights: false },
    );
    expect(text).toContain('"app":"\\u00e9\\ud83d\\ude00\\u007f\\n"');
    expect(upstreamAnswerFromJson(text).instances).toEqual(odd);
  });

  it("comes back as it went, weights of 0 aside", () => {
    const instance = fc
      .record({
        host: fc.oneof(
          fc.nat(255).map((n) => `10.0.0.${n}`),
          fc.nat(65_535).map((n) => `fd00::${n.toString(16)}`),
        ),
        port: fc.integer({ min: 1, max: 65_535 }),
        weight: fc.integer({ min: 0, max: 1_000 }),
        app: fc.string({
          unit: fc.constantFrom("a", "é", "😀", "\u007f", "\n", '"', "\ud800"),
          maxLength: 9,
        }),
      })
      .map((fields) => instanceOf(fields));
    const byKey = (a: Instance, b: Instance): number => (a.key < b.key ? -1 : 1);
    fc.assert(
      fc.property(
        fc.uniqueArray(instance, { selector: ({ key }) => key, maxLength: 8 }),
        (list) => {
          const text = upstreamAnswerToJson(
            { service: "mnist", instances: list, correlative: ["mnist"] },
            { reduceWeights: false },
          );
          expect(text).toMatch(/^[\x20-\x7e]*$/);
          const expected = list.filter(({ weight }) => weight > 0).sort(byKey);
          expect(upstreamAnswerFromJson(text).instances).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("gives the same text for the same list in another order", () => {
    const write = (list: readonly Instance[]): string =>
      upstreamAnswerToJson(
        { service: "s", instances: list, correlative: [] },
        { reduceWeights: false },
      );
    expect(write(instances)).toBe(write(instances.toReversed()));
  });
});

describe("listWarnings", () => {
  it.each([true, false])("are read as they are written, stale %s", (stale) => {
    for (const settled of [true, false]) {
      expect(listWarningsFrom(listWarnings({ stale, settled }))).toEqual({ stale, settled });
    }
  });

  it.each(["", '199 - "Miscellaneous"', "1100 x", '299 - "110"'])("%s says nothing", (header) => {
    expect(listWarningsFrom(header)).toEqual({ stale: false, settled: true });
  });
});

describe("saysNoInstance", () => {
  it.each([
    ['{"error":{"code":"UNAVAILABLE","reason":"NO_INSTANCE","message":"x"}}', true],
    ['{"error":{"reason":"DRAINING"}}', false],
    ['{"reason":"NO_INSTANCE"}', false],
    ['{"error":"NO_INSTANCE"}', false],
    ["NO_INSTANCE", false],
    ["null", false],
    ["", false],
  ])("of %s is %s", (text, expected) => {
    expect(saysNoInstance(text)).toBe(expected);
  });
});

it("does not show what is not JSON: it may be a file that was named by mistake", () => {
  expect(() => upstreamAnswerFromJson("password=hunter2")).toThrow(/is not JSON: 16 characters$/);
});
