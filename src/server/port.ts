import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { Endpoint } from "../core/endpoint.js";
import { addressText } from "../core/instance.js";
import type { Clock, Logger } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import type { Cors } from "./cors.js";
import { createDropLog } from "./drop-log.js";
import { createGrpcServer } from "./grpc-server.js";
import type { HttpHandler } from "./http.js";
import { createHttpServer, type HttpServerOptions } from "./http-server.js";
import type { ServerLimits } from "./limits.js";
import { type OpenConnection, OpenConnections } from "./open-connections.js";
import type { RequestHead } from "./request-head.js";
import type { RpcRoute } from "./rpc.js";
import { sniff } from "./sniff.js";

/** TLS of a port. */
export interface ServerTls {
  /** Certificate chain, PEM. */
  readonly cert: string | Uint8Array;
  /** Key of the certificate, PEM. */
  readonly key: string | Uint8Array;
  /** Authority whose client certificates are demanded, PEM; none when left out. */
  readonly clientCa?: string | Uint8Array | undefined;
}

/** What a port is made of. */
export interface PortOptions {
  /** Port 0 takes any free one; an empty host all addresses. */
  readonly endpoint: Endpoint;
  readonly tls?: ServerTls | undefined;
  readonly limits: ServerLimits;
  readonly rpcRoutes: readonly RpcRoute[];
  readonly http: HttpHandler;
  /** What a request over HTTP is told that `http` has not answered; one line of JSON when left out. */
  readonly errorReply?: HttpServerOptions["errorReply"];
  /** Lets pages of other origins call over HTTP; none may when left out. */
  readonly cors?: Cors | undefined;
  /** Called when the headers of a request are there and before its body is read; an error refuses it. */
  readonly authorize: (head: RequestHead) => ServingError | undefined;
  /** Called when the port is closed; may be called twice. */
  readonly onClosed?: (() => void) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One bound port that speaks gRPC and HTTP/1.1. */
export interface Port {
  /** What was bound: port 0 has become a number. */
  readonly address: { readonly host: string; readonly port: number };
  /** Open connections. */
  readonly connections: number;
  /** Open connections, the first 1,000 in order of arrival. */
  listConnections(): readonly OpenConnection[];
  /**
   * Stops listening, for another process does in its place, and sends GOAWAY and `Connection: close`; whatever still comes
   * on open connections is answered, also on those that have not said yet what they speak. Resolves when every connection
   * has ended, or after `lingerMs` milliseconds.
   *
   * A connection that is closed while it is idle loses the request that its caller sends in that very moment: callers are
   * given the time to leave by themselves.
   */
  leave(lingerMs: number): Promise<void>;
  /**
   * Stops listening, sends GOAWAY and `Connection: close`, waits until every connection has ended, and breaks those
   * that are still there after `graceMs` milliseconds.
   */
  drain(graceMs: number): Promise<void>;
  /** Stops listening and breaks every connection. */
  close(): Promise<void>;
}

class OpenPort implements Port {
  readonly address: { readonly host: string; readonly port: number };
  readonly #listener: Server;
  readonly #open: OpenConnections;
  readonly #halves: Halves;
  readonly #clock: Clock;
  readonly #onClosed: (() => void) | undefined;
  #idle: (() => void) | undefined;
  #unbound: Promise<void> | undefined;

  constructor(listener: Server, parts: PortParts, options: PortOptions) {
    const bound = listener.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : 0;
    this.address = { host: options.endpoint.host, port };
    this.#listener = listener;
    this.#open = parts.open;
    this.#halves = parts.halves;
    this.#clock = options.clock;
    this.#onClosed = options.onClosed;
  }

  get connections(): number {
    return this.#open.count;
  }

  listConnections(): readonly OpenConnection[] {
    return this.#open.list();
  }

  /** Told by the listener whenever a connection has ended. */
  connectionEnded(): void {
    if (this.#open.count === 0) this.#idle?.();
  }

  async leave(lingerMs: number): Promise<void> {
    void this.#unbind();
    this.#halves.http.leave();
    this.#halves.grpc.leave();
    await this.#allEnded(lingerMs);
  }

  async drain(graceMs: number): Promise<void> {
    const unbound = this.#unbind();
    this.#open.breakUndecided();
    this.#halves.grpc.drain(graceMs);
    this.#halves.http.drain();
    await this.#allEnded(graceMs);
    await this.close();
    await unbound;
  }

  #allEnded(graceMs: number): Promise<void> {
    if (this.#open.count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#clock.after(graceMs, resolve);
      this.#idle = () => {
        cancel();
        resolve();
      };
    });
  }

  async close(): Promise<void> {
    const unbound = this.#unbind();
    this.#halves.http.close();
    this.#halves.grpc.close();
    this.#open.breakAll();
    this.#onClosed?.();
    await unbound;
  }

  #unbind(): Promise<void> {
    this.#unbound ??= new Promise((resolve) => this.#listener.close(() => resolve()));
    return this.#unbound;
  }
}

/** What a port holds. */
interface PortParts {
  readonly open: OpenConnections;
  readonly halves: Halves;
}

interface Halves {
  readonly grpc: ReturnType<typeof createGrpcServer>;
  readonly http: ReturnType<typeof createHttpServer>;
}

/**
 * Binds a port that speaks gRPC and HTTP/1.1, over TLS when given a certificate.
 *
 * ```
 * socket -> (TLS) -> sniff -- "PRI" --> grpc-js
 *                          `- else ---> node:http
 * ```
 *
 * @throws HostError `ADDRESS_IN_USE` when the address cannot be bound.
 */
export async function openPort(options: PortOptions): Promise<Port> {
  const { limits, rpcRoutes, http: handler, authorize, clock, logger } = options;
  const { errorReply, cors } = options;
  const open = new OpenConnections(clock);
  const halves: Halves = {
    grpc: createGrpcServer({ limits, routes: rpcRoutes, authorize, clock }),
    http: createHttpServer({ limits, handler, authorize, errorReply, cors, clock, logger }),
  };
  let port: OpenPort | undefined;
  const listener = createListener(options, halves, open);
  listener.maxConnections = limits.maxConnections;
  listener.on("connection", (socket: Socket) => {
    open.add(socket, () => port?.connectionEnded());
  });
  listener.on("drop", createDropLog(limits.maxConnections, clock, logger));
  try {
    await listen(listener, options.endpoint);
  } catch (cause) {
    halves.http.close();
    halves.grpc.close();
    throw cause;
  }
  port = new OpenPort(listener, { open, halves }, options);
  return port;
}

/** A peer that has vanished in the middle of a stream that says nothing is noticed by the system's probes. */
const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 } as const;

function createListener(options: PortOptions, halves: Halves, open: OpenConnections): Server {
  const { tls, limits, clock, logger } = options;
  const hand = (socket: Socket, protocol: keyof Halves): void => {
    if (open.decide(socket, protocol)) halves[protocol].takeConnection(socket);
  };
  const look = (socket: Socket): void => {
    sniff(socket, { timeoutMs: limits.firstByteTimeoutMs, clock }, (kind) =>
      hand(socket, kind === "http2" ? "grpc" : "http"),
    );
  };
  if (tls === undefined) return createServer(socketOptions, look);

  const secure = createTlsServer(
    {
      cert: bytesOf(tls.cert),
      key: bytesOf(tls.key),
      ...(tls.clientCa === undefined
        ? {}
        : { ca: bytesOf(tls.clientCa), requestCert: true, rejectUnauthorized: true }),
      // The first one offered by both: curl and browsers offer both and would get gRPC's 415 with h2.
      ALPNProtocols: ["http/1.1", "h2"],
      handshakeTimeout: limits.firstByteTimeoutMs,
      ...socketOptions,
    },
    (socket: TLSSocket) => {
      if (socket.alpnProtocol === "h2") hand(socket, "grpc");
      else if (socket.alpnProtocol === "http/1.1") hand(socket, "http");
      else look(socket);
    },
  );
  secure.on("tlsClientError", (error, socket) => {
    logger.debug({ reason: error.message, peer: socket.remoteAddress }, "TLS handshake failed");
  });
  return secure;
}

function bytesOf(pem: string | Uint8Array): string | Buffer {
  return typeof pem === "string" ? pem : Buffer.from(pem);
}

function listen(listener: Server, endpoint: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException): void => {
      const where = addressText(endpoint.host, endpoint.port);
      const why = cause.code === "EADDRINUSE" ? "is taken by another process" : cause.message;
      reject(servingError("ADDRESS_IN_USE", `${where} ${why}`, { cause }));
    };
    listener.once("error", failed);
    const bind = { port: endpoint.port, ...(endpoint.host === "" ? {} : { host: endpoint.host }) };
    listener.listen(bind, () => {
      listener.off("error", failed);
      resolve();
    });
  });
}
