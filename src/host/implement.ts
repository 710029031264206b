import type { CompatServiceDefinition, ServiceImplementation } from "nice-grpc";
import type { Call } from "../processor/processor.js";
import { TypedProcessor, type TypedProcessorOptions } from "./typed-processor.js";

/** What implements a service: nice-grpc's shapes, with a {@link Call} and what middleware adds to it as their context. */
export type ServiceMethods<
  Definition extends CompatServiceDefinition,
  Ext = object,
> = ServiceImplementation<Definition, Call & Ext>;

/**
 * Makes a processor of a service's definition and an object, or an instance of a class, that has its methods: unary
 * `(request, call) => Promise`, server streams async generators, client streams `(requests, call) => Promise` and
 * bidirectional ones async generators over an async iterable.
 *
 * @param definition - a service definition as ts-proto, nice-grpc or grpc-js make it
 * @param implementation - its methods; each is called on it, so `this` works
 * @param options - options of the host, and the descriptor set
 * @throws ConfigError for options that make no sense, or naming the first method that is missing.
 * @example
 * ```ts
 * const sentiment = implement(SentimentServiceDefinition, {
 *   async classify({ text }, call) {
 *     return { score: await model.score(text, call.signal) };
 *   },
 * });
 * await sentiment.run();
 * ```
 */
export function implement<Definition extends CompatServiceDefinition, Ext = object>(
  definition: Definition,
  implementation: ServiceMethods<Definition, Ext>,
  options?: TypedProcessorOptions,
): TypedProcessor {
  return new TypedProcessor(definition, options, implementation);
}
