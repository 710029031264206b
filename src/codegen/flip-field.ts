import { clearField } from "@bufbuild/protobuf";
import {
  FeatureSetSchema,
  type FieldDescriptorProto,
  FieldDescriptorProto_Type,
  FieldOptionsSchema,
} from "@bufbuild/protobuf/wkt";

/** Makes a repeated field of numbers one of bytes, in place; options that bytes cannot have go. */
export function flipToBytes(field: FieldDescriptorProto): void {
  field.type = FieldDescriptorProto_Type.BYTES;
  const { options } = field;
  if (options === undefined) return;
  clearField(options, FieldOptionsSchema.field.packed);
  clearField(options, FieldOptionsSchema.field.jstype);
  if (options.features !== undefined) {
    clearField(options.features, FeatureSetSchema.field.repeatedFieldEncoding);
  }
}
