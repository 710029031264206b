/** Bytes that are not the message they should be; its text names the field. Whoever reads them says whose fault that is. */
export class FormatError extends Error {
  override readonly name: string = "FormatError";
}
