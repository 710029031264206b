import type { MethodDefinition } from "nice-grpc";
import type { CallOptions } from "nice-grpc-common";
import type { CallExtras } from "../client/call-context.js";
import { createClient } from "../client/create-client.js";
import type { ServiceChannel } from "../client/service-channel.js";
import type { RpcHead } from "../core/rpc-definition.js";
import type { IdempotencyLevel } from "../core/service-definition.js";

/** What is known of a method whose messages stay bytes. */
export interface BytesMethod extends RpcHead {
  readonly idempotencyLevel?: IdempotencyLevel | undefined;
}

/** A service of one method, `call`, that takes and gives serialised messages. */
export type BytesDefinition<RequestStream extends boolean, ResponseStream extends boolean> = {
  readonly call: MethodDefinition<
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    RequestStream,
    ResponseStream
  >;
};

/** What a call of bytes takes besides its messages. */
export type BytesCallOptions = CallOptions & CallExtras;

const asItIs = (bytes: Uint8Array): Uint8Array => bytes;

/**
 * Makes a definition of one method that takes and gives serialised messages, for `createClient`.
 *
 * @param requestStream - as the method has it; here for its type
 * @param responseStream - as the method has it; here for its type
 */
export function bytesDefinition<RequestStream extends boolean, ResponseStream extends boolean>(
  { path, idempotencyLevel }: BytesMethod,
  requestStream: RequestStream,
  responseStream: ResponseStream,
): BytesDefinition<RequestStream, ResponseStream> {
  return {
    call: {
      path,
      requestStream,
      responseStream,
      requestSerialize: asItIs,
      requestDeserialize: asItIs,
      responseSerialize: asItIs,
      responseDeserialize: asItIs,
      options: idempotencyLevel === undefined ? {} : { idempotencyLevel },
    },
  };
}

/** Calls a method of any kind. */
export type CallBytes = (
  requests: AsyncIterable<Uint8Array>,
  options: BytesCallOptions,
) => AsyncIterable<Uint8Array>;

/**
 * Makes a client of one method, of whatever kind: messages in, messages out. A method with one request takes the first.
 *
 * @throws what a ServiceClient throws; what `requests` throws, as it is.
 */
export function createBytesClient(channel: ServiceChannel, method: BytesMethod): CallBytes {
  const on = { channel };
  if (method.requestStream && method.responseStream) {
    const client = createClient(bytesDefinition(method, true, true), on);
    return (requests, options) => client.call(requests, options);
  }
  if (method.requestStream) {
    const client = createClient(bytesDefinition(method, true, false), on);
    return async function* clientStream(requests, options) {
      yield await client.call(requests, options);
    };
  }
  if (method.responseStream) {
    const client = createClient(bytesDefinition(method, false, true), on);
    return async function* serverStream(requests, options) {
      yield* client.call(await firstOf(requests), options);
    };
  }
  const client = createClient(bytesDefinition(method, false, false), on);
  return async function* unary(requests, options) {
    yield await client.call(await firstOf(requests), options);
  };
}

async function firstOf(requests: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  for await (const request of requests) return request;
  return new Uint8Array(0);
}
