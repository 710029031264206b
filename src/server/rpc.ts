import type { DoorName } from "../core/invocation.js";
import type { MetadataView } from "../core/metadata.js";
import type { RpcHead } from "../core/rpc-definition.js";
import type { ServingError } from "../core/serving-error.js";
import type { Status } from "../core/status.js";

/** Protocols that calls of a method come in by. */
export type RpcDoorName = Exclude<DoorName, "eas">;

/** How an RPC ends. */
export interface RpcStatus {
  readonly code: Status;
  /** Text for the caller; empty for OK. */
  readonly message: string;
  readonly trailers?: MetadataView;
}

/** One RPC of any of the four kinds as an engine gives it: bytes in, bytes out. */
export interface RpcCall {
  readonly door: RpcDoorName;
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Request headers. */
  readonly metadata: MetadataView;
  /** `address:port` of the caller. */
  readonly peer: string;
  /** When the caller wants it done, on the clock of the port; Infinity when it did not say. */
  readonly deadlineMs: number;
  /** Asks for one more message; the reader is told of it, or that there is none. Never ask twice at once. */
  read(): void;
  /** Sends response headers; without this they go out, empty, before the first message. */
  sendHeaders(headers: MetadataView): void;
  /** Sends one message; `flushed` is called when the next one may be handed over without piling up. */
  send(message: Uint8Array, flushed?: () => void): void;
  /** Ends the call; only the first end counts, and nothing may be sent after it. */
  end(status: RpcStatus): void;
}

/** The other half of an {@link RpcCall}: told of what arrives. */
export interface RpcReader {
  /** One message, after a `read`. The bytes belong to the reader. */
  onMessage(message: Uint8Array): void;
  /** The caller will send no more, after a `read`. */
  onHalfClose(): void;
  /**
   * The call is over on the wire: answered, cancelled by the caller, past its deadline, or the connection broke.
   *
   * @param error - why, when it was ended on this side of the wire; left out, the caller or its deadline has ended it
   */
  onClose(error?: ServingError): void;
  /** Why the call would be refused if its message came now: asked before work is done to get at that message. */
  refusal?(): ServingError | undefined;
}

/** A method that a port answers. */
export interface RpcRoute extends RpcHead {
  /** Longest request in JSON, in bytes; that of the port's limits when left out, which is never exceeded. */
  readonly maxJsonBytes?: number | undefined;
  /** Called when the headers of a call have arrived, before any message is read. */
  accept(call: RpcCall): RpcReader;
}
