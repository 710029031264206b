import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthDefinition,
  type HealthListRequest,
  type HealthListResponse,
} from "../../gen/grpc/health/v1/health.js";
import type { RpcDefinition } from "../core/rpc-definition.js";
import { rpcDefinition } from "./rpc.js";

/** What `grpc.health.v1` says of a service, with the numbers that stand on the wire. */
export const ServingStatus: typeof HealthCheckResponse_ServingStatus =
  HealthCheckResponse_ServingStatus;

/** One of {@link ServingStatus}. */
export type ServingStatus = HealthCheckResponse_ServingStatus;

/** `grpc.health.v1.Health.Check`. */
export const healthCheckRpc: RpcDefinition<HealthCheckRequest, HealthCheckResponse> = rpcDefinition(
  HealthDefinition,
  HealthDefinition.methods.check,
);

/** `grpc.health.v1.Health.List`. */
export const healthListRpc: RpcDefinition<HealthListRequest, HealthListResponse> = rpcDefinition(
  HealthDefinition,
  HealthDefinition.methods.list,
);

/** `grpc.health.v1.Health.Watch`. */
export const healthWatchRpc: RpcDefinition<HealthCheckRequest, HealthCheckResponse> = rpcDefinition(
  HealthDefinition,
  HealthDefinition.methods.watch,
);

/** Paths of all methods of the health service. */
export const healthPaths: readonly string[] = [healthCheckRpc, healthListRpc, healthWatchRpc].map(
  ({ path }) => path,
);
