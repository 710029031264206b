import type { IncomingMessage } from "node:http";
import { ChunkList } from "../core/chunk-list.js";
import { servingError } from "../core/serving-error.js";
import type { BodyBudget } from "./body-budget.js";
import type { ReadBodyOptions } from "./http.js";

/** As many bytes are shown to whoever tells where the bulk of a body begins, if there are. */
const HEAD_BYTES = 1_024;

/** What bulk is placed at a multiple of: the largest element that a typed array has. */
const ALIGNMENT = 8;

/** How a reader reads; the limit is settled. */
export interface BodyReaderOptions extends ReadBodyOptions {
  readonly maxBytes: number;
}

/** Reads a body whole, within a limit of its own and the port's budget. */
export class BodyReader {
  readonly #request: IncomingMessage;
  readonly #budget: BodyBudget;
  readonly #options: BodyReaderOptions;
  #chunks = new ChunkList();
  #over = false;

  constructor(request: IncomingMessage, budget: BodyBudget, options: BodyReaderOptions) {
    this.#request = request;
    this.#budget = budget;
    this.#options = options;
  }

  get #declared(): number {
    return Number(this.#request.headers["content-length"] ?? 0);
  }

  /** Whether the caller says beforehand that the body is over the limit. */
  get tooLong(): boolean {
    return this.#declared > this.#options.maxBytes;
  }

  /**
   * Reads; once.
   *
   * @throws HostError `MESSAGE_TOO_LARGE`, `QUEUE_FULL`; CallError `CANCELLED` when the caller goes away first; what
   * `decode` throws.
   */
  read(): Promise<Uint8Array> {
    if (this.tooLong) return Promise.reject(this.#tooLarge(this.#declared));
    return new Promise((resolve, reject) => {
      const request = this.#request;
      request.on("data", (chunk: Buffer) => {
        try {
          this.#take(chunk);
        } catch (refusal) {
          this.#drop();
          reject(refusal);
        }
      });
      request.on("end", () => {
        if (this.#over) return;
        const { bytes } = this.#chunks;
        const body = this.#whole();
        const { decode } = this.#options;
        const give = (): void => this.#budget.give(bytes);
        if (decode !== undefined) decode(body).finally(give).then(resolve, reject);
        else {
          give();
          resolve(body);
        }
      });
      // A request is closed after its end as well, where it means nothing any more.
      request.on("close", () => {
        if (this.#over) return;
        this.#drop();
        reject(servingError("CANCELLED", "the caller went away before its body was complete"));
      });
    });
  }

  #take(chunk: Buffer): void {
    if (this.#over) return;
    const bytes = this.#chunks.bytes + chunk.length;
    if (bytes > this.#options.maxBytes) throw this.#tooLarge(bytes);
    this.#budget.take(chunk.length);
    this.#chunks.push(chunk);
  }

  #whole(): Uint8Array {
    const body = this.#chunks.parts.length === 1 ? this.#chunks.whole() : this.#join();
    this.#forget();
    return body;
  }

  #join(): Uint8Array {
    const { bytes, parts } = this.#chunks;
    const { bulkOffset } = this.#options;
    const bulk = bulkOffset?.(this.#head(parts));
    if (bulk === undefined) return this.#chunks.whole();
    let at = (ALIGNMENT - (bulk % ALIGNMENT)) % ALIGNMENT;
    const room = Buffer.allocUnsafeSlow(at + bytes);
    const body = room.subarray(at);
    for (const part of parts) {
      room.set(part, at);
      at += part.length;
    }
    return body;
  }

  #head(parts: readonly Buffer[]): Uint8Array {
    const [first] = parts;
    if (first !== undefined && first.length >= HEAD_BYTES) return first;
    return Buffer.concat(parts, Math.min(HEAD_BYTES, this.#chunks.bytes));
  }

  #drop(): void {
    this.#request.pause();
    this.#budget.give(this.#chunks.bytes);
    this.#forget();
  }

  #forget(): void {
    this.#over = true;
    this.#chunks = new ChunkList();
  }

  #tooLarge(bytes: number): Error {
    const { maxBytes, limited } = this.#options;
    const what = limited === undefined ? "" : ` of ${limited}`;
    return servingError(
      "MESSAGE_TOO_LARGE",
      `the body is ${bytes} bytes or more, at most ${maxBytes}${what} are taken`,
    );
  }
}
