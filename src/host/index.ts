/** The host: subpath `inferwire/host`. */
export { Metadata, ServerError, Status } from "nice-grpc-common";
export type { HostState } from "../builtin/host-view.js";
export type { Logger } from "../core/ports.js";
export type { TraceContext } from "../core/trace-context.js";
export type {
  Answer,
  AnyProcessor,
  AnyServerMiddleware,
  Call,
  LaneKind,
  ProcessorContext,
  ProcessorFunction,
  ProcessorProperty,
  ProcessorRpc,
  ProcessorShape,
  TensorAnswer,
  TensorProcessorShape,
} from "../processor/processor.js";
export type { TensorInfo, TensorSignature } from "../processor/tensor-signature.js";
export type { CorsOptions } from "../server/cors-options.js";
export type { ServerLimits } from "../server/limits.js";
export type { LogLevel } from "../server/logger.js";
export type { ServerTls } from "../server/port.js";
export { type TensorValues, tensor } from "../tensor/create-tensor.js";
export type { DialectName, TensorRequest } from "../tensor/dialect.js";
export type { DType, TensorArrays } from "../tensor/dtype.js";
export type { Tensor, TensorOf } from "../tensor/tensor.js";
export type { ClientTls } from "../transport/transport.js";
export { BaseProcessor, Processor } from "./base-processor.js";
export { type HostOptions, hostDefaults, type OpenPath } from "./host-options.js";
export { type HostOptionSources, hostOptionsFrom } from "./host-options-from.js";
export { implement, type ServiceMethods } from "./implement.js";
export { startHost } from "./start-host.js";
export type { ProcessorHost } from "./startable-host.js";
export { TensorProcessor, type TensorProcessorOptions } from "./tensor-processor.js";
export { TypedProcessor, type TypedProcessorOptions } from "./typed-processor.js";
