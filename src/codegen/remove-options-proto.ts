import type { UnknownField } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import type { FileDescriptorProto, FileDescriptorSet } from "@bufbuild/protobuf/wkt";

/** The proto of the kit's options for fields. */
const OPTIONS_PROTO = "inferwire/options/v1/options.proto";
const DESCRIPTOR_PROTO = "google/protobuf/descriptor.proto";

/** What buf adds to a file, and in it the places of imports that are not used. */
const BUF_EXTENSION = 8042;
const UNUSED_DEPENDENCIES = 4;

/**
 * Takes the kit's options out of a set, in place: from the fields that have them, from the imports, and the proto itself, with
 * what only it imports.
 *
 * @param option - number of the option
 */
export function removeOptionsProto(set: FileDescriptorSet, option: number): void {
  for (const file of set.file) {
    forgetOption(file, option);
    removeImport(file, OPTIONS_PROTO);
  }
  set.file = set.file.filter((file) => file.name !== OPTIONS_PROTO);
  const isImported = set.file.some((file) => file.dependency.includes(DESCRIPTOR_PROTO));
  if (!isImported) set.file = set.file.filter((file) => file.name !== DESCRIPTOR_PROTO);
}

function forgetOption(file: FileDescriptorProto, option: number): void {
  const messages = [...file.messageType];
  // A list that grows is iterated to its new end.
  for (const message of messages) messages.push(...message.nestedType);
  const fields = messages.flatMap((message) => [...message.field, ...message.extension]);
  for (const { options } of [...fields, ...file.extension]) {
    if (options?.$unknown === undefined) continue;
    options.$unknown = options.$unknown.filter(({ no }) => no !== option);
  }
}

/** Other imports move up, so what counts them is set right. */
function removeImport(file: FileDescriptorProto, name: string): void {
  const at = file.dependency.indexOf(name);
  if (at === -1) return;
  const movedUp = (places: readonly number[]): number[] =>
    places.filter((place) => place !== at).map((place) => (place > at ? place - 1 : place));
  file.dependency.splice(at, 1);
  file.publicDependency = movedUp(file.publicDependency);
  file.weakDependency = movedUp(file.weakDependency);
  file.$unknown = file.$unknown?.map((field) =>
    field.no === BUF_EXTENSION ? withoutUnused(field) : field,
  );
}

function withoutUnused(field: UnknownField): UnknownField {
  const reader = new BinaryReader(new BinaryReader(field.data).bytes());
  const writer = new BinaryWriter();
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag();
    const data = reader.skip(wireType, no);
    if (no !== UNUSED_DEPENDENCIES) writer.tag(no, wireType).raw(data);
  }
  return { ...field, data: new BinaryWriter().bytes(writer.finish()).finish() };
}
