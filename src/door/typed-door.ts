import type { RpcHead } from "../core/rpc-definition.js";
import type { RpcRoute } from "../server/rpc.js";
import type { Invoker } from "./invoker.js";
import { doorRoute } from "./rpc-door.js";

/** The methods of typed services over gRPC: their messages are the payloads, decoded where the processor runs. */
export function typedRoutes(invoker: Invoker, rpcs: readonly RpcHead[]): readonly RpcRoute[] {
  return rpcs.map(({ path, requestStream, responseStream }) =>
    doorRoute(
      {
        path,
        requestStream,
        responseStream,
        handler: "rpc",
        decodeRequest: (data) => ({ service: "", path: "", data }),
        encodeResponse: ({ data }) => data,
      },
      invoker,
    ),
  );
}
