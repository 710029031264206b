import { ServingError, servingError } from "../core/serving-error.js";

/**
 * Makes what a source tells of something that went wrong: whatever is no failure of discovery by itself, such as a lost
 * connection, is `DIRECTORY_FAILED`.
 *
 * @param where - named first: the source, or the directory that was asked
 */
export function sourceFailure(where: string, thrown: unknown): ServingError {
  const cause = ServingError.from(thrown);
  const reason = cause.entry.kind === "discovery" ? cause.reason : "DIRECTORY_FAILED";
  return servingError(reason, `${where}: ${cause.message}`, { cause });
}
