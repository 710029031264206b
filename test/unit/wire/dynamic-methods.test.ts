import { create, toBinary } from "@bufbuild/protobuf";
import {
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { createDynamicMethods } from "../../../src/wire/dynamic-methods.js";
import { FileCollection } from "../../../src/wire/file-collection.js";
import { declaredServices, kitDescriptorSet } from "../../../src/wire/file-registry.js";
import { codeOf, fileBytes } from "../../support/descriptor-files.js";

const { OPTIONAL: optional, REPEATED: repeated } = Label;

/** `a.proto`, which comes before what it imports, as reflection may give files. */
const set = toBinary(
  FileDescriptorSetSchema,
  create(FileDescriptorSetSchema, {
    file: [
      {
        name: "a.proto",
        package: "a",
        syntax: "proto3",
        dependency: ["b.proto"],
        messageType: [
          {
            name: "Ask",
            field: [
              { name: "text", number: 1, type: Type.STRING, label: optional, jsonName: "text" },
              { name: "size", number: 2, type: Type.INT64, label: optional, jsonName: "size" },
              {
                name: "more",
                number: 3,
                type: Type.MESSAGE,
                typeName: ".a.Ask",
                label: optional,
                jsonName: "more",
              },
              {
                name: "parts",
                number: 4,
                type: Type.MESSAGE,
                typeName: ".b.Part",
                label: repeated,
                jsonName: "parts",
              },
            ],
          },
        ],
        service: [
          {
            name: "Asker",
            method: [
              { name: "One", inputType: ".a.Ask", outputType: ".a.Ask" },
              {
                name: "Many",
                inputType: ".a.Ask",
                outputType: ".a.Ask",
                clientStreaming: true,
                serverStreaming: true,
                options: { idempotencyLevel: 2 },
              },
            ],
          },
        ],
      },
      {
        name: "b.proto",
        package: "b",
        syntax: "proto3",
        messageType: [
          {
            name: "Part",
            field: [{ name: "ok", number: 1, type: Type.BOOL, label: optional, jsonName: "ok" }],
          },
        ],
      },
    ],
  }),
);

const methods = createDynamicMethods([set, kitDescriptorSet()]);

function one() {
  const method = methods.find("/a.Asker/One");
  if (method === undefined) throw new Error("no method");
  return method;
}

describe("createDynamicMethods", () => {
  it("knows the methods of each set, whatever the order of its files", () => {
    expect(methods.services).toEqual([...methods.services].sort());
    expect(methods.services).toContain("a.Asker");
    expect(methods.services).toContain("inferwire.builtin.v1.BuiltinService");
    expect(methods.methodsOf("a.Asker")).toMatchObject([
      { path: "/a.Asker/One", requestStream: false, responseStream: false, requestType: "a.Ask" },
      { path: "/a.Asker/Many", requestStream: true, responseStream: true },
    ]);
    expect(methods.find("/a.Asker/Many")?.idempotencyLevel).toBe("IDEMPOTENT");
    expect(one().idempotencyLevel).toBeUndefined();
    expect(methods.find("/a.Asker/None")).toBeUndefined();
    expect(methods.methodsOf("a.None")).toBeUndefined();
  });

  it("refuses a set that lacks what it imports", () => {
    const lacking = new FileCollection();
    lacking.add(fileBytes({ name: "c.proto", dependency: ["d.proto"] }));
    expect(lacking.missing()).toEqual(["d.proto"]);
    expect(() => createDynamicMethods([lacking.descriptorSet()])).toThrow("d.proto");
  });

  it("tells which services a set declares", () => {
    expect(declaredServices(set)).toEqual(["a.Asker"]);
  });
});

describe("DynamicMethod", () => {
  it("takes a request there and back", () => {
    const json = {
      text: "x",
      size: "9007199254740993",
      more: { text: "y" },
      parts: [{ ok: true }],
    };
    expect(one().responseToJson(one().requestFromJson(json))).toEqual(json);
  });

  it.each([
    [{ txt: "x" }, 'key "txt" is unknown, did you mean "text"?'],
    [{ more: { parts: [{ yes: 1 }] } }, "is unknown"],
    [{ text: 1 }, "field a.Ask.text"],
    ["x", "a.Ask"],
    [null, "a.Ask"],
    [undefined, "a.Ask"],
  ])("says what is wrong with %j", (json, expected) => {
    const refuse = (): unknown => one().requestFromJson(json);
    expect(codeOf(refuse)).toBe("MALFORMED_REQUEST");
    expect(refuse).toThrow(expected);
  });

  it("refuses bytes that are no message", () => {
    const bytes = new Uint8Array([0xff]);
    expect(codeOf(() => one().responseToJson(bytes))).toBe("ANSWER_MALFORMED");
  });

  it("makes a request to fill in, that can be sent as it is", () => {
    const template = one().requestTemplate();
    expect(template).toEqual({ text: "", size: "0", parts: [{ ok: false }] });
    expect(one().requestFromJson(template)).toBeInstanceOf(Uint8Array);
  });
});
