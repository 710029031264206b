import { LoopTurns } from "../../core/loop-turns.js";
import { emptyMetadata, type MetadataView, metadataText } from "../../core/metadata.js";
import type { Clock } from "../../core/ports.js";
import { type ServingError, servingError } from "../../core/serving-error.js";
import { TimeLimit } from "../../core/time-limit.js";
import type { HttpReply, HttpRequest } from "../http.js";
import { errorReply } from "../http-errors.js";
import type { ServerLimits } from "../limits.js";
import type { RpcDoorName, RpcRoute } from "../rpc.js";
import { rpcStatusOf } from "../rpc-errors.js";
import { createJsonMessages } from "./json-messages.js";
import { WebCall, type WebCallOwner } from "./web-call.js";
import type { WebProtocol } from "./web-protocol.js";
import {
  carriesKind,
  isPlainGrpc,
  isWebOnly,
  webProtocolOf,
  webTypesFor,
} from "./web-protocols.js";

/** What the web's door of a port is made of. */
export interface WebDoorOptions {
  readonly routes: readonly RpcRoute[];
  readonly limits: Pick<ServerLimits, "idleTimeoutMs" | "maxJsonBytes">;
  readonly clock: Clock;
  /** Descriptor sets of services that are not the kit's own, for JSON. */
  readonly descriptorSets: readonly Uint8Array[];
  /** Run on each body as it was sent, before it is read. */
  readonly decode?: WebCallOwner["decode"];
}

/** What of a request tells how it is answered. */
export type WebHead = Pick<HttpRequest, "method" | "path"> & { readonly metadata: MetadataView };

/** Answers methods over HTTP/1.1: gRPC-Web and Connect. */
export interface WebDoor {
  /** Whether a path is that of a method. */
  has(path: string): boolean;
  /**
   * Answers a request at the path of a method.
   *
   * @throws HostError `METHOD_NOT_ALLOWED`, `UNKNOWN_CONTENT_TYPE`, `NOT_OVER_WEB`, `MALFORMED_REQUEST`, all by its headers.
   */
  serve(request: HttpRequest): void;
  /** The protocol that a request is a call in; undefined for any other request. */
  doorOf(head: WebHead): RpcDoorName | undefined;
  /** Stops the timer. */
  close(): void;
  /** What a request is told that went wrong before its call had begun, in its own protocol. */
  errorReply(head: WebHead, error: ServingError): HttpReply;
}

/** Paths that calls of methods have, known or not. */
const METHOD_PATH = /^\/[^/]+\/[^/]+$/;

/** Makes the web's door. */
export function createWebDoor(options: WebDoorOptions): WebDoor {
  const { clock, limits, decode } = options;
  const routes: ReadonlyMap<string, RpcRoute> = new Map(
    options.routes.map((route) => [route.path, route]),
  );
  const owner: WebCallOwner = {
    clock,
    json: createJsonMessages(options.descriptorSets),
    decode,
    maxJsonBytes: limits.maxJsonBytes,
    jsonTurns: new LoopTurns(),
    lastWords: new TimeLimit(limits.idleTimeoutMs, clock),
  };
  const protocolOf = ({ method, path, metadata }: WebHead): WebProtocol | undefined => {
    if (method !== "POST") return undefined;
    const type = metadataText(metadata, "content-type");
    const called = routes.has(path) || (METHOD_PATH.test(path) && isWebOnly(type));
    return called ? webProtocolOf(type) : undefined;
  };
  return {
    has: (path) => routes.has(path),
    serve(request) {
      const route = routes.get(request.path);
      if (route === undefined) throw servingError("UNKNOWN_ROUTE", `no method ${request.path}`);
      const protocol = checkedProtocol(request, route);
      const timeoutMs = protocol.timeoutMs(request.headers);
      new WebCall(request, route, protocol, timeoutMs, owner).begin();
    },
    close: () => owner.lastWords.close(),
    doorOf: (head) => protocolOf(head)?.door,
    errorReply(head, error) {
      const protocol = protocolOf(head);
      if (protocol === undefined || error.reason === "UNKNOWN_CONTENT_TYPE") {
        return errorReply(error);
      }
      const status = rpcStatusOf(error);
      return protocol.whole({ headers: emptyMetadata, message: undefined, status });
    },
  };
}

function checkedProtocol(request: HttpRequest, route: RpcRoute): WebProtocol {
  const { path, method, headers } = request;
  if (method !== "POST") {
    throw servingError("METHOD_NOT_ALLOWED", `${path} takes POST, not ${method.slice(0, 20)}`);
  }
  const type = metadataText(headers, "content-type");
  const protocol = webProtocolOf(type);
  if (protocol !== undefined && route.requestStream) {
    throw servingError(
      "NOT_OVER_WEB",
      `${path} takes a stream of messages, which needs gRPC over HTTP/2`,
    );
  }
  if (protocol !== undefined && carriesKind(protocol, route)) return protocol;
  if (isPlainGrpc(type)) {
    throw servingError(
      "UNKNOWN_CONTENT_TYPE",
      "gRPC needs HTTP/2, and this request came over HTTP/1.1; gRPC-Web is application/grpc-web",
    );
  }
  const seen = type === undefined ? "missing" : JSON.stringify(type.slice(0, 80));
  throw servingError(
    "UNKNOWN_CONTENT_TYPE",
    `content-type is ${seen}, ${path} takes ${webTypesFor(route).join(", ")}`,
  );
}
