import { GrpcWebClientBase, type Metadata, MethodDescriptor, RpcError } from "grpc-web";
import {
  ChatRequest,
  ChatResponse,
  CompleteRequest,
  CompleteResponse,
} from "../../examples/chat/gen/chat/v1/chat.js";
import type { CreateWebClient, WebCall } from "./web-client.js";

interface Message<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

/** Google's own client in its text mode, where a body is base64: the one whose messages a browser gives out as they come. */
export const createGrpcWebTextClient: CreateWebClient = (address) => {
  const client = new GrpcWebClientBase({ format: "text" });
  const method = <Q, A>(name: string, kind: string, request: Message<Q>, answer: Message<A>) =>
    new MethodDescriptor<Q, A>(
      `/chat.v1.ChatService/${name}`,
      kind,
      // The library asks for classes and never uses them.
      Object as never,
      Object as never,
      (message: Q) => request.encode(message).finish(),
      (bytes: Uint8Array) => answer.decode(bytes),
    );
  const complete = method("Complete", "unary", CompleteRequest, CompleteResponse);
  const chat = method("Chat", "server_streaming", ChatRequest, ChatResponse);
  return {
    complete: (call) =>
      new Promise((resolve, reject) => {
        const request = CompleteRequest.create({ prompt: call.prompt });
        const url = `${address}${complete.getName()}`;
        const stream = client.rpcCall(url, request, metadataOf(call), complete, (error, answer) => {
          if (error === null) return resolve(answer.text);
          tell(call, error.metadata);
          reject(error);
        });
        stream.on("metadata", (metadata) => tell(call, metadata));
        stream.on("status", ({ metadata }) => tell(call, metadata));
        cancelWith(call.signal, stream, reject);
      }),
    async *chat(call) {
      const request = ChatRequest.create({ prompt: call.prompt });
      const url = `${address}${chat.getName()}`;
      const stream = client.serverStreaming(url, request, metadataOf(call), chat);
      yield* new ReadableStream<string>({
        start(controller) {
          let open = true;
          const fail = (error: unknown): void => {
            open = false;
            controller.error(error);
          };
          stream.on("metadata", (metadata) => tell(call, metadata));
          stream.on("status", ({ metadata }) => tell(call, metadata));
          stream.on("data", ({ token }) => controller.enqueue(token));
          // It comes after an error as well.
          stream.on("end", () => {
            if (open) controller.close();
          });
          stream.on("error", (error) => {
            tell(call, error.metadata);
            fail(error);
          });
          cancelWith(call.signal, stream, fail);
        },
      });
    },
    failure: (error) =>
      error instanceof RpcError
        ? { code: error.code, message: error.message }
        : { code: Number.NaN, message: String(error) },
  };
};

function metadataOf({ headers, timeoutMs }: WebCall): Metadata {
  return timeoutMs === undefined
    ? { ...headers }
    : { ...headers, deadline: String(Date.now() + timeoutMs) };
}

function tell({ onMetadata }: WebCall, metadata: Metadata | undefined): void {
  for (const [name, value] of Object.entries(metadata ?? {})) onMetadata(name, value);
}

/** The library's `cancel` says nothing to anybody. */
function cancelWith(
  signal: AbortSignal,
  stream: { cancel(): void },
  reject: (reason: unknown) => void,
): void {
  signal.addEventListener("abort", () => {
    stream.cancel();
    reject(signal.reason);
  });
}
