import { emptyMetadata } from "../../src/core/metadata.js";
import type { RpcCall, RpcStatus } from "../../src/server/rpc.js";

/** A call without an engine: keeps what is done to it. */
export interface RecordedCall extends RpcCall {
  readonly sent: Uint8Array[];
  readonly ended: RpcStatus[];
  /** Times that a message was asked for. */
  readonly reads: number;
  /** Lets the next message follow: without it, whoever sends waits. */
  flush(): void;
}

/** Makes a call to a path; `slow`: nothing flows until `flush`. */
export function recordedCall(
  path: string,
  options: { readonly slow?: boolean } = {},
): RecordedCall {
  const sent: Uint8Array[] = [];
  const ended: RpcStatus[] = [];
  let reads = 0;
  let waiting: (() => void) | undefined;
  return {
    door: "grpc",
    path,
    metadata: emptyMetadata,
    peer: "127.0.0.1:9",
    deadlineMs: Number.POSITIVE_INFINITY,
    sent,
    ended,
    get reads() {
      return reads;
    },
    read() {
      reads++;
    },
    sendHeaders() {},
    send(message, flushed) {
      sent.push(message);
      if (options.slow === true) waiting = flushed;
      else flushed?.();
    },
    end(status) {
      if (ended.length === 0) ended.push(status);
    },
    flush() {
      const flushed = waiting;
      waiting = undefined;
      flushed?.();
    },
  };
}
