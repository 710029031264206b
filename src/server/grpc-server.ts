import type { Socket } from "node:net";
import { Server, ServerCredentials, type ServerOptions } from "@grpc/grpc-js";
import { bufferOf } from "../core/bytes.js";
import { type NativeMetadata, nativeMetadataSize } from "../core/metadata.js";
import type { Clock } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import { TimeLimit } from "../core/time-limit.js";
import { ConnectionWatch, connectionKey } from "./connection-watch.js";
import { GrpcCall, type GrpcCallOwner, messageFromFrame } from "./grpc-call.js";
import { keepHeadersOutOfGrpcLog } from "./grpc-log.js";
import type { ServerLimits } from "./limits.js";
import type { RequestHead } from "./request-head.js";
import type { RpcReader, RpcRoute } from "./rpc.js";
import { endWithError } from "./rpc-errors.js";

/** The gRPC half of a port. */
export interface GrpcServer {
  /** Takes over a connection whose first bytes were HTTP/2's preface (still to be read). */
  takeConnection(socket: Socket): void;
  /** Sends GOAWAY on every connection and breaks those that are still there after `graceMs`. */
  drain(graceMs: number): void;
  /** Breaks every connection. */
  close(): void;
}

/** What the gRPC half is made of. */
export interface GrpcServerOptions {
  readonly limits: ServerLimits;
  readonly routes: readonly RpcRoute[];
  readonly authorize: (head: RequestHead) => ServingError | undefined;
  readonly clock: Clock;
}

class GrpcPort implements GrpcServer, GrpcCallOwner {
  readonly clock: Clock;
  readonly #options: GrpcServerOptions;
  readonly #routes: ReadonlyMap<string, RpcRoute>;
  readonly #server: Server;
  readonly #injector: ReturnType<Server["createConnectionInjector"]>;
  /** Calls whose single message has not arrived yet. */
  readonly #bodies: TimeLimit;
  /** Calls that were let in and have not ended. */
  readonly #calls = new Set<GrpcCall>();
  readonly #watch: ConnectionWatch;

  constructor(options: GrpcServerOptions) {
    keepHeadersOutOfGrpcLog();
    this.#options = options;
    this.clock = options.clock;
    this.#watch = new ConnectionWatch({
      idleMs: options.limits.idleTimeoutMs,
      busy: () => this.#busyConnections(),
      clock: options.clock,
    });
    this.#bodies = new TimeLimit(options.limits.bodyTimeoutMs, options.clock);
    this.#routes = new Map(options.routes.map((route) => [route.path, route]));
    this.#server = new Server({
      ...grpcOptions(options.limits),
      interceptors: [(method, call) => new GrpcCall(this, method, call)],
    });
    for (const route of options.routes) this.#register(route);
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
  }

  // grpc-js must know the path to call the interceptor; the handler behind it is never reached.
  #register(route: RpcRoute): void {
    const kind = route.requestStream
      ? route.responseStream
        ? "bidi"
        : "clientStream"
      : route.responseStream
        ? "serverStream"
        : "unary";
    this.#server.register(route.path, () => {}, bufferOf, messageFromFrame, kind);
  }

  accept(call: GrpcCall): RpcReader | undefined {
    const route = this.#routes.get(call.path);
    const refusal = this.#headerProblem(call.metadata.native) ?? this.#options.authorize(call);
    if (refusal !== undefined || route === undefined) {
      endWithError(call, refusal ?? servingError("UNKNOWN_ROUTE", `no method ${call.path}`));
      return undefined;
    }
    if (!route.requestStream) this.#bodies.begin(call);
    this.#calls.add(call);
    return route.accept(call);
  }

  bodyOver(call: GrpcCall): void {
    this.#bodies.end(call);
  }

  callOver(call: GrpcCall): void {
    this.#bodies.end(call);
    this.#calls.delete(call);
  }

  #busyConnections(): ReadonlySet<string> {
    return new Set([...this.#calls].map((call) => connectionKey(call.getConnectionInfo())));
  }

  bodyLate(call: GrpcCall): void {
    const text = `the message did not arrive within ${this.#bodies.ms} ms`;
    endWithError(call, servingError("DEADLINE_EXCEEDED", text));
  }

  #headerProblem(metadata: NativeMetadata): ServingError | undefined {
    const { maxHeaderBytes, maxHeaderCount } = this.#options.limits;
    const { count, bytes } = nativeMetadataSize(metadata);
    if (count > maxHeaderCount) {
      return servingError(
        "HEADERS_TOO_LARGE",
        `${count} headers, at most ${maxHeaderCount} are taken`,
      );
    }
    if (bytes > maxHeaderBytes) {
      return servingError(
        "HEADERS_TOO_LARGE",
        `headers are ${bytes} bytes, at most ${maxHeaderBytes} are taken`,
      );
    }
    return undefined;
  }

  takeConnection(socket: Socket): void {
    this.#watch.add(socket);
    this.#injector.injectConnection(socket);
  }

  drain(graceMs: number): void {
    this.#injector.drain(graceMs);
    this.#watch.drain();
  }

  close(): void {
    this.#bodies.close();
    this.#watch.close();
    this.#injector.destroy();
    this.#server.forceShutdown();
  }
}

function grpcOptions(limits: ServerLimits): ServerOptions {
  return {
    "grpc.enable_channelz": 0,
    "grpc.max_receive_message_length": limits.maxMessageBytes,
    "grpc.max_send_message_length": limits.maxMessageBytes,
    "grpc.max_concurrent_streams": limits.maxConcurrentStreams,
    "grpc.max_connection_idle_ms": limits.idleTimeoutMs,
    "grpc-node.max_session_memory": Math.ceil(limits.maxSessionBytes / 1_000_000),
  };
}

/** Makes the gRPC half of a port, on grpc-js. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  return new GrpcPort(options);
}
