import { createFileRegistry, fromBinary, ScalarType } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { createShadowImage } from "../../src/codegen/shadow-image.js";
import { withTypedArrays } from "../../src/codegen/typed-array-code.js";
import { imageOf } from "../support/proto-image.js";

const head = `syntax = "proto3";
package a.v1;
import "inferwire/options/v1/options.proto";
`;
const mark = "[(inferwire.options.v1.typed_array) = true]";
const marked = imageOf({
  "a.proto": `${head}message M {\n  repeated float f = 1 ${mark};\n  repeated double d = 2;\n}`,
  "b.proto": 'syntax = "proto3";\nimport "a.proto";\nmessage B { a.v1.M m = 1; }',
  "c.proto": 'syntax = "proto3";\nmessage C { repeated fixed32 n = 1; }',
});

function fieldOf(image: Uint8Array, message: string, field: string) {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
  return registry.getMessage(message)?.field[field];
}

describe("createShadowImage", () => {
  it("makes bytes of marked fields, and names the modules that are concerned", () => {
    const { image, modules } = createShadowImage(marked, { all: false });
    expect(fieldOf(image, "a.v1.M", "f")?.scalar).toBe(ScalarType.BYTES);
    expect(fieldOf(image, "a.v1.M", "d")?.scalar).toBe(ScalarType.DOUBLE);
    expect([...modules]).toEqual([
      [
        "a.ts",
        [
          {
            fullName: "a.v1.M.f",
            message: "M",
            property: "f",
            number: 1,
            array: "Float32Array",
            width: 4,
          },
        ],
      ],
      ["b.ts", []],
    ]);
  });

  it("leaves no trace of the options", () => {
    const { image } = createShadowImage(marked, { all: false });
    const names = fromBinary(FileDescriptorSetSchema, image).file.map(({ name }) => name);
    expect(names).toEqual(["a.proto", "b.proto", "c.proto"]);
    expect(Buffer.from(image).toString("latin1")).not.toContain("inferwire");
  });

  it("takes all fields that can be, but those that say no", () => {
    const no = "[(inferwire.options.v1.typed_array) = false]";
    const fields = `repeated float f = 1; repeated float g = 2 ${no}; repeated int32 i = 3;`;
    const { modules } = createShadowImage(imageOf({ "a.proto": `${head}message M {${fields}}` }), {
      all: true,
    });
    expect(modules.get("a.ts")?.map(({ property }) => property)).toEqual(["f"]);
  });

  it("changes nothing where there is nothing to change", () => {
    const image = imageOf({ "c.proto": 'syntax = "proto3";\nmessage C { float f = 1; }' });
    expect(createShadowImage(image, { all: true }).modules.size).toBe(0);
  });

  it.each([
    ["repeated int32 x = 1", "  repeated int32 x = 1 MARK;", "it is repeated int32"],
    ["a single float", "  float x = 1 MARK;", "it is a single float"],
    ["an optional float", "  optional float x = 1 MARK;", "it is a single float"],
    ["a map", "  map<string, float> x = 1 MARK;", "it is a map"],
    ["a oneof's member", "  oneof o { float x = 1 MARK; }", "it is a single float"],
    ["messages", "  repeated M x = 1 MARK;", "it is repeated a.v1.M"],
  ])("refuses a mark on %s", (_, line, expected) => {
    const text = `${head}message M {\n${line.replace("MARK", mark)}\n}`;
    const image = imageOf({ "a.proto": text });
    const column = line.indexOf("x =") + 1;
    expect(() => createShadowImage(image, { all: false })).toThrow(
      `a.proto:5:${column}: field a.v1.M.x cannot be a typed array: ${expected}, expected a repeated field of float, double,`,
    );
  });

  it("refuses a mark beside a message that is called like the array", () => {
    const text = `${head}message M { repeated float x = 1 ${mark}; }\nmessage Float32Array {}`;
    expect(() => createShadowImage(imageOf({ "a.proto": text }), { all: false })).toThrow(
      "its file has a message a.v1.Float32Array, expected another name",
    );
  });
});

describe("withTypedArrays", () => {
  const field = {
    fullName: "a.v1.M.f",
    message: "M",
    property: "f",
    number: 1,
    array: "Float32Array",
    width: 4,
  } as const;

  it("refuses code of another form, naming ts-proto's version and the place", () => {
    expect(() => withTypedArrays("\nexport interface M {\n}", [field], "9.9.9")).toThrow(
      "ts-proto 9.9.9 writes code that typed arrays cannot be put into: for DeepPartial there should be once: type Builtin =",
    );
  });

  it("refuses a place that is there twice", () => {
    const code = "\ntype Builtin = 1;\ntype Builtin = 2;\n";
    expect(() => withTypedArrays(code, [], "9.9.9")).toThrow("ts-proto 9.9.9");
  });

  it("leaves a module of enums as it is", () => {
    expect(withTypedArrays("export const E = {};\n", [], "9.9.9")).toBe("export const E = {};\n");
  });
});
