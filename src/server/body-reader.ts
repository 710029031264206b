import type { IncomingMessage } from "node:http";
import { servingError } from "../core/serving-error.js";
import type { BodyBudget } from "./body-budget.js";

/** Chunks that are held one by one; so many are joined, so that a flood of tiny ones costs no more than its bytes. */
const CHUNKS_TO_JOIN = 256;

/** Reads a body whole, within a limit of its own and the port's budget. */
export class BodyReader {
  readonly #request: IncomingMessage;
  readonly #maxBytes: number;
  readonly #budget: BodyBudget;
  #joined: Buffer[] = [];
  #chunks: Buffer[] = [];
  #bytes = 0;
  #over = false;

  constructor(request: IncomingMessage, maxBytes: number, budget: BodyBudget) {
    this.#request = request;
    this.#maxBytes = maxBytes;
    this.#budget = budget;
  }

  get #declared(): number {
    return Number(this.#request.headers["content-length"] ?? 0);
  }

  /** Whether the caller says beforehand that the body is over the limit. */
  get tooLong(): boolean {
    return this.#declared > this.#maxBytes;
  }

  /**
   * Reads; once.
   *
   * @throws HostError `MESSAGE_TOO_LARGE`, `QUEUE_FULL`; CallError `CANCELLED` when the caller goes away first.
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
        if (!this.#over) resolve(this.#whole());
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
    if (this.#bytes + chunk.length > this.#maxBytes)
      throw this.#tooLarge(this.#bytes + chunk.length);
    this.#budget.take(chunk.length);
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    if (this.#chunks.length < CHUNKS_TO_JOIN) return;
    this.#joined.push(Buffer.concat(this.#chunks));
    this.#chunks = [];
  }

  #whole(): Uint8Array {
    const parts = this.#joined.length === 0 ? this.#chunks : [...this.#joined, ...this.#chunks];
    const [only] = parts;
    const body =
      parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, this.#bytes);
    this.#release();
    return body;
  }

  #drop(): void {
    this.#request.pause();
    this.#release();
  }

  #release(): void {
    this.#over = true;
    this.#budget.give(this.#bytes);
    this.#joined = [];
    this.#chunks = [];
  }

  #tooLarge(bytes: number): Error {
    return servingError(
      "MESSAGE_TOO_LARGE",
      `the body is ${bytes} bytes or more, at most ${this.#maxBytes} are taken`,
    );
  }
}
