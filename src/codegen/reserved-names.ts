import { type DescFile, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";

/** Names that no type can have in a module of TypeScript. */
export const reservedNames: ReadonlySet<string> = new Set(
  [
    "any arguments await bigint boolean break case catch class const continue debugger default delete do else enum eval",
    "export extends false finally for function globalThis if implements import in instanceof interface let never new null",
    "number object package private protected public return static string super switch symbol this throw true try typeof",
    "undefined unknown var void while with yield",
  ].flatMap((line) => line.split(" ")),
);

/** Names that ts-proto's module of a proto uses for something else, each with what that is. */
export function usedNames(file: DescFile): readonly (readonly [name: string, what: string])[] {
  const messages = [...nestedTypes(file)].filter((desc) => desc.kind === "message");
  const names = ["Builtin", "DeepPartial", "MessageFns", "protobufFileName", "protobufPackage"];
  const globals = ["BinaryReader", "BinaryWriter", "Partial", "ReadonlyArray", "Uint8Array"];
  if (messages.some(hasMap)) globals.push("Map");
  if (messages.some(hasBigInt)) globals.push("BigInt");
  if (file.services.some(({ methods }) => methods.length > 0)) {
    names.push("ServerStreamingMethodResult");
    globals.push("AsyncIterable", "AsyncIterator", "Promise", "Symbol");
  }
  return [
    ...names.map((name) => [name, "something of ts-proto's own"] as const),
    ...globals.map((name) => [name, `the ${name} that ts-proto's code uses`] as const),
  ];
}

function hasMap(message: DescMessage): boolean {
  return message.fields.some(({ fieldKind }) => fieldKind === "map");
}

const bigInts: ReadonlySet<ScalarType | undefined> = new Set([
  ScalarType.INT64,
  ScalarType.UINT64,
  ScalarType.SINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
]);

function hasBigInt(message: DescMessage): boolean {
  return message.fields.some(
    (field) =>
      bigInts.has(field.scalar) || (field.fieldKind === "map" && bigInts.has(field.mapKey)),
  );
}
