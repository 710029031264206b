import { emptyMetadata, metadataText } from "../../core/metadata.js";
import { Status } from "../../core/status.js";
import type { HttpHeaders } from "../http.js";
import type { RpcStatus } from "../rpc.js";
import { base64FromBytes, bytesFromBase64 } from "./base64-text.js";
import { enveloped, envelopeHeader, onlyMessage } from "./envelope.js";
import { grpcTimeoutMs } from "./timeouts.js";
import { headerLines, headersFromMetadata, refuseEncodings } from "./web-metadata.js";
import type { WebProtocol } from "./web-protocol.js";

const TRAILERS_FLAG = 0x80;

/**
 * gRPC-Web: messages in envelopes, and the trailers in a last one.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
 */
export function grpcWeb(contentType: string, form: "binary" | "text"): WebProtocol {
  const text = form === "text";
  const written = (bytes: Buffer): Buffer => (text ? base64FromBytes(bytes) : bytes);
  const okHead = { "content-type": contentType, "grpc-accept-encoding": "identity" };
  return {
    door: "grpc-web",
    carries: "both",
    json: false,
    timeoutMs(headers) {
      refuseEncodings(headers, ["grpc-encoding", "content-encoding"]);
      return grpcTimeoutMs(metadataText(headers, "grpc-timeout"));
    },
    message: (body) => onlyMessage(text ? bytesFromBase64(body) : body),
    whole({ headers, message, status }) {
      const head: HttpHeaders = { ...headersFromMetadata(headers), ...okHead };
      if (message === undefined && status.code !== Status.OK) {
        return { status: 200, headers: { ...head, ...trailersOnly(status) } };
      }
      // Joined once: the message may be large.
      const messageParts =
        message === undefined ? [] : [envelopeHeader(0, message.byteLength), message];
      const body = Buffer.concat([...messageParts, trailersFrame(status)]);
      return { status: 200, headers: head, body: written(body) };
    },
    stream: {
      head: (headers) => ({
        status: 200,
        headers: { ...headersFromMetadata(headers), ...okHead },
      }),
      piece: (message) => written(enveloped(0, message)),
      lastPiece: (status) => written(trailersFrame(status)),
    },
  };
}

function statusLines({ code, message, trailers = emptyMetadata }: RpcStatus): [string, string][] {
  const lines: [string, string][] = [["grpc-status", String(code)]];
  if (message !== "") lines.push(["grpc-message", percentEncoded(message)]);
  for (const [key, value] of headerLines(trailers)) lines.push([key, value]);
  return lines;
}

function trailersFrame(status: RpcStatus): Buffer {
  const text = statusLines(status).map(([key, value]) => `${key}: ${value}\r\n`);
  return enveloped(TRAILERS_FLAG, Buffer.from(text.join(""), "latin1"));
}

/** An error before any message has the trailers among its headers. */
function trailersOnly({ code, message, trailers = emptyMetadata }: RpcStatus): HttpHeaders {
  return {
    ...headersFromMetadata(trailers),
    "grpc-status": String(code),
    ...(message === "" ? {} : { "grpc-message": percentEncoded(message) }),
  };
}

/**
 * Writes a message as headers carry it: its bytes in UTF-8, each that is not printable ASCII, and `%` itself, as `%` and
 * two digits.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Percent-Encoded"
 */
export function percentEncoded(message: string): string {
  let text = "";
  for (const byte of Buffer.from(message, "utf8")) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    text += plain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}
