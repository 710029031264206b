/** What the processes of a benchmark have to agree on. */
export type ServerKind =
  | "grpc-js"
  | "nice-grpc"
  | "host-grpc"
  | "host-eas"
  | "node-http"
  | "host-unseen"
  | "host-seen";

/** Token that every load sends, whether the server looks at it or not. */
export const BENCH_TOKEN = "bench-token";

/** Bytes of a request's and an answer's payload. */
export const PAYLOAD_BYTES = 1024;

/** Connections of the load, and calls in progress on each HTTP/2 one. */
export const CONNECTIONS = 8;
export const STREAMS = 8;
