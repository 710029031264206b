import type {
  DescEnum,
  DescField,
  DescFile,
  DescMessage,
  DescMethod,
  DescOneof,
} from "@bufbuild/protobuf";

/** Names that ts-proto puts `Message` behind. */
const renamedTypes: ReadonlySet<string> = new Set(["Date", "Function"]);

/** What ts-proto calls a message or enum: `Outer_Inner` for one inside another. */
export function typeName(desc: DescMessage | DescEnum): string {
  const name = nestedName(desc);
  return renamedTypes.has(name) ? `${name}Message` : name;
}

function nestedName(desc: DescMessage | DescEnum): string {
  const name = camelCase(desc.name);
  return desc.parent === undefined ? name : `${nestedName(desc.parent)}_${name}`;
}

/** What ts-proto calls the property of a field or oneof. */
export function propertyName(desc: DescField | DescOneof): string {
  return camelCase(desc.name);
}

/** What ts-proto calls the member of an rpc. */
export function rpcName(method: DescMethod): string {
  return method.name.charAt(0).toLowerCase() + method.name.slice(1);
}

/** The module of a proto's messages below the folder of generated code, without its ending. */
export function modulePath(file: DescFile): string {
  return file.proto.name.replace(".proto", "");
}

/** A name that begins with a capital. */
export function capitalized(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** Words of a name that are all capitals become small, those of others keep their letters; as ts-proto has it. */
function camelCase(name: string): string {
  if (!name.includes("_")) return name;
  const mixed = /[a-z]/.test(name);
  return name
    .split("_")
    .map((word) => (mixed ? word : word.toLowerCase()))
    .map((word, index) => (index === 0 ? word : capitalized(word)))
    .join("");
}
