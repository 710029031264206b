import type { RpcDefinition } from "../core/rpc-definition.js";

/** What the kit uses of a ts-proto message: its two codecs. */
interface MessageCodec<M> {
  encode(message: M): { finish(): Uint8Array };
  decode(bytes: Uint8Array): M;
}

/** A method of a ts-proto generic service definition. */
interface GeneratedMethod<Req, Res> {
  readonly name: string;
  readonly requestType: MessageCodec<Req>;
  readonly requestStream: boolean;
  readonly responseType: MessageCodec<Res>;
  readonly responseStream: boolean;
}

/** Makes the kit's own definition of a method from the generated one. */
export function rpcDefinition<Req, Res>(
  service: { readonly fullName: string },
  method: GeneratedMethod<Req, Res>,
): RpcDefinition<Req, Res> {
  const { requestType, responseType, requestStream, responseStream } = method;
  return {
    path: `/${service.fullName}/${method.name}`,
    requestStream,
    responseStream,
    encodeRequest: (message) => requestType.encode(message).finish(),
    decodeRequest: (bytes) => requestType.decode(bytes),
    encodeResponse: (message) => responseType.encode(message).finish(),
    decodeResponse: (bytes) => responseType.decode(bytes),
  };
}
