import type { MetadataView } from "../core/metadata.js";
import type { AttemptListener } from "../transport/transport.js";

/** Holds back the answer of a method that has only one, so that an attempt that breaks half-way leaves no trace. */
export class SingleAnswer {
  #headers: MetadataView | undefined;
  #message: Uint8Array | undefined;

  /** Keeps the headers. */
  holdHeaders(headers: MetadataView): void {
    this.#headers = headers;
  }

  /** Keeps the message. */
  holdMessage(message: Uint8Array): void {
    this.#message = message;
  }

  /** Forgets everything, for another attempt. */
  drop(): void {
    this.#headers = undefined;
    this.#message = undefined;
  }

  /** Hands over what there is. */
  handOver(listener: AttemptListener): void {
    if (this.#headers !== undefined) listener.onHeaders(this.#headers);
    if (this.#message !== undefined) listener.onMessage(this.#message);
  }
}
