import { FormatError } from "./format-error.js";
import { ProtoReader, WireType } from "./proto-reader.js";

/** Below this a copy costs nothing, so that what comes later decides. */
const BULK_BYTES = 1_024;

/** A message that is being gone through. */
interface Open {
  /** Field numbers that lead to it, with a point behind each. */
  readonly path: string;
  readonly end: number;
}

/**
 * Where the first bulk data of a message begins, as far as its first bytes show: the first field of at least 1 KiB, or, when there is
 * none, the first that is not empty.
 *
 * @param fields - those that hold bulk data, each by the field numbers that lead to it, as in `"2.2.3"`
 */
export function bulkOffset(head: Uint8Array, fields: readonly string[]): number | undefined {
  const reader = new ProtoReader(head);
  const open: Open[] = [{ path: "", end: Number.POSITIVE_INFINITY }];
  let first: number | undefined;
  try {
    while (reader.next()) {
      if (reader.wireType !== WireType.LENGTH) {
        reader.skip();
        continue;
      }
      while (reader.pos > (open.at(-1)?.end ?? 0)) open.pop();
      const path = `${open.at(-1)?.path}${reader.field}`;
      reader.varint();
      const length = reader.high * 2 ** 32 + reader.low;
      const start = reader.pos;
      if (fields.some((field) => field.startsWith(`${path}.`)))
        open.push({ path: `${path}.`, end: start + length });
      else {
        if (length > 0 && fields.includes(path)) first ??= start;
        if (length >= BULK_BYTES && fields.includes(path)) return start;
        reader.pos = start + length;
      }
    }
  } catch (thrown) {
    // Whoever decodes the message says what is wrong with it; here it is cut short anyway.
    if (!(thrown instanceof FormatError)) throw thrown;
  }
  return first;
}
