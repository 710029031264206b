import { servingError } from "../core/serving-error.js";
import type { CompressionName } from "./body-codec.js";

/** What is not compressed so, or cut short. */
export function malformed(name: CompressionName, problem: string, cause?: unknown): Error {
  return servingError("MALFORMED_REQUEST", `the body is no ${name}: ${problem}`, { cause });
}

/** More would come out than may. */
export function tooLarge(name: CompressionName, maxBytes: number): Error {
  return servingError(
    "MESSAGE_TOO_LARGE",
    `the ${name} body holds more than ${maxBytes} bytes, at most that many are taken`,
  );
}
