/** What is needed of a message's encoder in the form of ts-proto, and of protobufjs. */
export interface EncodedType {
  encode(message: unknown, writer?: MessageWriter): MessageWriter;
  fromPartial?(message: unknown): unknown;
}

/** What a message is written into. */
export interface MessageWriter {
  finish(): Uint8Array;
}

/** A writer that has grown to more than this is not kept. */
const MAX_KEPT_BYTES = 64 * 1024;

/**
 * Makes the encoder of a type's messages, partial ones included: what a message lacks takes its default.
 *
 * A writer of its own for every message is most of what a small one costs, for its buffer has to grow first. The writers of
 * `@bufbuild/protobuf` begin anew behind `finish`, so one is kept and handed in again; those of protobufjs go on where they
 * were, so none is kept of them.
 *
 * @returns a function that throws a TypeError for what is no object, and what the type's own functions throw
 */
export function messageEncoder(type: EncodedType): (message: unknown) => Uint8Array {
  let kept: MessageWriter | undefined;
  let beginsAnew: boolean | undefined;
  return (message) => {
    // fromPartial takes anything for a message without fields.
    if (typeof message !== "object" || Array.isArray(message)) {
      throw new TypeError("a message is an object");
    }
    const whole = type.fromPartial?.(message) ?? message;
    const given = kept;
    // Not while it is in use: what throws leaves it half full, and a getter may encode another message meanwhile.
    kept = undefined;
    const writer = type.encode(whole, given);
    const bytes = writer.finish();
    if (bytes.length > 0) beginsAnew ??= writer.finish().length === 0;
    if (beginsAnew === true && bytes.length <= MAX_KEPT_BYTES) kept = writer;
    return bytes;
  };
}
