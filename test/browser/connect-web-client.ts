import { createFileRegistry, fromBinary, type Message } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { type CallOptions, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { descriptorSet } from "../../examples/chat/gen/descriptor-set.js";
import type { CreateWebClient, WebCall, WebClient } from "./web-client.js";

type Text<Name extends string, Field extends string> = GenMessage<
  Message<Name> & Record<Field, string>
>;

/** The chat service, as the code would have it that Connect's own generator makes. */
type ChatService = GenService<{
  complete: {
    methodKind: "unary";
    input: Text<"chat.v1.CompleteRequest", "prompt">;
    output: Text<"chat.v1.CompleteResponse", "text">;
  };
  chat: {
    methodKind: "server_streaming";
    input: Text<"chat.v1.ChatRequest", "prompt">;
    output: Text<"chat.v1.ChatResponse", "token">;
  };
}>;

/** Connect, JSON. */
export const createConnectJsonClient: CreateWebClient = (baseUrl) =>
  clientOn(createConnectTransport({ baseUrl }));

/** Connect, binary. */
export const createConnectBinaryClient: CreateWebClient = (baseUrl) =>
  clientOn(createConnectTransport({ baseUrl, useBinaryFormat: true }));

/** gRPC-Web, binary, by Connect's library. */
export const createConnectGrpcWebClient: CreateWebClient = (baseUrl) =>
  clientOn(createGrpcWebTransport({ baseUrl }));

function clientOn(transport: Transport): WebClient {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet));
  const service = registry.getService("chat.v1.ChatService");
  if (service === undefined) throw new Error("the descriptor set lacks the service");
  const client = createClient(service as ChatService, transport);
  return {
    complete: async (call) =>
      (await client.complete({ prompt: call.prompt }, callOptions(call))).text,
    async *chat(call) {
      for await (const { token } of client.chat({ prompt: call.prompt }, callOptions(call))) {
        yield token;
      }
    },
    failure(thrown, { onMetadata }) {
      const { code, rawMessage, metadata } = ConnectError.from(thrown);
      metadata.forEach((value, name) => {
        onMetadata(name, value);
      });
      return { code, message: rawMessage };
    },
  };
}

function callOptions({ headers, timeoutMs, signal, onMetadata }: WebCall): CallOptions {
  const take = (received: Headers): void =>
    received.forEach((value, name) => {
      onMetadata(name, value);
    });
  return {
    headers: { ...headers },
    signal,
    onHeader: take,
    onTrailer: take,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}
