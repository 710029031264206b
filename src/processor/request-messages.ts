import { servingError } from "../core/serving-error.js";
import type { ProcessorRpc } from "./processor.js";

/**
 * Decodes one request.
 *
 * @throws HostError `MALFORMED_REQUEST`.
 */
export function decodeRequest(rpc: ProcessorRpc, bytes: Uint8Array): unknown {
  try {
    return rpc.decodeRequest(bytes);
  } catch (cause) {
    throw servingError("MALFORMED_REQUEST", `the message is not a ${rpc.path} request`, { cause });
  }
}

/** The messages of a request stream as a handler reads them: pulled one by one, decoded, once. */
export class RequestMessages implements AsyncIterable<unknown>, AsyncIterator<unknown> {
  readonly #rpc: ProcessorRpc;
  readonly #pieces: AsyncIterator<Uint8Array>;
  #over = false;

  constructor(rpc: ProcessorRpc, pieces: AsyncIterable<Uint8Array>) {
    this.#rpc = rpc;
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return this;
  }

  /** Rejects with `MALFORMED_REQUEST`, or with the call's abort reason when the caller has left. */
  async next(): Promise<IteratorResult<unknown>> {
    if (this.#over) return { done: true, value: undefined };
    const result = await this.#pieces.next();
    if (result.done === true) {
      this.#over = true;
      return { done: true, value: undefined };
    }
    try {
      return { done: false, value: decodeRequest(this.#rpc, result.value) };
    } catch (thrown) {
      await this.return();
      throw thrown;
    }
  }

  /** Reads no further: whoever sends is not waited for. Does nothing when all has been read. */
  async return(): Promise<IteratorResult<unknown>> {
    if (!this.#over) {
      this.#over = true;
      await this.#pieces.return?.();
    }
    return { done: true, value: undefined };
  }
}
