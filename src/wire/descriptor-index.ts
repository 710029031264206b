import {
  type DescEnum,
  type DescExtension,
  type DescFile,
  type DescMessage,
  type DescService,
  toBinary,
} from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { fileRegistry, kitDescriptorSet } from "./file-registry.js";

/** Finds the descriptors of proto files by what they declare. */
export interface DescriptorIndex {
  /** The file of that name, such as `google/protobuf/duration.proto`, then all it imports; serialised. */
  fileByName(name: string): readonly Uint8Array[] | undefined;
  /** The file that declares a service, method, message, field, enum, enum value or extension, then all it imports. */
  fileBySymbol(symbol: string): readonly Uint8Array[] | undefined;
  /** The file that declares an extension of a message, then all it imports. */
  fileByExtension(message: string, number: number): readonly Uint8Array[] | undefined;
  /** Numbers of all extensions of a message, ascending; undefined for a message that is not known. */
  extensionNumbers(message: string): readonly number[] | undefined;
}

/**
 * Makes the index of the kit's own protos and of further sets.
 *
 * @param additional - Serialised `google.protobuf.FileDescriptorSet`s with all that their files import; of files with the
 * same name the first counts, the kit's own before all.
 * @throws Error when a set cannot be read, or lacks a file that another one imports.
 */
export function createDescriptorIndex(additional: readonly Uint8Array[]): DescriptorIndex {
  return new FileIndex([kitDescriptorSet(), ...additional]);
}

class FileIndex implements DescriptorIndex {
  readonly #byName = new Map<string, DescFile>();
  readonly #bySymbol = new Map<string, DescFile>();
  readonly #extensions = new Map<string, Map<number, DescFile>>();

  constructor(sets: readonly Uint8Array[]) {
    for (const file of fileRegistry(sets).files) this.#addFile(file);
  }

  fileByName(name: string): readonly Uint8Array[] | undefined {
    return withImports(this.#byName.get(name));
  }

  fileBySymbol(symbol: string): readonly Uint8Array[] | undefined {
    return withImports(this.#bySymbol.get(symbol));
  }

  fileByExtension(message: string, number: number): readonly Uint8Array[] | undefined {
    return withImports(this.#extensions.get(message)?.get(number));
  }

  extensionNumbers(message: string): readonly number[] | undefined {
    const numbers = this.#extensions.get(message)?.keys();
    return numbers === undefined ? undefined : [...numbers].sort((a, b) => a - b);
  }

  #addFile(file: DescFile): void {
    this.#byName.set(file.proto.name, file);
    for (const type of nestedTypes(file)) {
      this.#bySymbol.set(type.typeName, file);
      for (const name of memberNames(type)) this.#bySymbol.set(name, file);
      if (type.kind === "message") this.#extensionsOf(type.typeName);
      if (type.kind === "extension")
        this.#extensionsOf(type.extendee.typeName).set(type.number, file);
    }
  }

  #extensionsOf(message: string): Map<number, DescFile> {
    const known = this.#extensions.get(message);
    if (known !== undefined) return known;
    const made = new Map<number, DescFile>();
    this.#extensions.set(message, made);
    return made;
  }
}

function memberNames(type: DescMessage | DescEnum | DescExtension | DescService): string[] {
  switch (type.kind) {
    case "message":
      return [...type.fields, ...type.oneofs].map(({ name }) => `${type.typeName}.${name}`);
    case "service":
      return type.methods.map(({ name }) => `${type.typeName}.${name}`);
    case "enum": {
      // The values of an enum stand beside it, not in it.
      const scope = type.typeName.slice(0, type.typeName.lastIndexOf(".") + 1);
      return type.values.map(({ name }) => scope + name);
    }
    case "extension":
      return [];
  }
}

function withImports(file: DescFile | undefined): readonly Uint8Array[] | undefined {
  if (file === undefined) return undefined;
  const files = new Set([file]);
  // A set can be added to while it is walked: what is added comes last.
  for (const each of files) for (const imported of each.dependencies) files.add(imported);
  return [...files].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
}
