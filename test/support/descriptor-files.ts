import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { isServingError } from "../../src/core/serving-error.js";

/** A serialised `google.protobuf.FileDescriptorProto`. */
export function fileBytes(file: MessageInitShape<typeof FileDescriptorProtoSchema>): Uint8Array {
  return toBinary(FileDescriptorProtoSchema, create(FileDescriptorProtoSchema, file));
}

/** The reason of the kit's error that something throws. */
export function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (thrown) {
    return isServingError(thrown) ? thrown.reason : String(thrown);
  }
}
