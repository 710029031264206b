/** The client's side of EAS's dialect: subpath `inferwire/eas`. */

export type { CallExtras } from "../client/call-context.js";
export type { TokenSource } from "../client/client-options.js";
export type { AttemptFate } from "../client/metrics/channel-metrics.js";
export type {
  BucketCount,
  CallDurations,
  ClientMetrics,
  EndedCalls,
  MethodMetrics,
} from "../client/metrics/client-metrics.js";
export type { MetricsPage } from "../client/metrics/client-metrics-text.js";
export type { EjectionCause } from "../client/pool/ejection.js";
export type { PoolCounts } from "../client/pool/pool-counts.js";
export type { BalanceName, EjectionOptions, PoolOptions } from "../client/pool-options.js";
export type { CompressionName } from "../compression/body-codec.js";
export {
  type AttemptOutcome,
  type AttemptReport,
  CallError,
  type CallReport,
} from "../core/serving-error.js";
export { Status } from "../core/status.js";
export type { BladeDType } from "../tensor/blade-messages.js";
export type { ClientTls } from "../transport/transport.js";
export { BladeRequest, BladeResponse } from "./blade-request.js";
export { CaffeRequest, CaffeResponse } from "./caffe-request.js";
export { type EasHostOptions, easHost } from "./eas-host.js";
export { EasyRecRequest, EasyRecResponse } from "./easy-rec-request.js";
export {
  ENDPOINT_TYPE_DEFAULT,
  ENDPOINT_TYPE_DIRECT,
  ENDPOINT_TYPE_VIPSERVER,
  type EndpointType,
} from "./endpoint-type.js";
export type { FeatureScalar, FeatureValue } from "./feature-value.js";
export {
  type JsonFeature,
  type JsonOutput,
  JsonRequest,
  JsonResponse,
  type TypedJsonFeature,
} from "./json-request.js";
export { OnnxRequest, OnnxResponse } from "./onnx-request.js";
export { PredictClient } from "./predict-client.js";
export type { PredictCallOptions, PredictClientOptions } from "./predict-client-options.js";
export type { PredictHeaders } from "./predict-headers.js";
export type { PredictRequest } from "./predict-request.js";
export type { PredictQuery } from "./request-target.js";
export { StringRequest, StringResponse } from "./string-request.js";
export { TFRequest, TFResponse } from "./tf-request.js";
export { TorchRecRequest, TorchRecResponse } from "./torch-rec-request.js";
export { TorchRequest, TorchResponse } from "./torch-request.js";
