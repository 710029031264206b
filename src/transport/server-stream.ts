import { emptyMetadata, type MetadataView } from "../core/metadata.js";
import type { RpcDefinition } from "../core/rpc-definition.js";
import type { CallError } from "../core/serving-error.js";
import { Status } from "../core/status.js";
import { attemptError } from "./attempt-error.js";
import type { Attempt, AttemptEnd, Transport } from "./transport.js";

/** How a server stream is opened, and who is told of it. */
export interface ServerStreamOptions<Res> {
  readonly metadata?: MetadataView | undefined;
  /** Ends the stream with `CANCELLED`. */
  readonly signal?: AbortSignal | undefined;
  /** One message; the next one is already asked for. */
  onMessage(message: Res): void;
  /** The stream is over, told once and last: undefined when the instance ended it with OK. */
  onEnd(error: CallError | undefined): void;
}

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
  options: ServerStreamOptions<Res>,
): ServerStream {
  const { path } = definition;
  const { metadata = emptyMetadata, signal } = options;
  let broken: unknown;
  const cancel = (): void => attempt.cancel(Status.CANCELLED, "cancelled by its reader");
  const bytes = definition.encodeRequest(request);
  const attempt: Attempt = transport.start(
    { path, metadata, timeoutMs: Number.POSITIVE_INFINITY, previousAttempts: 0 },
    {
      onHeaders() {},
      onMessage(message) {
        if (broken !== undefined) return;
        attempt.read();
        try {
          options.onMessage(definition.decodeResponse(message));
        } catch (cause) {
          broken = cause;
          attempt.cancel(Status.INTERNAL, "a message cannot be taken");
        }
      },
      onEnd(end) {
        signal?.removeEventListener("abort", cancel);
        options.onEnd(streamError(path, end, transport, broken));
      },
    },
  );
  attempt.send(bytes);
  attempt.halfClose();
  attempt.read();
  if (signal?.aborted === true) cancel();
  else signal?.addEventListener("abort", cancel, { once: true });
  return { cancel };
}

function streamError(
  path: string,
  end: AttemptEnd,
  transport: Transport,
  cause: unknown,
): CallError | undefined {
  if (end.code === Status.OK) return undefined;
  return attemptError(path, end, { instance: transport.instance.key, cause });
}
