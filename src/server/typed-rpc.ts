import { CallAbort } from "../core/call-abort.js";
import type { MetadataView } from "../core/metadata.js";
import type { RpcDefinition } from "../core/rpc-definition.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import { Status } from "../core/status.js";
import type { RpcCall, RpcDoorName, RpcRoute, RpcStatus } from "./rpc.js";
import { rpcStatusFromThrown } from "./rpc-errors.js";

/** What a typed handler sees of its call. */
export interface TypedCall {
  readonly door: RpcDoorName;
  readonly metadata: MetadataView;
  readonly peer: string;
  readonly deadlineMs: number;
  /** Aborted when the call is over on the wire before the handler has answered. */
  readonly signal: AbortSignal;
  /** What {@link TypedCall.signal} stands for, for whoever can do without a signal. */
  readonly abort: CallAbort;
}

/** How a call ends whose handler has thrown. */
export type ErrorStatus = (thrown: unknown) => RpcStatus;

class TypedContext implements TypedCall {
  readonly abort: CallAbort = new CallAbort();
  readonly #call: RpcCall;
  #answered = false;

  constructor(call: RpcCall) {
    this.#call = call;
  }

  get door(): RpcDoorName {
    return this.#call.door;
  }

  get metadata(): MetadataView {
    return this.#call.metadata;
  }

  get peer(): string {
    return this.#call.peer;
  }

  get deadlineMs(): number {
    return this.#call.deadlineMs;
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  end(status: RpcStatus): void {
    this.#answered = true;
    this.#call.end(status);
  }

  /** The call is over on the wire: that is no end to what goes on behind its answer. */
  closed(why: ServingError): void {
    if (!this.#answered) this.abort.abort(why);
  }
}

/** Reads the one request of a call, then runs `answer` with it; what that throws ends the call. */
function singleRequestRoute<Req, Res>(
  definition: RpcDefinition<Req, Res>,
  answer: (request: Req, context: TypedContext, call: RpcCall) => Promise<void>,
  statusOf: ErrorStatus = rpcStatusFromThrown,
): RpcRoute {
  return {
    path: definition.path,
    requestStream: definition.requestStream,
    responseStream: definition.responseStream,
    accept(call) {
      const context = new TypedContext(call);
      let received: Uint8Array | undefined;
      call.read();
      return {
        onMessage(message) {
          received = message;
        },
        onHalfClose() {
          const bytes = received;
          if (bytes === undefined) return;
          answerDecoded(definition, bytes, context, call, answer).catch((thrown: unknown) =>
            context.end(statusOf(thrown)),
          );
        },
        onClose(error) {
          context.closed(error ?? servingError("CANCELLED", "the call is over on the wire"));
        },
      };
    },
  };
}

async function answerDecoded<Req, Res>(
  definition: RpcDefinition<Req, Res>,
  bytes: Uint8Array,
  context: TypedContext,
  call: RpcCall,
  answer: (request: Req, context: TypedContext, call: RpcCall) => Promise<void>,
): Promise<void> {
  let request: Req;
  try {
    request = definition.decodeRequest(bytes);
  } catch (cause) {
    throw servingError("MALFORMED_REQUEST", `the message is not a ${definition.path} request`, {
      cause,
    });
  }
  await answer(request, context, call);
}

/**
 * A unary method of typed messages.
 *
 * @param statusOf - What the call ends with when the handler throws; code, message and reason of the error when left out.
 */
export function unaryRoute<Req, Res>(
  definition: RpcDefinition<Req, Res>,
  handler: (request: Req, call: TypedCall) => Promise<Res> | Res,
  statusOf?: ErrorStatus,
): RpcRoute {
  const answer = async (request: Req, context: TypedContext, call: RpcCall): Promise<void> => {
    const response = await handler(request, context);
    call.send(definition.encodeResponse(response));
    context.end({ code: Status.OK, message: "" });
  };
  return singleRequestRoute(definition, answer, statusOf);
}

/** A server-streaming method of typed messages, sent at the caller's pace. */
export function serverStreamRoute<Req, Res>(
  definition: RpcDefinition<Req, Res>,
  handler: (request: Req, call: TypedCall) => AsyncIterable<Res>,
): RpcRoute {
  return singleRequestRoute(definition, async (request, context, call) => {
    for await (const response of handler(request, context)) {
      if (context.abort.reason !== undefined) return;
      await sendFlushed(call, definition.encodeResponse(response), context.abort);
    }
    context.end({ code: Status.OK, message: "" });
  });
}

/** Sends a message and waits until the next one may follow, or the call is over. */
export function sendFlushed(call: RpcCall, message: Uint8Array, abort: CallAbort): Promise<void> {
  return new Promise((resolve) => {
    const takeBack = abort.onAbort(() => resolve());
    call.send(message, () => {
      takeBack();
      resolve();
    });
  });
}
