/** What the processes of a benchmark have to agree on. */
export type ServerKind =
  | "grpc-js"
  | "nice-grpc"
  | "host-grpc"
  | "host-eas"
  | "node-http"
  | "node-scores"
  | "host-unseen"
  | "host-seen"
  | "host-typed"
  | "host-text";

/** Token that every load sends, whether the server looks at it or not. */
export const BENCH_TOKEN = "bench-token";

/** Scores in every answer of `node-scores`, which answers as a TensorFlow service does, whatever it is asked. */
export const SCORES = 10;

/** Bytes of a request's and an answer's payload. */
export const PAYLOAD_BYTES = 1024;

/** Connections of the load, and calls in progress on each HTTP/2 one. */
export const CONNECTIONS = 8;
export const STREAMS = 8;

/** What is under `npm run bench bytes`. */
export type BytesKind = "tensors" | "bytes" | "grpc-js";

/** What a server has allocated. */
export interface AllocatedBytes {
  /** How often garbage was collected meanwhile. */
  readonly collections: number;
  /** Outside of the heap: buffers, and what HTTP/2 holds. */
  readonly externalBytes: number;
  readonly heapBytes: number;
}
