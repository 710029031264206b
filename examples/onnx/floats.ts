/**
 * The bytes of float32 numbers, in the machine's own order: little-endian wherever onnxruntime-node runs. A view, not a
 * copy.
 */
export function bytesOf(floats: Float32Array): Uint8Array {
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}

/**
 * The float32 numbers in these bytes.
 *
 * Copied: a received message may begin at any byte of its buffer, and a Float32Array only at every fourth.
 *
 * @throws RangeError when the length is no multiple of 4.
 */
export function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer);
}
