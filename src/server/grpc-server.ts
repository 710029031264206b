import type { Socket } from "node:net";
import { Server, ServerCredentials, type ServerOptions } from "@grpc/grpc-js";
import { bufferOf } from "../core/bytes.js";
import { nativeMetadataSize } from "../core/metadata.js";
import { type Clock, LONGEST_TIMER_MS } from "../core/ports.js";
import { ConnectionWatch, connectionKey } from "./connection-watch.js";
import { GrpcCall, type GrpcCallOwner, messageFromFrame } from "./grpc-call.js";
import { keepHeadersOutOfGrpcLog } from "./grpc-log.js";
import type { ServerLimits } from "./limits.js";
import type { RpcReader, RpcRoute } from "./rpc.js";
import { RpcGate, type RpcGateOptions } from "./rpc-gate.js";

/** The gRPC half of a port. */
export interface GrpcServer {
  /** Takes over a connection whose first bytes were HTTP/2's preface (still to be read). */
  takeConnection(socket: Socket): void;
  /** Sends GOAWAY on every connection, those that still come included, and answers the calls on them. */
  leave(): void;
  /** Sends GOAWAY on every connection and breaks those that are still there after `graceMs`. */
  drain(graceMs: number): void;
  /** Breaks every connection. */
  close(): void;
}

class GrpcPort implements GrpcServer, GrpcCallOwner {
  readonly clock: Clock;
  readonly #gate: RpcGate<GrpcCall>;
  readonly #server: Server;
  readonly #injector: ReturnType<Server["createConnectionInjector"]>;
  readonly #watch: ConnectionWatch;
  #leaving = false;

  constructor(options: RpcGateOptions) {
    keepHeadersOutOfGrpcLog();
    this.#gate = new RpcGate(options);
    this.clock = options.clock;
    this.#watch = new ConnectionWatch({
      idleMs: options.limits.idleTimeoutMs,
      busy: () => this.#busyConnections(),
      clock: options.clock,
    });
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
    return this.#gate.accept(call, nativeMetadataSize(call.metadata.native));
  }

  bodyOver(call: GrpcCall): void {
    this.#gate.bodyOver(call);
  }

  bodyLate(call: GrpcCall): void {
    this.#gate.bodyLate(call);
  }

  callOver(call: GrpcCall): void {
    this.#gate.callOver(call);
  }

  #busyConnections(): ReadonlySet<string> {
    return new Set([...this.#gate.calls].map((call) => connectionKey(call.getConnectionInfo())));
  }

  takeConnection(socket: Socket): void {
    this.#watch.add(socket);
    this.#injector.injectConnection(socket);
    if (this.#leaving) this.#injector.drain(LONGEST_TIMER_MS);
  }

  leave(): void {
    this.#leaving = true;
    this.#injector.drain(LONGEST_TIMER_MS);
    this.#watch.drain();
  }

  drain(graceMs: number): void {
    this.#injector.drain(graceMs);
    this.#watch.drain();
  }

  close(): void {
    this.#gate.close();
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
export function createGrpcServer(options: RpcGateOptions): GrpcServer {
  return new GrpcPort(options);
}
