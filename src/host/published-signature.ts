import { seen } from "../core/options.js";
import { isRecord } from "../core/record.js";
import { servingError } from "../core/serving-error.js";
import type { TensorInfo, TensorSignature } from "../processor/tensor-signature.js";
import type { DialectName } from "../tensor/dialect.js";
import { fieldDTypeNames } from "../tensor/dtype-names.js";

/**
 * Checks a signature.
 *
 * @throws ConfigError `INVALID_OPTION` with what was seen and what was expected; for one with another dialect than
 * TensorFlow's, whose services alone publish one.
 */
export function checkSignature(
  signature: TensorSignature | undefined,
  dialect: DialectName,
): TensorSignature | undefined {
  if (signature === undefined) return undefined;
  if (dialect !== "tensorflow") {
    throw servingError(
      "INVALID_OPTION",
      `options.signature is given with the dialect "${dialect}", expected none: only "tensorflow" publishes it`,
    );
  }
  const where = "options.signature";
  const { signatureName, inputs, outputs } = membersOf(signature, where);
  if (typeof signatureName !== "string")
    throw wrong(`${where}.signatureName`, signatureName, "a text");
  for (const [key, infos] of Object.entries({ inputs, outputs })) {
    if (!Array.isArray(infos)) throw wrong(`${where}.${key}`, infos, "a list");
    for (const [at, info] of infos.entries()) checkInfo(info, `${where}.${key}[${at}]`);
  }
  return signature;
}

function checkInfo(info: unknown, where: string): void {
  const { name, shape, dtype } = membersOf(info, where);
  if (typeof name !== "string" || name === "") throw wrong(`${where}.name`, name, "a text");
  if (!Array.isArray(shape)) throw wrong(`${where}.shape`, shape, "a list of sizes");
  for (const [at, size] of shape.entries()) {
    if (Number.isSafeInteger(size) && size >= -1) continue;
    throw wrong(`${where}.shape[${at}]`, size, "a size from 0, or -1 for any");
  }
  if (typeof dtype !== "string" || !Object.hasOwn(fieldDTypeNames, dtype)) {
    throw wrong(`${where}.dtype`, dtype, `one of ${Object.keys(fieldDTypeNames).join(", ")}`);
  }
}

function membersOf(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (isRecord(value)) return value;
  throw wrong(where, value, "an object");
}

function wrong(where: string, value: unknown, expected: string): Error {
  return servingError("INVALID_OPTION", `${where} is ${seen(value)}, expected ${expected}`);
}

/**
 * A signature as EAS's TensorFlow service publishes it: one line of JSON.
 *
 * Source: EAS, "construct a request for a TensorFlow service".
 */
export function signatureJson({ signatureName, inputs, outputs }: TensorSignature): string {
  const published = ({ name, shape, dtype }: TensorInfo): object => ({
    name,
    shape,
    type: fieldDTypeNames[dtype],
  });
  return JSON.stringify({
    signature_name: signatureName,
    inputs: inputs.map(published),
    outputs: outputs.map(published),
  });
}
