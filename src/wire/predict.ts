import {
  type PredictRequest,
  type PredictResponse,
  PredictServiceDefinition,
  type PredictStreamRequest,
  type PredictStreamResponse,
} from "../../gen/inferwire/predict/v1/predict.js";
import type { RpcDefinition } from "../core/rpc-definition.js";
import { rpcDefinition } from "./rpc.js";

/** What either method of PredictService is asked: both requests have the same fields. */
export type PredictQuestion = PredictRequest | PredictStreamRequest;

/** What either method answers. */
export type PredictAnswer = PredictResponse | PredictStreamResponse;

/** `PredictService.Predict`. */
export const predictRpc: RpcDefinition<PredictRequest, PredictResponse> = rpcDefinition(
  PredictServiceDefinition,
  PredictServiceDefinition.methods.predict,
);

/** `PredictService.PredictStream`. */
export const predictStreamRpc: RpcDefinition<PredictStreamRequest, PredictStreamResponse> =
  rpcDefinition(PredictServiceDefinition, PredictServiceDefinition.methods.predictStream);
