import type { AnyDesc, DescFile } from "@bufbuild/protobuf";

/** A descriptor that stands somewhere in a file. */
type PlacedDesc = Exclude<AnyDesc, DescFile>;

/** Numbers of fields of `google.protobuf.*DescriptorProto`, which make up the paths of source info. */
const NAME_FIELD = 1;

/**
 * Where something is named in its proto, as compilers print it: `a/b.proto:12:3`; line 1 when the file came without source info.
 */
export function placeOf(desc: AnyDesc): string {
  if (desc.kind === "file") return `${desc.proto.name}:1:1`;
  const { file } = parentOf(desc);
  const path = pathOf(desc);
  const locations = file.proto.sourceCodeInfo?.location ?? [];
  const found =
    locations.find((location) => samePath(location.path, [...path, NAME_FIELD])) ??
    locations.find((location) => samePath(location.path, path));
  const [line = 0, column = 0] = found?.span ?? [];
  return `${file.proto.name}:${line + 1}:${column + 1}`;
}

function parentOf(desc: PlacedDesc): { readonly file: DescFile } {
  if ("file" in desc) return desc;
  return "file" in desc.parent ? desc.parent : parentOf(desc.parent);
}

function samePath(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((part, index) => part === b[index]);
}

function pathOf(desc: PlacedDesc): readonly number[] {
  switch (desc.kind) {
    case "message":
      return desc.parent === undefined
        ? [4, desc.file.proto.messageType.indexOf(desc.proto)]
        : [...pathOf(desc.parent), 3, desc.parent.proto.nestedType.indexOf(desc.proto)];
    case "enum":
      return desc.parent === undefined
        ? [5, desc.file.proto.enumType.indexOf(desc.proto)]
        : [...pathOf(desc.parent), 4, desc.parent.proto.enumType.indexOf(desc.proto)];
    case "service":
      return [6, desc.file.proto.service.indexOf(desc.proto)];
    case "extension":
      return desc.parent === undefined
        ? [7, desc.file.proto.extension.indexOf(desc.proto)]
        : [...pathOf(desc.parent), 6, desc.parent.proto.extension.indexOf(desc.proto)];
    case "field":
      return [...pathOf(desc.parent), 2, desc.parent.proto.field.indexOf(desc.proto)];
    case "oneof":
      return [...pathOf(desc.parent), 8, desc.parent.proto.oneofDecl.indexOf(desc.proto)];
    case "enum_value":
      return [...pathOf(desc.parent), 2, desc.parent.proto.value.indexOf(desc.proto)];
    case "rpc":
      return [...pathOf(desc.parent), 2, desc.parent.proto.method.indexOf(desc.proto)];
  }
}
