import type { MetadataView } from "../../core/metadata.js";
import type { HttpReply } from "../http.js";
import type { RpcStatus } from "../rpc.js";

/** An answer that goes out in one piece: a message and how the call ended, or an error. */
export interface WholeAnswer {
  readonly headers: MetadataView;
  /** Undefined for an error, and for a stream that was empty. */
  readonly message: Uint8Array | undefined;
  readonly status: RpcStatus;
}

/** How a protocol writes an answer of several messages. */
export interface WebStreamForm {
  head(headers: MetadataView): Omit<HttpReply, "body">;
  /** One message, as a piece of the body. */
  piece(message: Uint8Array): Uint8Array;
  /** How the call ended, as the last piece of the body. */
  lastPiece(status: RpcStatus): Uint8Array;
}

/** One way to call a method over HTTP/1.1: everything that is known by a content type. */
export interface WebProtocol {
  readonly door: "grpc-web" | "connect";
  /** Which methods it carries; client streams are carried by none. */
  readonly carries: "unary" | "server streaming" | "both";
  /** Whether messages are JSON; bytes of protobuf otherwise. */
  readonly json: boolean;
  /** Undefined for one that carries unary methods only. */
  readonly stream: WebStreamForm | undefined;
  /**
   * Reads the headers that belong to the protocol.
   *
   * @returns the time that the caller gives the call, in milliseconds; Infinity when it does not say
   * @throws HostError `MALFORMED_REQUEST`, `NOT_OVER_WEB`.
   */
  timeoutMs(headers: MetadataView): number;
  /**
   * Takes the one message of a request out of its body.
   *
   * @throws HostError `MALFORMED_REQUEST`.
   */
  message(body: Uint8Array): Uint8Array;
  whole(answer: WholeAnswer): HttpReply;
}
