const SENDABLE = /^[!-~]([ -~]*[!-~])?$/;

/** Tells whether something can be sent as a token: a text of printable ASCII, not empty, without blanks around it. */
export function isToken(value: unknown): value is string {
  return typeof value === "string" && SENDABLE.test(value);
}
