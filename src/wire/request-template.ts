import { type DescField, type DescMessage, type JsonValue, ScalarType } from "@bufbuild/protobuf";

/** JSON of google's own messages, whose form is not that of their fields. */
const wellKnown: Readonly<Record<string, JsonValue>> = {
  "google.protobuf.Any": {},
  "google.protobuf.BoolValue": false,
  "google.protobuf.BytesValue": "",
  "google.protobuf.DoubleValue": 0,
  "google.protobuf.Duration": "0s",
  "google.protobuf.FieldMask": "",
  "google.protobuf.FloatValue": 0,
  "google.protobuf.Int32Value": 0,
  "google.protobuf.Int64Value": "0",
  "google.protobuf.ListValue": [],
  "google.protobuf.StringValue": "",
  "google.protobuf.Struct": {},
  "google.protobuf.Timestamp": "1970-01-01T00:00:00Z",
  "google.protobuf.UInt32Value": 0,
  "google.protobuf.UInt64Value": "0",
  "google.protobuf.Value": null,
};

const asTexts: ReadonlySet<ScalarType> = new Set([ScalarType.STRING, ScalarType.BYTES]);

const asDigits: ReadonlySet<ScalarType> = new Set([
  ScalarType.INT64,
  ScalarType.UINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
  ScalarType.SINT64,
]);

/**
 * JSON of a message whose every field is there, to be filled in: a message as it stands is read without an error. Of a oneof
 * only the first field is there, since only one may be; a message inside itself is left out.
 */
export function messageTemplate(type: DescMessage): JsonValue {
  return templateOf(type, new Set());
}

function templateOf(type: DescMessage, around: ReadonlySet<string>): JsonValue {
  const known = wellKnown[type.typeName];
  if (known !== undefined) return known;
  const inside = new Set(around).add(type.typeName);
  const template: Record<string, JsonValue> = {};
  for (const field of type.fields) {
    if (field.oneof !== undefined && field.oneof.fields[0] !== field) continue;
    const value = fieldTemplate(field, inside);
    if (value !== undefined) template[field.jsonName] = value;
  }
  return template;
}

/** Undefined for a message that would be inside itself. */
function fieldTemplate(field: DescField, inside: ReadonlySet<string>): JsonValue | undefined {
  switch (field.fieldKind) {
    case "map":
      return {};
    case "list":
      if (field.listKind !== "message" || inside.has(field.message.typeName)) return [];
      return [templateOf(field.message, inside)];
    case "message":
      if (inside.has(field.message.typeName)) return undefined;
      return templateOf(field.message, inside);
    case "enum":
      return field.enum.values[0]?.name ?? 0;
    case "scalar":
      return scalarTemplate(field.scalar);
  }
}

function scalarTemplate(type: ScalarType): JsonValue {
  if (asTexts.has(type)) return "";
  if (asDigits.has(type)) return "0";
  return type === ScalarType.BOOL ? false : 0;
}
