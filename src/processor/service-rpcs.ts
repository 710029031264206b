import { bufferOf } from "../core/bytes.js";
import { type DefinedRpc, definedRpcs } from "../core/service-definition.js";
import { servingError } from "../core/serving-error.js";
import { type EncodedType, messageEncoder } from "./message-encoder.js";
import type { Call, ProcessorRpc } from "./processor.js";

/** What is needed of a message's codec in ts-proto's form. */
interface MessageCodec extends EncodedType {
  decode(bytes: Uint8Array): unknown;
}

type Codecs = Pick<ProcessorRpc, "decodeRequest" | "encodeResponse">;

/**
 * Makes the methods of a typed service from its definition (ts-proto's, nice-grpc's or grpc-js's) and the object that
 * has them; they are called on it, so that `this` is what they expect.
 *
 * @param memberName - what the object calls the method of a name; the same when left out
 * @throws ConfigError `INVALID_OPTION` for a definition that is none, or naming the first method that is missing.
 */
export function serviceRpcs(
  definition: object,
  implementation: object,
  memberName: (name: string) => string = (name) => name,
): readonly ProcessorRpc[] {
  const members = implementation as Readonly<Record<string, unknown>>;
  return [...definedRpcs(definition)].map(([name, rpc]) => {
    const { path, requestStream, responseStream, idempotencyLevel } = rpc;
    const member = memberName(name);
    const method = members[member];
    if (typeof method !== "function") {
      throw servingError(
        "INVALID_OPTION",
        `the implementation has no method "${member}", which answers ${path}`,
      );
    }
    const handler = (request: unknown, call: Call): unknown =>
      method.call(implementation, request, call);
    return { path, requestStream, responseStream, idempotencyLevel, ...codecsOf(rpc), handler };
  });
}

function codecsOf({ path, method }: DefinedRpc): Codecs {
  const { requestDeserialize, responseSerialize, requestType, responseType } = method;
  if (typeof requestDeserialize === "function" && typeof responseSerialize === "function") {
    return {
      // grpc-js's own are made for Buffers.
      decodeRequest: (bytes) => requestDeserialize.call(method, bufferOf(bytes)),
      encodeResponse: (message) => responseSerialize.call(method, message),
    };
  }
  if (isCodec(requestType) && isCodec(responseType)) {
    return {
      decodeRequest: (bytes) => requestType.decode(bytes),
      encodeResponse: messageEncoder(responseType),
    };
  }
  throw servingError(
    "INVALID_OPTION",
    `${path} has no codecs, expected requestType and responseType, or requestDeserialize and responseSerialize`,
  );
}

function isCodec(type: unknown): type is MessageCodec {
  const { encode, decode } = (type ?? {}) as { readonly [key: string]: unknown };
  return typeof encode === "function" && typeof decode === "function";
}
