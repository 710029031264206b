import { FormatError } from "../tensor/format-error.js";

/** Runs a generated decoder, whose errors are of no kind of their own. */
export function answerFrom<Answer>(decode: () => Answer): Answer {
  try {
    return decode();
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(`the answer is no message of the service: ${what}`, { cause });
  }
}
