import { CodeEdits } from "./code-edits.js";
import { type TypedArrayField, typedArrayAids, typedArrayNames } from "./typed-array-field.js";

/**
 * Changes ts-proto's code of a module so that fields are typed arrays. Every place that is changed must be there exactly once.
 *
 * @param code - what ts-proto wrote for the module from the shadow image
 * @param fields - as `createShadowImage` lists them; none when only messages that the module imports have some
 * @param tsProtoVersion - for errors
 * @throws HostError `INTERNAL` when the code is not what ts-proto is known to write.
 */
export function withTypedArrays(
  code: string,
  fields: readonly TypedArrayField[],
  tsProtoVersion: string,
): string {
  const edits = new CodeEdits(code, tsProtoVersion);
  const whole = { start: 0, end: code.length };
  // A module without messages has no DeepPartial.
  if (fields.length > 0 || code.includes("\ntype Builtin =")) {
    const arrays = [...typedArrayNames.values()].join(" | ");
    edits.insertBehind(whole, "type Builtin =", ` ${arrays} |`, "DeepPartial");
  }
  if (fields.length > 0) {
    const imports = 'import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";';
    const ours = `\nimport { ${typedArrayAids.join(", ")} } from "inferwire/tensor";`;
    edits.insertBehind(whole, imports, ours, "the imports");
  }
  for (const field of fields) editField(edits, field);
  return edits.apply();
}

function editField(edits: CodeEdits, field: TypedArrayField): void {
  const { fullName, message, property, number, array, width } = field;
  const isIdentifier = /^[A-Za-z_]\w*$/.test(property);
  const key = isIdentifier ? property : `"${property}"`;
  const access = isIdentifier ? `.${property}` : `[${key}]`;
  const parts = `parts${number}`;
  const packedTag = ((number << 3) | 2) >>> 0;
  const singleTag = ((number << 3) | (width === 4 ? 5 : 1)) >>> 0;

  const shape = edits.section(`export interface ${message} {`, "\n}", fullName);
  edits.replaceLine(shape, `${key}: Uint8Array[];`, `${key}: ${array};`, fullName);

  const base = edits.section(`function createBase${message}(): ${message} {`, "\n}", fullName);
  edits.replace(base, `${key}: []`, `${key}: new ${array}(0)`, fullName);

  const codec = edits.section(
    `export const ${message}: MessageFns<${message}> = {`,
    "\n};",
    fullName,
  );
  edits.replace(
    codec,
    `for (const v of message${access}) { writer.uint32(${packedTag}).bytes(v!); }`,
    `if (message${access}.length !== 0) {
      writer.uint32(${packedTag}).bytes(typedArrayBytes(message${access}, ${array}, "${fullName}"));
    }`,
    fullName,
  );
  edits.insertBehind(
    codec,
    `const end = length === undefined ? reader.len : reader.pos + length; const message = createBase${message}();`,
    `\n      const ${parts} = new TypedArrayParts<${array}>(${array}, "${fullName}");`,
    fullName,
  );
  edits.replace(
    codec,
    `if (tag !== ${packedTag}) { break; } message${access}.push(reader.bytes()); continue;`,
    `if (tag === ${singleTag}) {
              ${parts}.single(reader.fixed${width * 8}());
              continue;
            }

            if (tag !== ${packedTag}) {
              break;
            }

            ${parts}.packed(reader.bytes());
            continue;`,
    fullName,
  );
  edits.insertBefore(
    codec,
    "return message; } finally {",
    `message${access} = ${parts}.array();\n      `,
    fullName,
  );
  edits.replace(
    codec,
    `message${access} = object${access}?.map((e) => e) || [];`,
    `message${access} = object${access} ?? new ${array}(0);`,
    fullName,
  );
}
