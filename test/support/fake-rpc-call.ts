import { emptyMetadata } from "../../src/core/metadata.js";
import type { RpcDefinition } from "../../src/core/rpc-definition.js";
import type { RpcCall, RpcReader, RpcRoute, RpcStatus } from "../../src/server/rpc.js";

/** A call of a route without a socket, and what came back. */
export interface FakeRpcCall<Res> {
  readonly responses: readonly Res[];
  /** Resolves when the call has been ended. */
  readonly ended: Promise<RpcStatus>;
  /** The call is over on the wire. */
  close(): void;
}

/** Calls the route of a definition with one request. */
export function callRoute<Req, Res>(
  routes: readonly RpcRoute[],
  definition: RpcDefinition<Req, Res>,
  request: Req,
): FakeRpcCall<Res> {
  const route = routes.find(({ path }) => path === definition.path);
  if (route === undefined) throw new Error(`no route ${definition.path}`);
  const responses: Res[] = [];
  let end: (status: RpcStatus) => void = () => {};
  const ended = new Promise<RpcStatus>((resolve) => {
    end = resolve;
  });
  const call: RpcCall = {
    door: "grpc",
    path: definition.path,
    metadata: emptyMetadata,
    peer: "127.0.0.1:1234",
    deadlineMs: 1_002_000,
    read() {},
    sendHeaders() {},
    send(message, flushed) {
      responses.push(definition.decodeResponse(message));
      flushed?.();
    },
    end: (status) => end(status),
  };
  const reader: RpcReader = route.accept(call);
  reader.onMessage(definition.encodeRequest(request));
  reader.onHalfClose();
  return { responses, ended, close: () => reader.onClose() };
}
