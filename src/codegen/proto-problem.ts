import { isServingError, type ServingError, servingError } from "../core/serving-error.js";

/** One thing that is wrong with a proto. */
export interface ProtoProblem {
  /** Path relative to the user's folder; undefined when no file is to blame. */
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  /** From 1. */
  readonly column?: number;
  /** Name of the rule of buf that it breaks; undefined for what does not compile. */
  readonly rule?: string;
  readonly message: string;
}

/** `proto/a.proto:3:1: message (RULE)`. */
export function problemText({ file, line, column, rule, message }: ProtoProblem): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(":");
  return `${place === "" ? "" : `${place}: `}${message}${rule === undefined ? "" : ` (${rule})`}`;
}

/** All problems as one error, with each of them in `details.problems`. */
export function problemsError(problems: readonly ProtoProblem[]): ServingError {
  const [first] = problems;
  if (first !== undefined && problems.length === 1) {
    return servingError("PROTO_INVALID", problemText(first), { details: { problems } });
  }
  const files = new Set(problems.map(({ file }) => file)).size;
  const text = `${problems.length} problems in ${files === 1 ? "1 file" : `${files} files`}`;
  return servingError("PROTO_INVALID", text, { details: { problems } });
}

/** The problems of an error that {@link problemsError} has made; none for any other. */
export function problemsIn(thrown: unknown): readonly ProtoProblem[] {
  if (!isServingError(thrown) || thrown.reason !== "PROTO_INVALID") return [];
  return (thrown.details["problems"] as readonly ProtoProblem[] | undefined) ?? [];
}
