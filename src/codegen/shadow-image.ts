import {
  createFileRegistry,
  type DescExtension,
  type DescField,
  type DescFile,
  type FileRegistry,
  fromBinary,
  getOption,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { servingError } from "../core/serving-error.js";
import { flipToBytes } from "./flip-field.js";
import { placeOf } from "./proto-place.js";
import { removeOptionsProto } from "./remove-options-proto.js";
import { modulePath, propertyName, typeName } from "./type-names.js";
import { type TypedArrayField, typedArrayAids, typedArrayNames } from "./typed-array-field.js";

const OPTION = "inferwire.options.v1.typed_array";

/** What {@link createShadowImage} makes. */
export interface ShadowImage {
  /** The image for ts-proto, without a trace of the kit's options. */
  readonly image: Uint8Array;
  /**
   * Modules of ts-proto's that have to go through `withTypedArrays`, by path below the folder of generated code (`a/v1/a.ts`),
   * each with its fields; without fields when only what it imports has some. Empty when no field is a typed array.
   */
  readonly modules: ReadonlyMap<string, readonly TypedArrayField[]>;
}

/** What {@link createShadowImage} may be told. */
export interface ShadowImageOptions {
  /** Takes all fields that can be typed arrays but those that say `(inferwire.options.v1.typed_array) = false`. */
  readonly all: boolean;
}

/**
 * Makes a copy of an image in which each field that is to be a typed array is `repeated bytes`: ts-proto writes code for it that
 * `withTypedArrays` can change. On the wire nothing changes.
 *
 * @param image - a serialised `google.protobuf.FileDescriptorSet` or buf image, with all imports; source info gives errors their places
 * @throws ConfigError `PROTO_INVALID` with a line (`FILE:LINE:COLUMN: text`) for each field that has the option and cannot.
 */
export function createShadowImage(image: Uint8Array, { all }: ShadowImageOptions): ShadowImage {
  const set = fromBinary(FileDescriptorSetSchema, image);
  const registry = createFileRegistry(set);
  const { fields, problems } = findFields(registry, all);
  if (problems.length > 0) throw servingError("PROTO_INVALID", problems.join("\n"));
  const modules = modulesOf(registry, fields);
  for (const field of fields) flipToBytes(field.proto);
  const extension = registry.getExtension(OPTION);
  if (extension !== undefined) removeOptionsProto(set, extension.number);
  return { image: toBinary(FileDescriptorSetSchema, set), modules };
}

function findFields(
  registry: FileRegistry,
  all: boolean,
): { readonly fields: readonly DescField[]; readonly problems: readonly string[] } {
  const option = registry.getExtension(OPTION);
  const fields: DescField[] = [];
  const problems: string[] = [];
  for (const file of registry.files) {
    for (const field of fieldsOf(file)) {
      const mark = option === undefined ? undefined : markOf(field, option);
      const problem = problemOf(field);
      if (mark === true && problem !== undefined) problems.push(`${placeOf(field)}: ${problem}`);
      else if ((mark ?? all) && problem === undefined && field.kind === "field") fields.push(field);
    }
  }
  return { fields, problems };
}

function* fieldsOf(file: DescFile): Iterable<DescField | DescExtension> {
  for (const desc of nestedTypes(file)) {
    if (desc.kind === "message") yield* desc.fields;
    else if (desc.kind === "extension") yield desc;
  }
}

/** Undefined when the field does not say. */
function markOf(field: DescField | DescExtension, option: DescExtension): boolean | undefined {
  const said = field.proto.options?.$unknown?.some(({ no }) => no === option.number) === true;
  return said ? getOption(field, option) === true : undefined;
}

function problemOf(field: DescField | DescExtension): string | undefined {
  const name = field.toString();
  const kinds = [...typedArrayNames.keys()].map((kind) => ScalarType[kind].toLowerCase());
  const expected = `expected a repeated field of ${kinds.join(", ")}`;
  if (field.kind === "extension")
    return `${name} cannot be a typed array, ${expected} that is no extension`;
  const array = arrayName(field);
  if (array === undefined)
    return `${name} cannot be a typed array: it is ${kindOf(field)}, ${expected}`;
  const taken = new Set<string>([array, ...typedArrayAids]);
  const clash = [...nestedTypes(field.parent.file)].find(
    (desc) => (desc.kind === "message" || desc.kind === "enum") && taken.has(typeName(desc)),
  );
  if (clash === undefined) return undefined;
  return `${name} cannot be a typed array: its file has a ${clash.toString()}, expected another name`;
}

function arrayName(field: DescField): string | undefined {
  return field.fieldKind === "list" && field.listKind === "scalar"
    ? typedArrayNames.get(field.scalar)
    : undefined;
}

function kindOf(field: DescField): string {
  if (field.fieldKind === "map") return "a map";
  const type =
    field.message?.typeName ?? field.enum?.typeName ?? ScalarType[field.scalar ?? 0]?.toLowerCase();
  return field.fieldKind === "list" ? `repeated ${type}` : `a single ${type}`;
}

function modulesOf(
  registry: FileRegistry,
  fields: readonly DescField[],
): ReadonlyMap<string, readonly TypedArrayField[]> {
  const withFields = new Set(fields.map((field) => field.parent.file));
  const modules = new Map<string, readonly TypedArrayField[]>();
  for (const file of registry.files) {
    if (![file, ...importsOf(file)].some((each) => withFields.has(each))) continue;
    const own = fields.filter((field) => field.parent.file === file);
    modules.set(`${modulePath(file)}.ts`, own.map(describe));
  }
  return modules;
}

/** All that a file imports, directly or not. */
function importsOf(file: DescFile): ReadonlySet<DescFile> {
  const found = new Set<DescFile>(file.dependencies);
  // A set that grows is iterated to its new end.
  for (const each of found) for (const next of each.dependencies) found.add(next);
  return found;
}

function describe(field: DescField): TypedArrayField {
  const array = arrayName(field) ?? "";
  return {
    fullName: `${field.parent.typeName}.${field.name}`,
    message: typeName(field.parent),
    property: propertyName(field),
    number: field.number,
    array,
    width: array.includes("64") ? 8 : 4,
  };
}
