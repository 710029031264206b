import { emptyMetadata, type MetadataView, metadataText } from "../../core/metadata.js";
import { servingError } from "../../core/serving-error.js";
import type { RpcStatus } from "../rpc.js";
import { connectErrorOf } from "./connect-error.js";
import { enveloped, onlyMessage } from "./envelope.js";
import { connectTimeoutMs } from "./timeouts.js";
import { headerLines, headersFromMetadata, refuseEncodings } from "./web-metadata.js";
import type { WebProtocol } from "./web-protocol.js";

const END_OF_STREAM_FLAG = 2;
const VERSION = "1";
const noBytes = new Uint8Array(0);

/**
 * Connect's unary calls: the message is the body, as it is; an error is JSON with an HTTP status.
 *
 * Source: https://connectrpc.com/docs/protocol#unary-rpcs-unary
 */
export function connectUnary(contentType: string, json: boolean): WebProtocol {
  return {
    door: "connect",
    carries: "unary",
    json,
    stream: undefined,
    timeoutMs(headers) {
      refuseEncodings(headers, ["content-encoding"]);
      return connectCallTimeoutMs(headers);
    },
    message: (body) => body,
    whole({ headers, message, status }) {
      const error = connectErrorOf(status);
      const head = {
        ...headersFromMetadata(headers),
        ...headersFromMetadata(status.trailers ?? emptyMetadata, "trailer-"),
        "content-type": error === undefined ? contentType : "application/json",
      };
      if (error === undefined) return { status: 200, headers: head, body: message ?? noBytes };
      return { status: error.httpStatus, headers: head, body: JSON.stringify(error.json) };
    },
  };
}

/**
 * Connect's streams: messages in envelopes, and a last one of JSON that says how the call ended; the HTTP status is 200
 * whatever that was.
 *
 * Source: https://connectrpc.com/docs/protocol#streaming-rpcs
 */
export function connectStream(contentType: string, json: boolean): WebProtocol {
  const head = (headers: MetadataView) => ({
    status: 200,
    headers: { ...headersFromMetadata(headers), "content-type": contentType },
  });
  return {
    door: "connect",
    carries: "server streaming",
    json,
    timeoutMs(headers) {
      refuseEncodings(headers, ["connect-content-encoding", "content-encoding"]);
      return connectCallTimeoutMs(headers);
    },
    message: onlyMessage,
    whole: ({ headers, status }) => ({ ...head(headers), body: endOfStream(status) }),
    stream: {
      head,
      piece: (message) => enveloped(0, message),
      lastPiece: endOfStream,
    },
  };
}

function connectCallTimeoutMs(headers: MetadataView): number {
  const version = metadataText(headers, "connect-protocol-version");
  if (version !== undefined && version !== VERSION) {
    const seen = JSON.stringify(version.slice(0, 40));
    throw servingError(
      "MALFORMED_REQUEST",
      `connect-protocol-version is ${seen}, expected ${VERSION}`,
    );
  }
  return connectTimeoutMs(metadataText(headers, "connect-timeout-ms"));
}

function endOfStream(status: RpcStatus): Uint8Array {
  const metadata = new Map<string, string[]>();
  for (const [key, value] of headerLines(status.trailers ?? emptyMetadata)) {
    metadata.set(key, [...(metadata.get(key) ?? []), value]);
  }
  // JSON leaves undefined out.
  const end = { error: connectErrorOf(status)?.json, metadata: Object.fromEntries(metadata) };
  return enveloped(END_OF_STREAM_FLAG, Buffer.from(JSON.stringify(end)));
}
