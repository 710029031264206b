import { emptyMetadata, type MetadataView } from "../core/metadata.js";
import type { RpcDefinition } from "../core/rpc-definition.js";
import type { CallError } from "../core/serving-error.js";
import { Status } from "../core/status.js";
import { attemptError } from "./attempt-error.js";
import type { Attempt, AttemptEnd, Transport } from "./transport.js";

/** How a stream is opened, and who is told of it. */
export interface StreamOptions<Res> {
  readonly metadata?: MetadataView | undefined;
  /** Ends the stream with `CANCELLED`. */
  readonly signal?: AbortSignal | undefined;
  /** One message; the next one is already asked for. */
  onMessage(message: Res): void;
  /** The stream is over, told once and last: undefined when the instance ended it with OK. */
  onEnd(error: CallError | undefined): void;
}

/** A stream that is being read, and may be written. */
export interface BidiStream<Req> {
  /** Messages that have not left yet. */
  readonly unsent: number;
  /** Sends a message behind those that have not left yet; after `end` or the stream's own end it does nothing. */
  send(message: Req): void;
  /** Nothing more will be sent. */
  end(): void;
  /** Ends the stream; `onEnd` is told `CANCELLED` unless it ended before. */
  cancel(): void;
}

/**
 * Opens a stream in both directions on one instance, sends a first message, and reads, one message ahead of the reader, until
 * the stream ends.
 *
 * There is no time limit: cancel it, or watch for silence. A message that cannot be decoded, or an exception out of
 * `onMessage`, ends the stream with `CALL_FAILED`, the exception as cause.
 *
 * @throws ConfigError `INVALID_OPTION` for metadata that cannot be sent.
 */
export function openBidiStream<Req, Res>(
  transport: Transport,
  definition: RpcDefinition<Req, Res>,
  first: Req,
  options: StreamOptions<Res>,
): BidiStream<Req> {
  const { path } = definition;
  const { metadata = emptyMetadata, signal } = options;
  /** In order; the first one is on its way. */
  const queue: Uint8Array[] = [];
  let broken: unknown;
  let halfClosed = false;
  let over = false;
  const cancel = (): void => attempt.cancel(Status.CANCELLED, "cancelled by its reader");

  function sendNext(): void {
    const [next] = queue;
    if (next === undefined) return;
    attempt.send(next, () => {
      queue.shift();
      if (!over) sendNext();
    });
    if (halfClosed && queue.length === 1) attempt.halfClose();
  }

  function enqueue(bytes: Uint8Array): void {
    if (over || halfClosed) return;
    queue.push(bytes);
    if (queue.length === 1) sendNext();
  }

  const bytes = definition.encodeRequest(first);
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
        over = true;
        signal?.removeEventListener("abort", cancel);
        options.onEnd(streamError(path, end, transport, broken));
      },
    },
  );
  enqueue(bytes);
  attempt.read();
  if (signal?.aborted === true) cancel();
  else signal?.addEventListener("abort", cancel, { once: true });
  return {
    get unsent() {
      return queue.length;
    },
    send: (message) => enqueue(definition.encodeRequest(message)),
    end() {
      if (halfClosed) return;
      halfClosed = true;
      if (queue.length < 2) attempt.halfClose();
    },
    cancel,
  };
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
