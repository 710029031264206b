import {
  ServerReflectionDefinition,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from "../../gen/grpc/reflection/v1/reflection.js";
import { ServerReflectionDefinition as AlphaDefinition } from "../../gen/grpc/reflection/v1alpha/reflection.js";
import type { RpcDefinition } from "../core/rpc-definition.js";
import { rpcDefinition } from "./rpc.js";

/** A question of reflection. */
export type ReflectionQuestion = ServerReflectionRequest;

/** What a question is answered with. */
export type ReflectionAnswer = NonNullable<ServerReflectionResponse["messageResponse"]>;

const method = ServerReflectionDefinition.methods.serverReflectionInfo;

/** `ServerReflectionInfo` under both names of the service: v1 and v1alpha have the same messages. */
export const reflectionRpcs: readonly RpcDefinition<
  ServerReflectionRequest,
  ServerReflectionResponse
>[] = [rpcDefinition(ServerReflectionDefinition, method), rpcDefinition(AlphaDefinition, method)];

/** Paths of reflection. */
export const reflectionPaths: readonly string[] = reflectionRpcs.map(({ path }) => path);
