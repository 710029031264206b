import { ServerError } from "nice-grpc-common";
import { type Invocation, isSequence, type Outcome } from "../core/invocation.js";
import type { MetadataView } from "../core/metadata.js";
import { seen } from "../core/options.js";
import { wrapPieces } from "../core/pieces.js";
import type { Clock, Logger } from "../core/ports.js";
import { ProcessorError, type ServingError, servingError } from "../core/serving-error.js";
import { statusFromCode } from "../core/status.js";
import type { Answer, ProcessorContext, ProcessorShape } from "./processor.js";
import { ProcessorCall } from "./processor-call.js";

/** What a runner needs besides the processor. */
export interface RunnerOptions {
  readonly context: ProcessorContext;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether callers see the texts of errors that the processor throws. */
  readonly exposeErrors: boolean;
}

/** Runs a processor's methods and holds them to their shape. */
export interface ProcessorRunner {
  /** @throws ProcessorError `INITIALIZE_FAILED` with what was thrown as its cause. */
  initialize(): Promise<void>;
  /** @throws ProcessorError `PROCESSOR_THREW` or `PROCESSOR_BAD_ANSWER`; the call's abort reason if that was thrown. */
  run(invocation: Invocation): Promise<Outcome>;
  dispose(): Promise<void>;
}

/** Makes the runner of a processor in one lane. */
export function createRunner(processor: ProcessorShape, options: RunnerOptions): ProcessorRunner {
  const { context, clock, logger } = options;
  return {
    async initialize() {
      try {
        await processor.initialize?.(context);
      } catch (cause) {
        throw servingError("INITIALIZE_FAILED", `initialize() threw: ${textOf(cause)}`, { cause });
      }
    },
    async run(invocation) {
      const call = new ProcessorCall(invocation, clock, logger);
      try {
        const answer = processor.process(onlyPayload(invocation), call);
        if (isPieces(answer)) return piecesOutcome(answer, call, invocation, options);
        return answerOutcome(await answer, call);
      } catch (thrown) {
        throw processorError(thrown, call, invocation, options);
      }
    },
    async dispose() {
      await processor.dispose?.();
    },
  };
}

function onlyPayload(invocation: Invocation): Uint8Array {
  const { payloads } = invocation;
  if (!isSequence(payloads)) return payloads;
  throw servingError("INTERNAL", "a processor of bytes takes one payload, not a sequence");
}

function isPieces(answer: unknown): answer is AsyncIterable<Uint8Array> {
  return typeof answer === "object" && answer !== null && Symbol.asyncIterator in answer;
}

function answerOutcome(answer: Answer, call: ProcessorCall): Outcome {
  const [payloads, status] = checkedAnswer(answer);
  return { payloads, status, headers: call.headers, trailers: call.trailers };
}

function checkedAnswer(answer: unknown): readonly [Uint8Array, number] {
  if (answer instanceof Uint8Array) return [answer, 0];
  if (Array.isArray(answer) && answer.length === 2) {
    const [data, status]: unknown[] = answer;
    if (data instanceof Uint8Array && isAnswerStatus(status)) return [data, status];
    if (data instanceof Uint8Array) {
      throw badAnswer(`the status ${seen(status)}, expected 0 or an HTTP status from 200 to 599`);
    }
    throw badAnswer(`${kindOf(data)} beside a status, expected bytes (a Uint8Array)`);
  }
  throw badAnswer(
    `${kindOf(answer)}, expected bytes (a Uint8Array), [bytes, status], or an async iterable of bytes`,
  );
}

function isAnswerStatus(status: unknown): status is number {
  return (
    typeof status === "number" &&
    Number.isInteger(status) &&
    (status === 0 || (status >= 200 && status <= 599))
  );
}

function badAnswer(what: string): ServingError {
  return servingError("PROCESSOR_BAD_ANSWER", `process() returned ${what}`);
}

// Never the value itself: an answer of the wrong type may still hold what only its caller should see.
function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === "object"
    ? `a ${value.constructor?.name ?? "object"}`
    : `a ${typeof value}`;
}

function checkPiece(piece: unknown): void {
  if (piece instanceof Uint8Array) return;
  throw servingError(
    "PROCESSOR_BAD_ANSWER",
    `process() yielded ${kindOf(piece)}, expected bytes (a Uint8Array)`,
  );
}

function piecesOutcome(
  pieces: AsyncIterable<Uint8Array>,
  call: ProcessorCall,
  invocation: Invocation,
  options: RunnerOptions,
): Outcome {
  return {
    payloads: wrapPieces(pieces, {
      check: checkPiece,
      failed: (thrown) => processorError(thrown, call, invocation, options),
    }),
    status: 0,
    get headers() {
      return call.headers;
    },
    get trailers() {
      return call.trailers;
    },
  };
}

/** The error that a caller gets for what the processor threw; logs what the caller is not shown. */
function processorError(
  thrown: unknown,
  call: ProcessorCall,
  invocation: Invocation,
  options: RunnerOptions,
): ServingError {
  if (thrown === invocation.abort.reason && invocation.abort.reason !== undefined) {
    return invocation.abort.reason;
  }
  if (thrown instanceof ServerError) {
    return servingError("PROCESSOR_THREW", thrown.details, {
      cause: thrown,
      code: statusFromCode(thrown.code),
      details: { [DELIBERATE]: call.trailers },
    });
  }
  options.logger.error({ err: thrown, method: invocation.method }, "process() failed");
  if (thrown instanceof ProcessorError) return thrown;
  const text = options.exposeErrors ? `process() threw: ${textOf(thrown)}` : "process() threw";
  return servingError("PROCESSOR_THREW", text, { cause: thrown });
}

/** Key of an error's details that marks it as thrown on purpose, with the trailers that the processor had set. */
const DELIBERATE = "trailers";

/** Tells whether an error is one that the processor threw on purpose, as a ServerError with its own status. */
export function isDeliberate(error: ServingError): boolean {
  return error.reason === "PROCESSOR_THREW" && DELIBERATE in error.details;
}

/** The trailers that a processor had set before it threw on purpose. */
export function deliberateTrailers(error: ServingError): MetadataView | undefined {
  return isDeliberate(error) ? (error.details[DELIBERATE] as MetadataView) : undefined;
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
