import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

/** Files of descriptors that come one by one, as reflection gives them, until nothing that they import lacks. */
export class FileCollection {
  readonly #files = new Map<string, FileDescriptorProto>();

  /**
   * Takes a serialised `google.protobuf.FileDescriptorProto`; of files with the same name the first counts.
   *
   * @throws Error for bytes that are none.
   */
  add(bytes: Uint8Array): void {
    const file = fromBinary(FileDescriptorProtoSchema, bytes);
    if (!this.#files.has(file.name)) this.#files.set(file.name, file);
  }

  /** Names of files that are imported and not there. */
  missing(): readonly string[] {
    const imported = [...this.#files.values()].flatMap(({ dependency }) => dependency);
    return [...new Set(imported)].filter((name) => !this.#files.has(name));
  }

  /** All of them, as a serialised `google.protobuf.FileDescriptorSet`. */
  descriptorSet(): Uint8Array {
    const file = [...this.#files.values()];
    return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
  }
}
