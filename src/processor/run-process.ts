import type { MethodDescriptor } from "nice-grpc-common";
import { bufferOf } from "../core/bytes.js";
import { type Invocation, isSequence, type Outcome } from "../core/invocation.js";
import { seen } from "../core/options.js";
import { abandonPieces } from "../core/pieces.js";
import { servingError } from "../core/serving-error.js";
import { badAnswer, kindOf } from "./answer-errors.js";
import { answerOutcome, isAnswerStatus, isPieces, piecesOutcome } from "./answers.js";
import { onlyAnswer, spreadableCall, streamedAnswers, throughMiddleware } from "./middleware.js";
import type { AnyProcessor, Call } from "./processor.js";
import type { ProcessorCall } from "./processor-call.js";
import { askTensors } from "./run-tensors.js";
import type { RunnerSettings } from "./runner-settings.js";
import { runUserCode } from "./user-code.js";

/**
 * Runs `process` without middleware around it.
 *
 * @throws ProcessorError `PROCESSOR_BAD_ANSWER`; what `process` throws.
 */
export async function runProcess(
  processor: AnyProcessor,
  call: ProcessorCall,
  invocation: Invocation,
  settings: RunnerSettings,
): Promise<Outcome> {
  const data = onlyPayload(invocation);
  const answer = runUserCode(call, () => {
    call.throwIfOver();
    return askProcess(processor, data, call);
  });
  if (isPieces(answer)) {
    return piecesOutcome(answer, { encode: checkPiece }, call, invocation, settings);
  }
  const [payloads, status] = checkAnswer(await answer);
  return answerOutcome(payloads, status, call);
}

/** What middleware sees of `process`, whichever door the call came in by: a test compares it with the proto. */
export const predictMethods: {
  readonly single: MethodDescriptor;
  readonly pieces: MethodDescriptor;
} = {
  single: {
    path: "/inferwire.predict.v1.PredictService/Predict",
    requestStream: false,
    responseStream: false,
    options: {},
  },
  pieces: {
    path: "/inferwire.predict.v1.PredictService/PredictStream",
    requestStream: false,
    responseStream: true,
    options: {},
  },
};

/**
 * Runs `process` behind middleware, to which it is a method of PredictService.
 *
 * @throws HostError `STREAM_NEEDED`; what {@link runProcess} throws; what the middleware throws.
 */
export function runProcessThroughMiddleware(
  processor: AnyProcessor,
  call: ProcessorCall,
  invocation: Invocation,
  settings: RunnerSettings,
): Promise<Outcome> {
  const { service, path, takesPieces } = invocation;
  const request = { service, path, data: onlyPayload(invocation) };
  let inPieces = false;
  const method = takesPieces ? predictMethods.pieces : predictMethods.single;
  const layers = throughMiddleware(
    settings.middleware,
    method,
    async function* handle(asked, context) {
      // Middleware may have waited for something meanwhile: work that nobody wants is not begun.
      call.throwIfOver();
      const answer = askProcess(processor, dataOf(asked), context);
      if (!isPieces(answer)) {
        const [data, status] = checkAnswer(await answer);
        if (!takesPieces) return { data, status };
        yield { data, status };
        return undefined;
      }
      if (!takesPieces) {
        await abandonPieces(answer);
        throw servingError("STREAM_NEEDED", "this processor answers in pieces: call PredictStream");
      }
      inPieces = true;
      for await (const piece of answer) yield { data: checkPiece(piece), status: 0 };
      return undefined;
    },
  );
  const answers = runUserCode(call, () => {
    call.throwIfOver();
    return layers(request, spreadableCall(call));
  });
  if (takesPieces) {
    const pieces = streamedAnswers(answers, method.path);
    return piecesOrAnswer(pieces, () => inPieces, call, invocation, settings);
  }
  return runUserCode(call, () => onlyAnswer(answers, method.path)).then((message) => {
    const [payloads, status] = checkMessage(message);
    return answerOutcome(payloads, status, call);
  });
}

/**
 * Whether an answer is one of bytes, with its status, or one in pieces shows only when `process` has been reached, or
 * when middleware that answers in its place has yielded one message and then no second.
 */
async function piecesOrAnswer(
  pieces: AsyncIterator<unknown>,
  inPieces: () => boolean,
  call: ProcessorCall,
  invocation: Invocation,
  settings: RunnerSettings,
): Promise<Outcome> {
  const begun: IteratorResult<unknown>[] = [];
  const pull = async (): Promise<IteratorResult<unknown>> => {
    const result = await runUserCode(call, () => pieces.next());
    begun.push(result);
    return result;
  };
  const first = await pull();
  if (first.done !== true && !inPieces() && (await pull()).done === true) {
    const [payloads, status] = checkMessage(first.value);
    return answerOutcome(payloads, status, call);
  }
  const all: AsyncIterableIterator<unknown> = {
    [Symbol.asyncIterator]: () => all,
    next: () => {
      const result = begun.shift();
      return result === undefined ? pieces.next() : Promise.resolve(result);
    },
    return: async () => (await pieces.return?.()) ?? { done: true, value: undefined },
  };
  const encode = (message: unknown): Uint8Array => checkMessage(message)[0];
  return piecesOutcome(all, { encode }, call, invocation, settings);
}

function askProcess(processor: AnyProcessor, data: Uint8Array, call: Call): unknown {
  if (processor.process === undefined) {
    throw servingError("UNKNOWN_ROUTE", "this processor has typed methods only, no process()");
  }
  if (processor.tensorSide !== undefined) return askTensors(processor, data, call);
  return processor.process(data, call);
}

/** The one payload of a call of bytes: a Buffer, in whatever lane, so that its `toString()` means the same in all. */
export function onlyPayload({ payloads }: Invocation): Buffer {
  if (!isSequence(payloads)) return bufferOf(payloads);
  throw servingError("INTERNAL", "a processor of bytes takes one payload, not a sequence");
}

/**
 * Takes what `process` returned apart.
 *
 * @throws ProcessorError `PROCESSOR_BAD_ANSWER` when it is neither bytes nor bytes with a status.
 */
function checkAnswer(answer: unknown): readonly [data: Uint8Array, status: number] {
  if (answer instanceof Uint8Array) return [answer, 0];
  if (Array.isArray(answer) && answer.length === 2) {
    const [data, status]: unknown[] = answer;
    if (data instanceof Uint8Array && isAnswerStatus(status)) return [data, status];
    if (data instanceof Uint8Array) {
      throw badAnswer(
        `process() returned the status ${seen(status)}, expected 0 or an HTTP status from 200 to 599`,
      );
    }
    throw badAnswer(
      `process() returned ${kindOf(data)} beside a status, expected bytes (a Uint8Array)`,
    );
  }
  throw badAnswer(
    `process() returned ${kindOf(answer)}, expected bytes (a Uint8Array), [bytes, status], or an async iterable of bytes`,
  );
}

function checkPiece(piece: unknown): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  throw badAnswer(`process() yielded ${kindOf(piece)}, expected bytes (a Uint8Array)`);
}

function dataOf(request: unknown): Uint8Array {
  const { data } = (request ?? {}) as { readonly data?: unknown };
  if (data instanceof Uint8Array) return data;
  throw badAnswer(
    `middleware passed a request with ${kindOf(data)} for data, expected bytes (a Uint8Array)`,
  );
}

function checkMessage(message: unknown): readonly [data: Uint8Array, status: number] {
  const { data, status = 0 } = (message ?? {}) as { readonly [key: string]: unknown };
  if (data instanceof Uint8Array && isAnswerStatus(status)) return [data, status];
  throw badAnswer(
    `middleware answered with ${kindOf(data)} and the status ${seen(status)}, expected bytes and 0 or an HTTP status`,
  );
}
