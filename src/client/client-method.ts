import type { CallOptions, ClientMiddleware } from "nice-grpc-common";
import { checkBoolean, seen } from "../core/options.js";
import { servingError } from "../core/serving-error.js";
import { CallContext, type CallExtras, TaggedMetadata } from "./call-context.js";
import { callErrorFrom } from "./call-errors.js";
import { checkTimeout } from "./check-options.js";
import type { MethodPolicy } from "./method-table.js";

/** How the context of a call passes through an app's middleware: as an option, which middleware hands on. */
const contextKey: unique symbol = Symbol("inferwire.callContext");

type Options = CallOptions & CallExtras & { readonly [contextKey]?: CallContext };
type Announce = (context: CallContext) => void;

/** A method of a nice-grpc client, of any kind. */
export type CallMethod = (
  request: unknown,
  options: Options,
) => Promise<unknown> | AsyncIterable<unknown>;

/**
 * Wraps a method of a nice-grpc client, so that the channel knows whose call it makes and the app gets errors of the kit.
 *
 * @param throughMiddleware - leaves it to {@link contextMiddleware} to tell the channel
 */
export function wrapMethod(
  call: CallMethod,
  method: MethodPolicy,
  announce: Announce,
  throughMiddleware: boolean,
): (request: unknown, options?: Options) => unknown {
  const { path, responseStream } = method;
  const begin = (
    request: unknown,
    options: Options,
    context: CallContext,
  ): ReturnType<CallMethod> => {
    checkExtras(options);
    if (throughMiddleware) return call(request, { ...options, [contextKey]: context });
    const metadata = new TaggedMetadata(context, options.metadata, announce);
    return call(request, { ...options, metadata });
  };
  if (responseStream) {
    return (request, options = {}) => {
      const context = new CallContext(options);
      const answers = begin(request, options, context) as AsyncIterable<unknown>;
      return wrapAnswers(answers, path, context);
    };
  }
  return async (request, options = {}) => {
    const context = new CallContext(options);
    try {
      return await begin(request, options, context);
    } catch (thrown) {
      throw callErrorFrom(thrown, path, context);
    }
  };
}

/** Names cannot be checked: nice-grpc and the app's middleware have options of their own. */
function checkExtras({ timeoutMs, idempotent, detached, onReport }: CallExtras): void {
  if (timeoutMs !== undefined) checkTimeout(timeoutMs, "timeoutMs");
  if (idempotent !== undefined) checkBoolean(idempotent, "idempotent");
  if (detached !== undefined) checkBoolean(detached, "detached");
  if (onReport !== undefined && typeof onReport !== "function") {
    throw servingError("INVALID_OPTION", `onReport is ${seen(onReport)}, expected a function`);
  }
}

/** The innermost middleware, below the app's own: what it puts into the metadata nobody but nice-grpc reads. */
export function contextMiddleware(announce: Announce): ClientMiddleware {
  return async function* tellChannel(call, options: Options) {
    const context = options[contextKey] ?? new CallContext(options);
    // The app's middleware may have changed them.
    context.extras = options;
    const metadata = new TaggedMetadata(context, options.metadata, announce);
    return yield* call.next(call.request, { ...options, metadata });
  };
}

function wrapAnswers(
  answers: AsyncIterable<unknown>,
  path: string,
  context: CallContext,
): AsyncIterable<unknown> {
  const rethrow = (thrown: unknown): never => {
    throw callErrorFrom(thrown, path, context);
  };
  return {
    [Symbol.asyncIterator]() {
      const inner = answers[Symbol.asyncIterator]();
      return {
        next: () => inner.next().catch(rethrow),
        return: async (value) => (await inner.return?.(value)) ?? { done: true, value },
        throw: async (error) => (await inner.throw?.(error)) ?? { done: true, value: undefined },
      };
    },
  };
}
