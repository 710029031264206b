import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock, Logger } from "../core/ports.js";
import { ServingError, servingError } from "../core/serving-error.js";
import { createBodyBudget } from "./body-budget.js";
import type { Cors } from "./cors.js";
import { headProblem } from "./head-problem.js";
import type { HttpHandler, HttpReply } from "./http.js";
import { errorJson, errorReply, httpErrorForms } from "./http-errors.js";
import { type HttpPort, NodeHttpRequest } from "./http-request.js";
import type { ServerLimits } from "./limits.js";
import { linger } from "./linger.js";
import type { RequestHead } from "./request-head.js";

/** The HTTP/1.1 half of a port. */
export interface HttpServer {
  /** Takes over a connection whose first bytes are still to be read. */
  takeConnection(socket: Socket): void;
  /** Lets every answer from now on close its connection. */
  leave(): void;
  /** Lets every answer close its connection, and closes those that are idle. */
  drain(): void;
  /** Breaks every connection. */
  close(): void;
}

/** What the HTTP/1.1 half is made of. */
export interface HttpServerOptions {
  readonly limits: ServerLimits;
  readonly handler: HttpHandler;
  readonly authorize: (head: RequestHead) => ServingError | undefined;
  /** What a request is told that no handler has answered; one line of JSON when left out. */
  readonly errorReply?: ((head: RequestHead, error: ServingError) => HttpReply) | undefined;
  /** Lets pages of other origins call; none may when left out. */
  readonly cors?: Cors | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often node:http looks for requests that take too long. */
const CHECK_MS = 250;

/** Makes the HTTP/1.1 half of a port, on node:http. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { limits, handler, authorize, cors, clock, logger } = options;
  const replyTo = options.errorReply ?? ((_, error) => errorReply(error));
  const port = {
    limits,
    clock,
    cors,
    budget: createBodyBudget(limits.maxReceivingBytes),
    answering: new WeakSet<Socket>(),
    closing: new WeakSet<Socket>(),
    draining: false,
  };

  const server = createServer({
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.bodyTimeoutMs),
    requestTimeout: limits.bodyTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: CHECK_MS,
  });
  // node:http drops what is over this count without a word: one more than the limit tells that there were too many.
  server.maxHeadersCount = limits.maxHeaderCount + 1;
  // A server that never listens looks for slow requests only once it believes it does; its own timer starts here.
  server.emit("listening");

  const answer = (
    request: IncomingMessage,
    response: ServerResponse,
    wantsContinue: boolean,
  ): void => {
    // Behind the last answer of a connection that is still read.
    if (port.closing.has(request.socket)) return void request.resume();
    const exchange = new NodeHttpRequest(request, response, port, wantsContinue);
    const problem = headProblem(request, limits);
    if (problem !== undefined) {
      // Behind headers that can be read in two ways, nobody knows where the next request begins.
      exchange.reply({ ...replyTo(exchange, problem), close: true });
      return;
    }
    // Asks for a sign of life and for nothing that a token guards. Source: RFC 9110, 9.3.7
    if (exchange.method === "OPTIONS" && exchange.target === "*") {
      exchange.reply({ status: 200 });
      return;
    }
    // Before the token is asked for: browsers send none with this question.
    const preflight = cors?.preflight(exchange);
    if (preflight !== undefined) {
      exchange.reply(preflight);
      return;
    }
    const refusal = authorize(exchange);
    if (refusal !== undefined) exchange.reply(replyTo(exchange, refusal));
    else run(exchange);
  };
  const run = (exchange: NodeHttpRequest): void => {
    const failed = (thrown: unknown): void => {
      const error = ServingError.from(thrown);
      if (error.reason === "INTERNAL")
        logger.error({ err: thrown, path: exchange.path }, "request failed");
      exchange.reply(replyTo(exchange, error));
    };
    try {
      const done = handler(exchange);
      if (done instanceof Promise) done.catch(failed);
    } catch (thrown) {
      failed(thrown);
    }
  };
  server.on("request", (request, response) => answer(request, response, false));
  server.on("checkContinue", (request, response) => answer(request, response, true));
  server.on("clientError", (error, socket) => refuseBroken(error, socket as Socket, port));
  return {
    takeConnection(socket) {
      // Every pipelined request listens for the end of its connection.
      socket.setMaxListeners(0);
      server.emit("connection", socket);
    },
    leave() {
      port.draining = true;
    },
    drain() {
      port.draining = true;
      server.closeIdleConnections();
    },
    close() {
      closeUnheard(server);
    },
  };
}

/** Answers what node:http's parser refuses, then closes; in the middle of another answer it only closes. */
function refuseBroken(error: NodeJS.ErrnoException, socket: Socket, port: HttpPort): void {
  // What is broken is the rest of a request that was refused by its headers; node:http closes behind that answer.
  if (port.closing.has(socket) && socket.writable) return;
  if (error.code === "ECONNRESET" || !socket.writable || port.answering.has(socket)) {
    socket.destroy();
    return;
  }
  const refusal = parserRefusal(error.code, port.limits);
  const body = `${errorJson(refusal)}\n`;
  const { status } = httpErrorForms[refusal.reason];
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  linger(socket, port.clock);
}

function parserRefusal(code: string | undefined, limits: ServerLimits): ServingError {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return servingError(
        "HEADERS_TOO_LARGE",
        `headers are more than ${limits.maxHeaderBytes} bytes, at most that many are taken`,
      );
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return servingError("DEADLINE_EXCEEDED", "the request did not arrive in time");
    default:
      return servingError("MALFORMED_REQUEST", `not an HTTP/1.1 request (${code ?? "unknown"})`);
  }
}

// `close` of a server that never listened reports that; its timers and connections end all the same.
function closeUnheard(server: Server): void {
  server.close(() => {});
  server.closeAllConnections();
}
