/** `inferwire/client`: typed clients that find, balance over and survive the instances of a service. */
export { Metadata, Status } from "nice-grpc-common";
export {
  type AttemptOutcome,
  type AttemptReport,
  CallError,
  type CallReport,
} from "../core/serving-error.js";
export type { Snapshot } from "../core/snapshot.js";
export type { ClientTls } from "../transport/transport.js";
export type { CallExtras } from "./call-context.js";
export type {
  CallPolicyOptions,
  ChannelOptions,
  ClientOnlyOptions,
  ClientOptions,
  MethodOptions,
  TokenSource,
} from "./client-options.js";
export {
  channelOf,
  closeClient,
  createClient,
  type ServiceClient,
  type SharedChannelOptions,
} from "./create-client.js";
export type { AttemptFate } from "./metrics/channel-metrics.js";
export type {
  BucketCount,
  CallDurations,
  ClientMetrics,
  EndedCalls,
  MethodMetrics,
} from "./metrics/client-metrics.js";
export {
  clientMetricsText,
  type MetricsPage,
  type MetricsTeller,
} from "./metrics/client-metrics-text.js";
export type { EjectionCause } from "./pool/ejection.js";
export type { PoolCounts } from "./pool/pool-counts.js";
export type { BalanceName, EjectionOptions, PoolOptions } from "./pool-options.js";
export { openChannel, type ReadyOptions, type ServiceChannel } from "./service-channel.js";
