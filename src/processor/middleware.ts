import type { MethodDescriptor } from "nice-grpc-common";
import { seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import { badAnswer, kindOf } from "./answer-errors.js";
import type { AnyServerMiddleware, Call } from "./processor.js";
import type { ProcessorCall } from "./processor-call.js";

/** What middleware has yielded, and at last returned. */
export type Answering = AsyncGenerator<unknown, unknown, undefined>;

/** A layer of middleware, or what they all stand around. */
export type NextLayer = (request: unknown, context: Call) => Answering;

type Layer = (
  call: {
    readonly method: MethodDescriptor;
    readonly requestStream: boolean;
    readonly request: unknown;
    readonly responseStream: boolean;
    readonly next: NextLayer;
  },
  context: never,
) => Answering;

/**
 * Takes one middleware, a list of them, or none.
 *
 * @throws ConfigError `INVALID_OPTION` for anything else.
 */
export function middlewareList(
  given: AnyServerMiddleware | readonly AnyServerMiddleware[] | undefined,
  where: string,
): readonly AnyServerMiddleware[] {
  if (given === undefined) return [];
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  const odd = list.find((each) => typeof each !== "function");
  if (odd === undefined && !list.includes(undefined)) {
    return Object.freeze([...(list as readonly AnyServerMiddleware[])]);
  }
  throw servingError(
    "INVALID_OPTION",
    `${where} has ${seen(odd)}, expected nice-grpc server middleware: a function, or a list of them`,
  );
}

/** Puts middleware around `innermost`, the first one outermost, and begins with a request. */
export function throughMiddleware(
  middleware: readonly AnyServerMiddleware[],
  method: MethodDescriptor,
  innermost: NextLayer,
): NextLayer {
  const { requestStream, responseStream } = method;
  return (middleware as readonly Layer[]).reduceRight<NextLayer>(
    (next, layer) => (request, context) =>
      // What it needs of the context is between it and the middleware in front of it.
      layer({ method, requestStream, request, responseStream, next }, context as never),
    innermost,
  );
}

/**
 * Runs the layers of a method that is answered once.
 *
 * @throws ProcessorError `PROCESSOR_BAD_ANSWER` when a message was yielded, or none returned.
 */
export async function onlyAnswer(answers: Answering, path: string): Promise<unknown> {
  const result = await answers.next();
  if (result.done !== true) {
    const problem = badAnswer(`middleware yielded a message of ${path}, expected to return it`);
    // Thrown in where it happened, as nice-grpc does, so that the layers around it see why they end.
    await answers.throw(problem);
    throw problem;
  }
  if (result.value !== undefined && result.value !== null) return result.value;
  throw badAnswer(`middleware returned no message of ${path}, expected what call.next() gave`);
}

/** The answers of a method that is answered in pieces; reading them fails when a layer also returned one. */
export function streamedAnswers(answers: Answering, path: string): AsyncIterableIterator<unknown> {
  const iterator: AsyncIterableIterator<unknown> = {
    [Symbol.asyncIterator]: () => iterator,
    async next() {
      const result = await answers.next();
      if (result.done !== true) return result;
      if (result.value === undefined || result.value === null) {
        return { done: true, value: undefined };
      }
      throw badAnswer(`middleware returned ${kindOf(result.value)} for ${path}, expected to yield`);
    },
    async return() {
      await answers.return(undefined);
      return { done: true, value: undefined };
    },
  };
  return iterator;
}

/** The same call as an object whose members are its own, for middleware hands on `{ ...context, more }`. */
export function spreadableCall(call: ProcessorCall): Call {
  return {
    get door() {
      return call.door;
    },
    get method() {
      return call.method;
    },
    get path() {
      return call.path;
    },
    get peer() {
      return call.peer;
    },
    get signal() {
      return call.signal;
    },
    get metadata() {
      return call.metadata;
    },
    get header() {
      return call.header;
    },
    get trailer() {
      return call.trailer;
    },
    get query() {
      return call.query;
    },
    get trace() {
      return call.trace;
    },
    get logger() {
      return call.logger;
    },
    sendHeader: () => call.sendHeader(),
    remainingMs: () => call.remainingMs(),
  };
}
