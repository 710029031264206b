import { type Invocation, isSequence, type Outcome } from "../core/invocation.js";
import { servingError } from "../core/serving-error.js";
import { badAnswer, kindOf } from "./answer-errors.js";
import { answerOutcome, checkPieces, isPieces, piecesOutcome } from "./answers.js";
import {
  type NextLayer,
  onlyAnswer,
  spreadableCall,
  streamedAnswers,
  throughMiddleware,
} from "./middleware.js";
import type { ProcessorRpc } from "./processor.js";
import type { ProcessorCall } from "./processor-call.js";
import { decodeRequest, RequestMessages } from "./request-messages.js";
import type { RunnerSettings } from "./runner-settings.js";
import { runUserCode } from "./user-code.js";

/**
 * Runs a method of a typed service: decodes what was asked, runs the handler behind the middleware, encodes its answers.
 *
 * @throws HostError `MALFORMED_REQUEST`; ProcessorError `PROCESSOR_BAD_ANSWER`; what the handler throws.
 */
export async function runRpc(
  rpc: ProcessorRpc,
  call: ProcessorCall,
  invocation: Invocation,
  settings: RunnerSettings,
): Promise<Outcome> {
  const request = requestOf(rpc, invocation);
  const stopReading = (): void => {
    // Only the kit's own iterators are behind this; that one of them has failed already is no news.
    if (request instanceof RequestMessages) request.return().catch(() => {});
  };
  let inPieces = false;
  try {
    const answer = runUserCode(call, () => answerTo(rpc, request, call, settings));
    if (!rpc.responseStream) return answerOutcome(encode(rpc, await answer), 0, call);
    const pieces = checkPieces(answer, rpc.path);
    inPieces = true;
    const hooks = { encode: (message: unknown) => encode(rpc, message), ended: stopReading };
    return piecesOutcome(pieces, hooks, call, invocation, settings);
  } finally {
    if (!inPieces) stopReading();
  }
}

function requestOf(rpc: ProcessorRpc, { payloads }: Invocation): unknown {
  if (isSequence(payloads) !== rpc.requestStream) {
    const expected = rpc.requestStream ? "a sequence of payloads" : "one payload";
    throw servingError("INTERNAL", `${rpc.path} takes ${expected}`);
  }
  return isSequence(payloads) ? new RequestMessages(rpc, payloads) : decodeRequest(rpc, payloads);
}

function answerTo(
  rpc: ProcessorRpc,
  request: unknown,
  call: ProcessorCall,
  { middleware }: RunnerSettings,
): unknown {
  call.throwIfOver();
  if (middleware.length === 0) return rpc.handler(request, call);
  const { path, requestStream, responseStream, idempotencyLevel } = rpc;
  const options = idempotencyLevel === undefined ? {} : { idempotencyLevel };
  const method = { path, requestStream, responseStream, options };
  const layers = throughMiddleware(middleware, method, handlerLayer(rpc, call));
  const answers = layers(request, spreadableCall(call));
  return responseStream ? streamedAnswers(answers, path) : onlyAnswer(answers, path);
}

/** The layer that the middleware stands around. */
function handlerLayer(rpc: ProcessorRpc, call: ProcessorCall): NextLayer {
  return async function* handle(request, context) {
    // Middleware may have waited for something meanwhile: work that nobody wants is not begun.
    call.throwIfOver();
    if (rpc.requestStream !== isPieces(request)) {
      const expected = rpc.requestStream ? "an async iterable of messages" : "a message";
      throw badAnswer(`middleware passed ${kindOf(request)} to ${rpc.path}, expected ${expected}`);
    }
    const answer = rpc.handler(request, context);
    if (!rpc.responseStream) return checkMessage(rpc, await answer);
    yield* checkPieces(answer, rpc.path);
    return undefined;
  };
}

function checkMessage(rpc: ProcessorRpc, message: unknown): unknown {
  if (message !== undefined && message !== null && !isPieces(message)) return message;
  throw badAnswer(`${rpc.path} answered with ${kindOf(message)}, expected a message`);
}

function encode(rpc: ProcessorRpc, message: unknown): Uint8Array {
  checkMessage(rpc, message);
  let bytes: unknown;
  try {
    bytes = rpc.encodeResponse(message);
  } catch (cause) {
    throw badAnswer(`${rpc.path} answered with ${kindOf(message)} that is no response`, cause);
  }
  if (bytes instanceof Uint8Array) return bytes;
  throw badAnswer(`the encoder of ${rpc.path} returned ${kindOf(bytes)}, expected bytes`);
}
