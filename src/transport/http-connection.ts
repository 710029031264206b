import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { ServingError, servingError } from "../core/serving-error.js";
import { shownText } from "../core/shown-text.js";
import { secureContext } from "./client-tls.js";
import { connectionErrorText } from "./connection-error.js";
import type { ClientTls } from "./transport.js";

const SHOWN_CHARACTERS = 200;

/** What is asked for by a GET. */
export interface HttpQuestion {
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tls?: ClientTls | undefined;
}

/** An answer's status and headers. */
export interface HttpHead {
  readonly status: number;
  /** First value of a header, by its lower-case name. */
  header(name: string): string | undefined;
}

/**
 * Begins a GET on a connection of its own, which keeps no process alive; to be listened to and ended by the caller.
 *
 * One connection for each request: polls are seconds apart, and a kept one would have to be watched for being half open,
 * and would stay with an address that DNS no longer gives.
 */
export function startGet({ url, headers, tls }: HttpQuestion): ClientRequest {
  const secure = url.startsWith("https:");
  const start = secure ? httpsRequest : httpRequest;
  const sent = start(url, {
    agent: false,
    headers: { "accept-encoding": "identity", ...headers },
    ...(secure ? tlsOptions(tls) : {}),
  });
  sent.on("socket", (socket) => socket.unref());
  return sent;
}

/** Status and headers of an answer whose body is still to come. */
export function headOf(response: IncomingMessage): HttpHead {
  return {
    status: response.statusCode ?? 0,
    header(name) {
      const value = response.headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
  };
}

/** Where an answer sends who asks, in words; undefined when it is no redirect. */
export function redirectText({ status, header }: HttpHead): string | undefined {
  if (status < 300 || status >= 400 || status === 304) return undefined;
  const to = shownText(header("location") ?? "nowhere", SHOWN_CHARACTERS);
  return `a redirect to ${to}, which is not followed`;
}

/** What a connection failed with, as an error of the kit. */
export function connectionError(error: unknown): ServingError {
  // Node's word for an answer that is shorter than it says, and for a connection that is reset inside one.
  if (error instanceof Error && error.message === "aborted") {
    const message = "the connection was cut in the middle of the answer";
    return servingError("CONNECT_FAILED", message, { cause: error });
  }
  if (error instanceof AggregateError && error.message === "") {
    return servingError("CONNECT_FAILED", connectionErrorText(error), { cause: error });
  }
  return ServingError.from(error);
}

function tlsOptions(tls: ClientTls | undefined): RequestOptions {
  if (tls === undefined) return {};
  const { serverName } = tls;
  const context = secureContext(tls, "tls");
  return {
    ...(context === undefined ? {} : { secureContext: context }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}
