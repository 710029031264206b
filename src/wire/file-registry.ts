import { create, createFileRegistry, type FileRegistry, fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { descriptorSetBase64 } from "../../gen/descriptor-set.js";

/** The serialised descriptor set of the kit's own protos. */
export function kitDescriptorSet(): Uint8Array {
  return Buffer.from(descriptorSetBase64, "base64");
}

/**
 * Puts descriptor sets together.
 *
 * @param sets - serialised `google.protobuf.FileDescriptorSet`s, together with all that their files import; of files with the
 * same name the first counts
 * @throws Error when a set cannot be read, or lacks a file that another one imports.
 */
export function fileRegistry(sets: readonly Uint8Array[]): FileRegistry {
  const protos = new Map<string, FileDescriptorProto>();
  for (const bytes of sets) {
    for (const proto of fromBinary(FileDescriptorSetSchema, bytes).file) {
      if (!protos.has(proto.name)) protos.set(proto.name, proto);
    }
  }
  return createFileRegistry(create(FileDescriptorSetSchema, { file: importedFirst(protos) }));
}

/** A registry takes files in the order of their imports; reflection gives them in any. */
function importedFirst(protos: ReadonlyMap<string, FileDescriptorProto>): FileDescriptorProto[] {
  const ordered = new Set<FileDescriptorProto>();
  const visited = new Set<string>();
  const visit = (name: string): void => {
    const proto = protos.get(name);
    if (proto === undefined || visited.has(name)) return;
    visited.add(name);
    for (const imported of proto.dependency) visit(imported);
    ordered.add(proto);
  };
  for (const name of protos.keys()) visit(name);
  return [...ordered];
}

/**
 * Full names of the services that a descriptor set declares.
 *
 * @throws Error when it cannot be read.
 */
export function declaredServices(set: Uint8Array): readonly string[] {
  return fromBinary(FileDescriptorSetSchema, set).file.flatMap((file) =>
    file.service.map(({ name }) => (file.package === "" ? name : `${file.package}.${name}`)),
  );
}
