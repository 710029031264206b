/** The host: subpath `inferwire/host`. */
export { Metadata, ServerError, Status } from "nice-grpc-common";
export type { HostState } from "../builtin/host-view.js";
export type { Logger } from "../core/ports.js";
export type {
  Answer,
  Call,
  LaneKind,
  ProcessorContext,
  ProcessorShape,
} from "../processor/processor.js";
export type { ServerLimits } from "../server/limits.js";
export type { LogLevel } from "../server/logger.js";
export type { ServerTls } from "../server/port.js";
export type { ClientTls } from "../transport/transport.js";
export { BaseProcessor, Processor } from "./base-processor.js";
export { type HostOptions, hostDefaults, type OpenPath } from "./host-options.js";
export type { ProcessorHost } from "./processor-host.js";
export { startHost } from "./start-host.js";
