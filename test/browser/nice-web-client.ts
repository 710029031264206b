import { ClientError, createChannel, createClient, FetchTransport, Metadata } from "nice-grpc-web";
import { ChatServiceDefinition } from "../../examples/chat/gen/chat/v1/chat.js";
import type { CreateWebClient, WebCall } from "./web-client.js";

/** nice-grpc-web with definitions of ts-proto: gRPC-Web, binary. */
export const createNiceWebClient: CreateWebClient = (address, credentials) => {
  const transport = FetchTransport({ credentials: credentials ? "include" : "same-origin" });
  const client = createClient(ChatServiceDefinition, createChannel(address, transport));
  return {
    complete: async (call) => (await client.complete(call, callOptions(call))).text,
    async *chat(call) {
      for await (const { token } of client.chat(call, callOptions(call))) yield token;
    },
    failure: (error) =>
      error instanceof ClientError
        ? { code: error.code, message: error.details }
        : { code: Number.NaN, message: String(error) },
  };
};

function callOptions({ headers, timeoutMs, signal, onMetadata }: WebCall) {
  const metadata = Metadata({ ...headers });
  // The library has no deadline of its own.
  if (timeoutMs !== undefined) metadata.set("grpc-timeout", `${timeoutMs}m`);
  const take = (received: Metadata): void => {
    for (const [name, values] of received) onMetadata(name, String(values[0]));
  };
  return { metadata, signal, onHeader: take, onTrailer: take };
}
