import type { RpcDefinition } from "../core/rpc-definition.js";
import { openBidiStream, type StreamOptions } from "./bidi-stream.js";
import type { Transport } from "./transport.js";

/** A stream that is being read. */
export interface ServerStream {
  /** Ends the stream; `onEnd` is told `CANCELLED` unless it ended before. */
  cancel(): void;
}

/**
 * Opens a server stream on one instance and reads it, one message ahead of the reader, until it ends.
 *
 * There is no time limit: cancel it, or watch for silence. A message that cannot be decoded, or an exception out of
 * `onMessage`, ends the stream with `CALL_FAILED`, the exception as cause.
 *
 * @throws ConfigError `INVALID_OPTION` for metadata that cannot be sent.
 */
export function openServerStream<Req, Res>(
  transport: Transport,
  definition: RpcDefinition<Req, Res>,
  request: Req,
  options: StreamOptions<Res>,
): ServerStream {
  const stream = openBidiStream(transport, definition, request, options);
  stream.end();
  return stream;
}
