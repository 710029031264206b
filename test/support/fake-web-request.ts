import { metadataOf } from "../../src/core/metadata.js";
import type { HttpReply, HttpRequest, ReadBodyOptions } from "../../src/server/http.js";

/** A POST without a socket: its pieces are pulled by hand. */
export class FakeWebRequest implements HttpRequest {
  readonly method = "POST";
  readonly path: string;
  readonly query = "";
  readonly headers: HttpRequest["headers"];
  readonly peer = "127.0.0.1:1234";
  readonly arrivedMs = 1_000_000;
  readonly replies: HttpReply[] = [];
  /** Head of the answer in pieces, once there is one. */
  head: Omit<HttpReply, "body"> | undefined;
  broken = false;
  /** How the body was read, once it was. */
  bodyOptions: ReadBodyOptions | undefined;
  /** Resolves when the answer has been given, or begun. */
  readonly answered: Promise<void>;
  #markAnswered: () => void = () => {};
  readonly #body: Uint8Array;
  #pieces: AsyncIterator<Uint8Array> | undefined;
  #done: () => void = () => {};
  #leave: () => void = () => {};

  constructor(path: string, contentType: string, body: Uint8Array, headers: object = {}) {
    this.path = path;
    this.headers = metadataOf({ "content-type": contentType, ...headers });
    this.#body = body;
    this.answered = new Promise((resolve) => {
      this.#markAnswered = resolve;
    });
  }

  readBody(options: ReadBodyOptions): Promise<Uint8Array> {
    this.bodyOptions = options;
    return Promise.resolve(this.#body);
  }

  reply(reply: HttpReply): void {
    this.replies.push(reply);
    this.#markAnswered();
  }

  replyInPieces(head: Omit<HttpReply, "body">, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    this.head = head;
    this.#markAnswered();
    this.#pieces = pieces[Symbol.asyncIterator]();
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  /** Writes the next piece; undefined behind the last one. */
  async pull(): Promise<Uint8Array | undefined> {
    const next = await this.#pieces?.next();
    if (next?.done !== false) {
      this.#done();
      return undefined;
    }
    return next.value;
  }

  breakOff(): void {
    this.broken = true;
  }

  onClose(listener: () => void): void {
    this.#leave = listener;
  }

  /** The caller goes away. */
  leave(): void {
    this.#leave();
  }
}
