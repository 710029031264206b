import { create, fromBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  type CodeGeneratorResponse,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { createPlugin } from "../../src/codegen/plugin.js";
import { imageOf } from "../support/proto-image.js";

function run(protos: Readonly<Record<string, string>>): CodeGeneratorResponse {
  const { file: protoFile } = fromBinary(FileDescriptorSetSchema, imageOf(protos));
  const fileToGenerate = Object.keys(protos);
  return createPlugin("1.2.3").run(
    create(CodeGeneratorRequestSchema, { protoFile, fileToGenerate }),
  );
}

const head = 'syntax = "proto3";\npackage a.v1;\n';
const proto2 = 'syntax = "proto2";\npackage a.v1;\n';

describe("createPlugin", () => {
  it("writes three modules for a proto with services, and one descriptor set for all", () => {
    const service = "message M {}\nservice S { rpc Do(M) returns (M); }\nservice T {}\n";
    const { file, error } = run({
      "a/v1/a.proto": head + service,
      "b/b.proto": service,
      "c.proto": "message C {}",
    });
    expect(error).toBe("");
    expect(file.map(({ name }) => name).sort()).toEqual([
      "a/v1/a.client.ts",
      "a/v1/a.processor.ts",
      "a/v1/a.testing.ts",
      "b/b.client.ts",
      "b/b.processor.ts",
      "b/b.testing.ts",
      "descriptor-set.ts",
    ]);
    const processor = file.find(({ name }) => name === "a/v1/a.processor.ts")?.content;
    expect(processor).toContain('from "../../descriptor-set.js"');
    expect(processor).toContain("class TProcessor");
  });

  it("writes nothing for protos without services", () => {
    expect(run({ "c.proto": `${head}message C {}` }).file).toEqual([]);
  });

  it.each([
    [
      "two rpcs that become one member",
      "message M {}\nservice S {\n  rpc Get(M) returns (M);\n  rpc get(M) returns (M);\n}",
      "a.proto:6:7: rpc a.v1.S.get becomes get, which is rpc a.v1.S.Get",
    ],
    [
      "an rpc that becomes what another one is in processors",
      "message M {}\nservice S {\n  rpc Run(M) returns (M);\n  rpc RunRpc(M) returns (M);\n}",
      "a.proto:6:7: rpc a.v1.S.RunRpc becomes runRpc, which is rpc a.v1.S.Run",
    ],
    [
      "an rpc that no object can have",
      "message M {}\nservice S { rpc __proto__(M) returns (M); }",
      "a.proto:4:17: __proto__ cannot be the name of an rpc",
    ],
    [
      "a message called like a service's definition",
      "message SDefinition {}\nservice S {}",
      "a.proto:4:9: service a.v1.S becomes SDefinition, which is message a.v1.SDefinition",
    ],
    [
      "services that differ in the case of their first letter",
      "service Sums {}\nservice sums {}",
      "a.proto:4:9: service a.v1.sums becomes SumsProcessor, which is service a.v1.Sums",
    ],
    [
      "messages that differ in underscores",
      "message FooBar {}\nmessage Foo_Bar {}",
      "a.proto:4:9: message a.v1.Foo_Bar becomes FooBar, which is message a.v1.FooBar",
    ],
    ["a keyword", "message delete {}", "a.proto:3:9: delete cannot be the name of a type"],
    [
      "a keyword inside an enum",
      "enum E { typeof = 0; }",
      "a.proto:3:10: typeof cannot be the name of an enum's value",
    ],
    [
      "a name of ts-proto's own",
      "message DeepPartial {}",
      "a.proto:3:9: message a.v1.DeepPartial becomes DeepPartial, which is something of ts-proto's own",
    ],
    [
      "a global that ts-proto's code uses",
      "message Map { map<string, string> map = 1; }",
      "a.proto:3:9: message a.v1.Map becomes Map, which is the Map that ts-proto's code uses",
    ],
    [
      "a field that every object has",
      "message M {\n  string constructor = 1;\n}",
      "a.proto:4:10: every object has a constructor: a field cannot have that name",
    ],
  ])("refuses %s", (_, text, expected) => {
    const { error, file } = run({ "a.proto": head + text });
    expect(error).toBe(expected);
    expect(file).toEqual([]);
  });

  it("refuses fields that become one, and what ts-proto cannot write, all in one answer", () => {
    const fields = [
      "  optional string a_b = 1;",
      "  optional string aB = 2;",
      "  optional float f = 3 [default = -inf];",
    ];
    expect(run({ "a.proto": `${proto2}message M {\n${fields.join("\n")}\n}` }).error).toBe(
      [
        "a.proto:5:19: field a.v1.M.aB becomes aB, which is field a.v1.M.a_b",
        "a.proto:6:18: field a.v1.M.f has the default -inf, which ts-proto cannot write",
      ].join("\n"),
    );
  });

  it("takes a message called Map where ts-proto's code needs no other", () => {
    expect(run({ "a.proto": `${head}message Map {}` }).error).toBe("");
  });

  it("refuses a proto whose module is one of the kit's", () => {
    const { error } = run({
      "a.proto": `${head}service S {}`,
      "a.client.proto": `${head}message M {}`,
      "descriptor-set.proto": `${head}message N {}`,
    });
    expect(error.split("\n").sort()).toEqual([
      "a.client.proto:1:1: a.client.ts is a module of a.proto, expected another name of the proto",
      "descriptor-set.proto:1:1: descriptor-set.ts is the module of the descriptor set, expected another name of the proto",
    ]);
  });
});
