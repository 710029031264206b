import {
  type PredictRequest,
  PredictResponse,
  PredictServiceDefinition,
  type PredictStreamRequest,
  type PredictStreamResponse,
} from "../../gen/inferwire/predict/v1/predict.js";
import type { RpcDefinition } from "../core/rpc-definition.js";
import { rpcDefinition } from "./rpc.js";

/** What either method of PredictService answers. */
export type PredictAnswer = PredictResponse | PredictStreamResponse;

const DATA_TAG = 0x0a;
const STATUS_TAG = 0x10;
const MAX_HEADER_BYTES = 6;
const STATUS_BYTES = 6;

/**
 * Encodes an answer as ts-proto does, byte for byte, in one allocation: its writer grows a buffer of its own and copies
 * the payload twice, which is a good part of what a small call costs.
 */
export function encodePredictAnswer({ data, status }: PredictAnswer): Uint8Array {
  // Negative statuses take ten bytes; no processor of the kit can return one.
  if (status < 0) return PredictResponse.encode({ data, status }).finish();
  const bytes = new Uint8Array(MAX_HEADER_BYTES + data.length + STATUS_BYTES);
  let at = 0;
  if (data.length > 0) {
    bytes[at++] = DATA_TAG;
    at = writeVarint(bytes, at, data.length);
    bytes.set(data, at);
    at += data.length;
  }
  if (status !== 0) {
    bytes[at++] = STATUS_TAG;
    at = writeVarint(bytes, at, status);
  }
  return bytes.subarray(0, at);
}

function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let next = at;
  while (rest > 0x7f) {
    bytes[next++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[next++] = rest;
  return next;
}

/** `PredictService.Predict`. */
export const predictRpc: RpcDefinition<PredictRequest, PredictResponse> = {
  ...rpcDefinition(PredictServiceDefinition, PredictServiceDefinition.methods.predict),
  encodeResponse: encodePredictAnswer,
};

/** `PredictService.PredictStream`. */
export const predictStreamRpc: RpcDefinition<PredictStreamRequest, PredictStreamResponse> = {
  ...rpcDefinition(PredictServiceDefinition, PredictServiceDefinition.methods.predictStream),
  encodeResponse: encodePredictAnswer,
};
