import { type Invocation, type Outcome, outcomeInPieces } from "../core/invocation.js";
import { wrapPieces } from "../core/pieces.js";
import { badAnswer, type ErrorPolicy, kindOf, processorError } from "./answer-errors.js";
import type { ProcessorCall } from "./processor-call.js";
import { runUserCode } from "./user-code.js";

/** What becomes of the answers of a sequence. */
export interface AnswerHooks {
  /** Makes a payload of an answer, or throws. */
  encode(answer: unknown): Uint8Array;
  /** Called once when the sequence is over, however it ended. */
  ended?(): void;
}

/** The outcome of a call that is answered once. */
export function answerOutcome(payloads: Uint8Array, status: number, call: ProcessorCall): Outcome {
  return { payloads, status, headers: call.headers, trailers: call.trailers };
}

/** The outcome of a call that is answered in pieces; headers and trailers are read when they are due. */
export function piecesOutcome(
  answers: AsyncIterable<unknown>,
  hooks: AnswerHooks,
  call: ProcessorCall,
  invocation: Invocation,
  policy: ErrorPolicy,
): Outcome {
  const pieces = wrapPieces(encodedAnswers(answers, hooks, call), {
    failed: (thrown) => processorError(thrown, call, invocation, policy),
    ended() {
      call.answered();
      hooks.ended?.();
    },
  });
  return outcomeInPieces(pieces, 0, call);
}

function encodedAnswers(
  answers: AsyncIterable<unknown>,
  hooks: AnswerHooks,
  call: ProcessorCall,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = runUserCode(call, () => answers[Symbol.asyncIterator]());
      // The reader may stop while a piece is awaited.
      let running = 0;
      let over = false;
      const settle = (): void => {
        running--;
        if (over && running === 0) call.settled();
      };
      const stop = async (): Promise<IteratorReturnResult<undefined>> => {
        over = true;
        running++;
        try {
          await runUserCode(call, () => iterator.return?.());
        } finally {
          settle();
        }
        return { done: true, value: undefined };
      };
      return {
        async next() {
          running++;
          try {
            const result = await runUserCode(call, () => iterator.next());
            if (result.done === true) {
              over = true;
              return { done: true, value: undefined };
            }
            try {
              return { done: false, value: hooks.encode(result.value) };
            } catch (thrown) {
              // Whoever reads stops here: what yields would wait for ever.
              await stop();
              throw thrown;
            }
          } catch (thrown) {
            over = true;
            throw thrown;
          } finally {
            settle();
          }
        },
        return: stop,
      };
    },
  };
}

/** Tells whether a status may go beside an answer: 0, or one of HTTP from 200 to 599. */
export function isAnswerStatus(status: unknown): status is number {
  return (
    typeof status === "number" &&
    Number.isInteger(status) &&
    (status === 0 || (status >= 200 && status <= 599))
  );
}

/** Tells whether an answer is a sequence. */
export function isPieces(answer: unknown): answer is AsyncIterable<unknown> {
  return typeof answer === "object" && answer !== null && Symbol.asyncIterator in answer;
}

/**
 * Takes what a method of streamed answers returned for a sequence.
 *
 * @throws ProcessorError `PROCESSOR_BAD_ANSWER` when it is none.
 */
export function checkPieces(answer: unknown, path: string): AsyncIterable<unknown> {
  if (isPieces(answer)) return answer;
  // Nobody waits for a promise that came by mistake: what it rejects with must not end the process.
  if (answer instanceof Promise) answer.catch(() => {});
  throw badAnswer(`${path} returned ${kindOf(answer)}, expected an async iterable of messages`);
}
