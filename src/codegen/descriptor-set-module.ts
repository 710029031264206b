import { clearField, clone, create, toBinary } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import type { Schema } from "@bufbuild/protoplugin";

/** Where generated code finds the descriptor set, below its folder, and what it is called there. */
export const descriptorSetModule = {
  path: "./descriptor-set.js",
  file: "descriptor-set.ts",
  name: "descriptorSet",
} as const;

/** Writes the descriptors of all protos of the request and of what they import, without comments. */
export function writeDescriptorSetModule(schema: Schema): void {
  const file = schema.proto.protoFile.map(withoutSourceInfo);
  const set = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
  const lines =
    Buffer.from(set)
      .toString("base64")
      .match(/.{1,100}/g) ?? [];
  const module = schema.generateFile(descriptorSetModule.file);
  module.print("const base64: string = [");
  for (const line of lines) module.print(`  "${line}",`);
  module.print('].join("");');
  module.print();
  module.print(
    "/** A serialised google.protobuf.FileDescriptorSet of all protos, as they were written. */",
  );
  // Not by a Buffer: browsers have none, and need the set for Connect.
  const decode = module.import("base64Decode", "@bufbuild/protobuf/wire");
  const { name } = descriptorSetModule;
  module.print("export const ", name, ": Uint8Array = ", decode, "(base64);");
}

function withoutSourceInfo(proto: FileDescriptorProto): FileDescriptorProto {
  const bare = clone(FileDescriptorProtoSchema, proto);
  clearField(bare, FileDescriptorProtoSchema.field.sourceCodeInfo);
  return bare;
}
