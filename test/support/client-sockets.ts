import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import {
  constants,
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type Server, type Socket } from "node:net";
import type { TlsOptions } from "node:tls";

/** A server on a free port of the loopback that misbehaves on purpose. */
export interface OddServer extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open now. */
  open(): number;
  /** Breaks every open connection, without a word or with a reset. */
  drop(how?: "close" | "reset"): void;
}

function listen(server: Server, port: number): Promise<OddServer> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  const drop = (how: "close" | "reset" = "close"): void => {
    for (const socket of sockets) how === "close" ? socket.destroy() : socket.resetAndDestroy();
  };
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("no port");
      resolve({
        port: address.port,
        open: () => sockets.size,
        drop,
        [Symbol.asyncDispose]: () =>
          new Promise((done) => {
            server.close(() => done());
            drop();
          }),
      });
    });
  });
}

/** Accepts TCP and never says a word. */
export function startMuteServer(port = 0): Promise<OddServer> {
  return listen(
    createServer((socket) => socket.resume()),
    port,
  );
}

/** Accepts TCP and closes at once. */
export function startClosingServer(): Promise<OddServer> {
  return listen(
    createServer((socket) => socket.destroy()),
    0,
  );
}

/** Speaks HTTP/2 and hands every stream to `onStream`, to do with as it likes. */
export function startHttp2Server(
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
): Promise<OddServer> {
  const server = createHttp2Server();
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    onStream(stream, headers);
  });
  server.on("sessionError", () => {});
  return listen(server, 0);
}

/** Speaks HTTP/1.1 and hands over every request with its whole body; TLS with a certificate, which may ask for the client's. */
export function startHttpServer(
  onRequest: (request: IncomingMessage, body: Buffer, response: ServerResponse) => void,
  tls?: TlsOptions,
  port = 0,
): Promise<OddServer> {
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => onRequest(request, Buffer.concat(chunks), response));
  };
  const server = tls === undefined ? createHttpServer(handle) : createHttpsServer(tls, handle);
  return listen(server, port);
}

/** Hands every connection to a test, to do with as it likes. */
export function startSocketServer(onConnection: (socket: Socket) => void): Promise<OddServer> {
  return listen(createServer(onConnection), 0);
}

/** Answers the first bytes on a connection as it likes. */
export function startRawServer(onData: (socket: Socket) => void): Promise<OddServer> {
  return startSocketServer((socket) => socket.on("data", () => onData(socket)));
}

/** Refuses a stream before any work, as a server at its limit of streams does. */
export function refuseStream(stream: ServerHttp2Stream): void {
  stream.close(constants.NGHTTP2_REFUSED_STREAM);
}

/** Ends a stream with a status in headers only, or in trailers when `headersFirst`. */
export function endWithStatus(
  stream: ServerHttp2Stream,
  status: Record<string, string>,
  headersFirst = false,
): void {
  const headers = { ":status": 200, "content-type": "application/grpc+proto" };
  if (!headersFirst) {
    stream.respond({ ...headers, ...status }, { endStream: true });
    return;
  }
  stream.respond(headers, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(status));
  stream.end();
}

/** A port of the loopback that nobody listens on. */
export async function closedPort(): Promise<number> {
  const server = await startMuteServer();
  await server[Symbol.asyncDispose]();
  return server.port;
}
