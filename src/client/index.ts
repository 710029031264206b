/** `inferwire/client`: typed clients that find, balance over and survive the instances of a service. */
export { Metadata, Status } from "nice-grpc-common";
export { type AttemptReport, CallError, type CallReport } from "../core/serving-error.js";
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
  closeClient,
  createClient,
  type ServiceClient,
  type SharedChannelOptions,
} from "./create-client.js";
export { openChannel, type ReadyOptions, type ServiceChannel } from "./service-channel.js";
