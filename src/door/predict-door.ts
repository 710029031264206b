import type { RpcRoute } from "../server/rpc.js";
import { predictRpc, predictStreamRpc } from "../wire/predict.js";
import type { Invoker } from "./invoker.js";
import { doorRoute } from "./rpc-door.js";

/** PredictService over gRPC: typed messages around the payloads of `process`. */
export function predictRoutes(invoker: Invoker): readonly RpcRoute[] {
  return [predictRpc, predictStreamRpc].map((rpc) =>
    doorRoute({ ...rpc, handler: "process" }, invoker),
  );
}
