import { servingError } from "../../core/serving-error.js";

/** Bytes in front of each message: one of flags, four of its length, big-endian. */
const ENVELOPE_HEADER_BYTES = 5;

/** The flag of a message that is compressed, in gRPC-Web and in Connect. */
const COMPRESSED_FLAG = 1;

/**
 * Puts a message into the envelope that gRPC-Web and Connect's streams have in common.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md and https://connectrpc.com/docs/protocol
 */
export function enveloped(flags: number, message: Uint8Array): Buffer {
  return Buffer.concat([envelopeHeader(flags, message.byteLength), message]);
}

/** What stands in front of a message of so many bytes. */
export function envelopeHeader(flags: number, messageBytes: number): Buffer {
  const header = Buffer.allocUnsafe(ENVELOPE_HEADER_BYTES);
  header[0] = flags;
  header.writeUInt32BE(messageBytes, 1);
  return header;
}

/**
 * Takes the one message of a request out of its envelope.
 *
 * @returns a view of the body
 * @throws HostError `MALFORMED_REQUEST` for anything but exactly one whole message, not compressed.
 */
export function onlyMessage(body: Uint8Array): Uint8Array {
  if (body.byteLength < ENVELOPE_HEADER_BYTES) {
    throw malformed(
      `the body is ${body.byteLength} bytes, expected one message behind ${ENVELOPE_HEADER_BYTES} bytes of flags and length`,
    );
  }
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const flags = view.getUint8(0);
  if (flags === COMPRESSED_FLAG) {
    throw malformed("the message is marked as compressed, but the call names no encoding");
  }
  if (flags !== 0) throw malformed(`the message's flags are ${flags}, expected 0`);
  const length = view.getUint32(1);
  const rest = body.byteLength - ENVELOPE_HEADER_BYTES;
  if (length > rest) {
    throw malformed(`the message is said to be ${length} bytes, but ${rest} bytes came`);
  }
  if (length < rest) {
    throw malformed(`${rest - length} bytes behind the message, expected one message and no more`);
  }
  return body.subarray(ENVELOPE_HEADER_BYTES);
}

function malformed(problem: string): Error {
  return servingError("MALFORMED_REQUEST", problem);
}
